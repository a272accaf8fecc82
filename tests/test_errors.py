import importlib
import os
import pickle
import pkgutil
import re
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import denizen
from denizen import errors
from denizen.bytesio import Truncated, take
from denizen.errors import BadInput, DenizenError, display, shell_word


def test_an_error_survives_pickling_with_its_fields() -> None:
    error = Truncated("program header", 64, 56, 100)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.offset, str(copy)) == (Truncated, 64, str(error))


def test_a_range_outside_the_buffer_names_structure_and_offset() -> None:
    with pytest.raises(Truncated) as caught:
        take(b"abc", 1, 3, "note header")
    assert caught.value.what == "note header is cut short"
    assert "offset 0x1" in caught.value.why


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1), (4, 0)])
def test_negative_and_far_ranges_are_refused(offset: int, length: int) -> None:
    with pytest.raises(Truncated):
        take(b"abc", offset, length, "x")


def test_a_leaf_without_why_reads_as_its_what() -> None:
    class Odd(BadInput):
        name: str

        @property
        def what(self) -> str:
            return f"{self.name} is odd"

    assert str(Odd("n")) == "n is odd"
    assert Odd("n").remedy == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"plain", "plain"),
        (b"a\xffb", "a\\xffb"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        ("tab\t", "tab\\t"),
        (b"\xc3\xa4", "ä"),
    ],
)
def test_names_from_outside_cannot_drive_the_terminal(name: bytes | str, shown: str) -> None:
    assert display(name) == shown


def leaves(root: type[DenizenError] = DenizenError) -> Iterator[type[DenizenError]]:
    for leaf in root.__subclasses__():
        yield leaf
        yield from leaves(leaf)


def test_every_template_names_fields_that_its_error_has() -> None:
    for module in pkgutil.walk_packages(denizen.__path__, "denizen."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [leaf for leaf in leaves() if leaf.__module__.startswith("denizen.")]
    assert len(found) > 100
    for leaf in found:
        for template in (leaf.WHAT, leaf.WHY, leaf.REMEDY):
            names = {name for _, name, _, _ in string.Formatter().parse(template) if name}
            fields = {*getattr(leaf, "__match_args__", ()), *vars(leaf)}
            assert names <= fields, f"{leaf.__module__}.{leaf.__name__}: {template}"


def test_fields_in_templates_are_displayed_and_sentences_of_ours_are_not() -> None:
    class Odd(BadInput):
        name: bytes
        size: int
        reason: str
        WHAT = "{name} has {size:#x} bytes"
        WHY = "{reason:text}"

    error = Odd(b"a\x1b[31m", 16, "one line\nand another")
    assert (error.what, error.why, error.remedy) == ("a\\x1b[31m has 0x10 bytes", "one line\nand another", "")


HOSTILE = ["x; touch pwned", "$(touch pwned)", "a'b", "~", "", "a\nb", "\x1b[31m\\", "\udcff;é'", "ü", "*"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_word_of_a_remedy_is_that_word_to_a_shell(name: str) -> None:
    word = shell_word(os.fsencode(name))
    assert word.isprintable()
    assert word == shell_word(name)
    said = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert said.stdout == os.fsencode(name)


def test_no_remedy_has_a_field_as_more_than_a_word() -> None:
    """A remedy is pasted into a shell, often root's; file names, packages and addresses are anybody's."""
    for module in pkgutil.walk_packages(denizen.__path__, "denizen."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    seen = 0
    for leaf in leaves():
        fields = [
            name for _, name, form, _ in string.Formatter().parse(leaf.REMEDY) if name and form != "text"
        ]
        if not fields or not leaf.__module__.startswith("denizen."):
            continue
        error = leaf.__new__(leaf)
        error.__dict__.update(dict.fromkeys(getattr(leaf, "__match_args__", ()), "x; touch pwned"))
        assert error.remedy.count("'x; touch pwned'") == len(fields), f"{leaf.__name__}: {error.remedy}"
        assert error.remedy.count("touch") == len(fields)
        seen += 1
    assert seen > 8


def test_the_loader_ends_with_the_same_statuses() -> None:
    text = (Path(__file__).parents[1] / "loader" / "sys.h").read_text()
    theirs = {name: int(number) for name, number in re.findall(r"\b(EXIT_\w+) = (\d+)", text)}
    assert set(theirs) == {"EXIT_FAILED", "EXIT_CANNOT_START", "EXIT_NOT_FOUND"}
    assert theirs == {name: getattr(errors, name) for name in theirs}
