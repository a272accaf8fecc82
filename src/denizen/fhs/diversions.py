"""dpkg's diversions: files of packages that get other paths, as one package's scripts order (pure).

A package that brings a file of another one in a variant of its own has its preinst say

    dpkg-divert [--package NAME] [--add] [--rename] [--divert PATH] PATH

(dpkg-divert(1)). The script is read and never run; a command counts whose words `maintainer_script` knows.
"""

from __future__ import annotations

from denizen.fhs.maintainer_script import commands_of
from denizen.fhs.tree_model import Model
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.formats.storepath import StorePath

_COMMAND = b"dpkg-divert"
# Without one of these a dpkg-divert adds a diversion.
_OTHER_ACTIONS = frozenset({b"--remove", b"--list", b"--listpackage", b"--truename"})
# The directories of packages that a tree has.
TOPS = (b"usr", b"etc", b"opt")


class Diversion(Value):
    """A path whose file goes to another one where it is not the diverting package's own.

    Attributes:
        package: the name of the package whose file stays; b"" if all packages' files are diverted.
        path: the path that they want, absolute.
        to: the path that they get.
    """

    package: bytes
    path: bytes
    to: bytes


class DivertedPaths:
    """The paths in a tree that files of packages get instead of their own."""

    def __init__(self, rows: Sequence[tuple[bytes, bytes, StorePath | None]]) -> None:
        """Take rows of (path, path instead, a package whose file stays or None); a path's first counts."""
        self._to: dict[bytes, bytes] = {}
        self._stays: set[tuple[bytes, StorePath]] = set()
        for path, to, package in rows:
            place, instead = Model.leads_to(b"", path), Model.leads_to(b"", to)
            if not place or not instead or instead.partition(b"/")[0] not in TOPS:
                continue
            self._to.setdefault(place, instead)
            if package is not None:
                self._stays.add((place, package))

    def place_of(self, path: bytes, package: StorePath) -> bytes:
        """Return the path in the tree of a package's file at `path`."""
        return path if (path, package) in self._stays else self._to.get(path, path)


def diversions_in(script: bytes, package: bytes) -> Iterator[Diversion]:
    """Yield the diversions that a script of `package` adds by commands whose words its text tells."""
    for words in commands_of(script, _COMMAND):
        found = _diversion(words[1:], package)
        if found is not None:
            yield found


def _diversion(words: Sequence[bytes], package: bytes) -> Diversion | None:
    """Return what a dpkg-divert with these arguments adds; None where it adds nothing."""
    options, paths = _divert_options(words)
    if len(paths) != 1 or options.keys() & _OTHER_ACTIONS:
        return None
    path, to = paths[0], options.get(b"--divert", paths[0] + b".distrib")
    if path == to or not all(map(_is_plain, (path, to))):
        return None
    return Diversion(b"" if b"--local" in options else options.get(b"--package", package), path, to)


def _divert_options(words: Sequence[bytes]) -> tuple[dict[bytes, bytes], list[bytes]]:
    """Return the options of a dpkg-divert with their values, and its other arguments."""
    options: dict[bytes, bytes] = {}
    rest = list(reversed(words))
    others: list[bytes] = []
    while rest:
        name, equals, text = rest.pop().partition(b"=")
        if not name.startswith(b"--"):
            others.append(name + equals + text)
        elif name in (b"--package", b"--divert") and not equals:
            options[name] = rest.pop() if rest else b""
        else:
            options[name] = text
    return options, others


def _is_plain(path: bytes) -> bool:
    """Tell whether a path is absolute, leads nowhere else, and can stand in a derivation's table."""
    parts = path.split(b"/")
    known = b"\t" not in path and b"\n" not in path
    return known and parts[0] == b"" and len(parts) > 1 and not {b"", b".", b".."} & set(parts[1:])
