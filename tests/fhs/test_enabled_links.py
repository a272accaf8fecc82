"""Links that enable files, by the rules of triggers.toml."""

import pytest

from denizen.fhs.enabled_links import enabled_links
from denizen.fhs.tree_model import Model, NodeKind
from denizen.fhs.trigger_rules import Enable, read_rules
from tests.fhs.test_trigger_rules import TEXT

(PHP,) = read_rules(TEXT).enabled
FILE = b"etc/php/8.2/mods-available/xml.ini"


def _links(rule: Enable, text: bytes, *others: bytes) -> list[tuple[bytes, bytes]]:
    model = Model()
    for path in (FILE, *others):
        model.add(path, NodeKind.FILE, 0)
    return list(enabled_links(model, lambda path: text if path == FILE else b"", rule))


@pytest.mark.parametrize(
    ("text", "priority"),
    [
        (b"; about xml\n; priority=15\nextension=xml.so\n", b"15"),
        (b";  priority = 15  \n", b"15"),
        (b"; priority=high\n", b"20"),
        (b"extension=xml.so ; priority=15\n", b"20"),
        (b"", b"20"),
    ],
)
def test_a_links_name_begins_with_the_priority_that_the_file_states(text: bytes, priority: bytes) -> None:
    link = b"etc/php/8.2/cli/conf.d/" + priority + b"-xml.ini"
    assert _links(PHP, text, b"usr/lib/php/8.2/sapi/cli") == [(link, b"/" + FILE)]


def test_there_is_a_link_for_each_kind_of_program_of_that_version() -> None:
    kinds = (b"usr/lib/php/8.2/sapi/cli", b"usr/lib/php/8.2/sapi/fpm", b"usr/lib/php/8.4/sapi/cli")
    found = [link for link, _ in _links(PHP, b"", *kinds)]
    assert found == [b"etc/php/8.2/cli/conf.d/20-xml.ini", b"etc/php/8.2/fpm/conf.d/20-xml.ini"]
