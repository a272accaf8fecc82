"""Alternatives of packages (update-alternatives): read from a postinst, and the one that a name gets (pure).

Maintainer scripts are read and never run. Of a postinst the commands

    update-alternatives --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...

are understood whose words `maintainer_script` knows; alternatives that need a shell to be known are declared
in `triggers.toml`.
"""

from __future__ import annotations

from denizen.fhs.maintainer_script import commands_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMAND = b"update-alternatives"
# Options that may stand ahead of --install, and change nothing of it.
_ANYWHERE = (b"--quiet", b"--force", b"--verbose")


class Alternative(Value):
    """A link that may lead to files of several packages.

    Attributes:
        link: path of the link, absolute.
        name: its name in /etc/alternatives.
        path: its target.
        priority: the highest one wins.
        slaves: (link, name, path) of the links that follow it.
    """

    link: bytes
    name: bytes
    path: bytes
    priority: int
    slaves: tuple[tuple[bytes, bytes, bytes], ...] = ()


def alternatives_in(postinst: bytes) -> Iterator[Alternative]:
    """Yield the alternatives that a postinst installs by commands whose words are known from its text."""
    for words in commands_of(postinst, _COMMAND):
        found = _alternative([word for word in words if word not in _ANYWHERE])
        if found is not None:
            yield found


def _alternative(words: list[bytes]) -> Alternative | None:
    if len(words) < 6 or words[1] != b"--install" or not words[5].removeprefix(b"-").isdigit():
        return None
    slaves: list[tuple[bytes, bytes, bytes]] = []
    for at in range(6, len(words) - 3, 4):
        if words[at] != b"--slave":
            break
        slaves.append((words[at + 1], words[at + 2], words[at + 3]))
    paths = [words[2], words[4], *(place for one in slaves for place in (one[0], one[2]))]
    if not all(path.startswith(b"/") and b".." not in path.split(b"/") for path in paths):
        return None
    if any(b"/" in name or name in (b"", b".", b"..") for name in (words[3], *(one[1] for one in slaves))):
        return None
    return Alternative(words[2], words[3], words[4], int(words[5][:9]), tuple(slaves))


def winners(alternatives: Sequence[Alternative]) -> dict[bytes, Alternative]:
    """Return the alternative of each name: the one of highest priority, the first among equals."""
    best: dict[bytes, Alternative] = {}
    for one in alternatives:
        if one.name not in best or one.priority > best[one.name].priority:
            best[one.name] = one
    return best
