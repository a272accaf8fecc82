"""Links by which a package's files are enabled, as a command of the distribution makes them (pure).

phpenmod(8) links /etc/php/VERSION/mods-available/NAME.ini from the conf.d of each kind of PHP that is there,
under a name that begins with the priority that a line of the file states. `[[enable]]` of triggers.toml has
the paths.
"""

from __future__ import annotations

import posixpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.fhs.tree_model import Model
    from denizen.fhs.trigger_rules import Enable


def enabled_links(
    model: Model, content: Callable[[bytes], bytes], rule: Enable
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (link, the absolute path of its target) for each file that a rule enables.

    `content` returns that of a file of the tree.
    """
    pattern = rule.of.encode()
    star = pattern.split(b"/").index(b"*")
    for path in model.matching(pattern):
        chosen = path.split(b"/")[star]
        kinds = model.matching(rule.each.encode().replace(b"{*}", chosen))
        name = b"%b-%b" % (_priority(content(path), rule), posixpath.basename(path))
        for kind in kinds:
            into = rule.into.encode().replace(b"{*}", chosen)
            yield posixpath.join(into.replace(b"{each}", posixpath.basename(kind)), name), b"/" + path


def _priority(text: bytes, rule: Enable) -> bytes:
    """Return the number behind the rule's words at the beginning of a line, blanks aside."""
    words = rule.priority.encode().split()
    for line in text.split(b"\n"):
        found = line.replace(b"=", b" = ").split()
        if found[: len(words)] == words and len(found) == len(words) + 1 and found[-1].isdigit():
            return found[-1]
    return rule.otherwise.encode()
