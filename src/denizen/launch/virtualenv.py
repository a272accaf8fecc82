"""Trees of modules that a Python opens: of its own, and of the virtual environment it is started in.

A virtual environment's python is a link to a Python elsewhere, the same file for all environments made with
it; pyvenv.cfg one directory above the link makes the difference (PEP 405). Packages bring compiled modules
that need libraries nobody has. On the path of every `denizen run`: one stat more, a few for a Python.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES = (b"python", b"pypy")
# What the system's own Python opens is the system's to provide.
_SYSTEM = frozenset((b"/", b"/usr", b"/usr/local"))


def tree_of(program: bytes) -> bytes:
    """The virtual environment that a program's path lies in, or a Python's own prefix; b"" for neither."""
    tree = _above(os.path.abspath(program))
    if os.path.exists(tree + b"/pyvenv.cfg"):
        return tree
    real = os.path.realpath(program)
    prefix = _above(real) if is_python(real) else b"/"
    return prefix if prefix not in _SYSTEM and site_packages(os.fsdecode(prefix)) else b""


def is_python(program: bytes) -> bool:
    """Whether a file is called as Pythons are."""
    return os.path.basename(program).startswith(_NAMES)


def newest(trees: Iterable[str]) -> int:
    """When packages were last installed or removed, in nanoseconds since 1970; 0 for nothing there."""
    return max((os.stat(place).st_mtime_ns for tree in trees for place in site_packages(tree)), default=0)


def site_packages(tree: str) -> list[str]:
    """Where a tree has its packages; lib64 is for those that are not pure, where the two differ."""
    found: dict[tuple[int, int], str] = {}
    for lib in ("lib", "lib64"):
        top = os.path.join(tree, lib)
        try:
            names = sorted(name for name in os.listdir(top) if name.startswith("python"))
        except OSError:
            continue
        for name in names:
            place = os.path.join(top, name, "site-packages")
            if os.path.isdir(place):
                facts = os.stat(place)
                found.setdefault((facts.st_dev, facts.st_ino), place)
    return list(found.values())


def _above(program: bytes) -> bytes:
    return os.path.dirname(os.path.dirname(program))
