"""triggers.toml: what it must hold, and what is refused."""

from pathlib import Path

import pytest

import denizen.fhs.trigger_rules
from denizen.fhs.trigger_rules import BadRules, TriggerRules, read_rules

TEXT = (Path(denizen.fhs.trigger_rules.__file__).parent / "triggers.toml").read_bytes()


@pytest.fixture(scope="module")
def rules() -> TriggerRules:
    return read_rules(TEXT)


def test_the_base_set_has_a_shell_and_a_c_library(rules: TriggerRules) -> None:
    assert {"bash", "dash", "coreutils", "libc6", "ca-certificates"} <= set(rules.base.packages)


def test_no_path_leaves_the_tree(rules: TriggerRules) -> None:
    paths = [link.path for link in rules.links] + [copy.path for copy in rules.copies]
    paths += [text.path for text in rules.texts] + [t.when for t in rules.triggers]
    assert all(not path.startswith("/") and ".." not in path.split("/") for path in paths)


def test_each_tool_writes_somewhere_and_nothing_runs_after_the_linkers_cache(rules: TriggerRules) -> None:
    assert all(trigger.writes for trigger in rules.triggers)
    assert rules.triggers[-1].name == "ld.so.cache"


_BASE = b'[base]\npackages = ["a"]\nforeign = []\nlocales = ["C"]\n'


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[base",
        b"\xff",
        b"[base]\npackages = 3\nforeign = []\nlocales = []\n",
        _BASE + b'[[link]]\npath = ["/a/b"]\ntarget = 0\n',
    ],
)
def test_what_are_no_rules_is_refused(text: bytes) -> None:
    with pytest.raises(BadRules):
        read_rules(text)
