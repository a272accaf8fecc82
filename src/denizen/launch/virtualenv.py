"""Virtual environments: whose modules a Python opens is told by the path it is started by.

A virtual environment's python is a link to a Python elsewhere, the same file for all environments made with
it; pyvenv.cfg one directory above the link makes the difference (PEP 405). Its packages bring compiled
modules that need libraries nobody has. On the path of every `denizen run`: one stat more.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMES = (b"python", b"pypy")


def tree_of(program: bytes) -> bytes:
    """The virtual environment a program's path lies in; b"" for none."""
    tree = os.path.dirname(os.path.dirname(os.path.abspath(program)))
    return tree if os.path.exists(tree + b"/pyvenv.cfg") else b""


def is_python(program: bytes) -> bool:
    """Whether a file is called as Pythons are."""
    return os.path.basename(program).startswith(_NAMES)


def newest(trees: Iterable[str]) -> int:
    """When packages were last installed or removed, in nanoseconds since 1970; 0 for nothing there."""
    times = [0]
    for tree in trees:
        for lib in ("lib", "lib64"):
            times += _times(os.path.join(tree, lib))
    return max(times)


def _times(lib: str) -> list[int]:
    try:
        names = os.listdir(lib)
    except OSError:
        return []
    places = [os.path.join(lib, name, "site-packages") for name in names]
    return [os.stat(place).st_mtime_ns for place in places if os.path.isdir(place)]
