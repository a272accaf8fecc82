"""Directories of modules that a Python interpreter opens: its own, and those of its virtual environment.

A virtual environment's python is a link to an interpreter elsewhere, the same file for all environments made
with it; pyvenv.cfg one directory above the link makes the difference (PEP 405). Packages have compiled
modules that may need libraries which this host lacks. Every `denizen run` calls this module: it costs one
stat, a few for a Python.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Prefixes of the system's own Python, whose libraries the system provides.
_SYSTEM = frozenset((b"/", b"/usr", b"/usr/local"))


def tree_of(program: bytes) -> bytes:
    """Return the virtual environment of a program's path, or a Python's own prefix; b"" for neither."""
    tree = _above(os.path.abspath(program))
    if os.path.exists(tree + b"/pyvenv.cfg"):
        return tree
    prefix = _above(os.path.realpath(program))
    return prefix if prefix not in _SYSTEM and site_packages(os.fsdecode(prefix)) else b""


def is_python(program: bytes) -> bool:
    """Return whether a file is a Python, or a program that embeds one, by its symbols. Raises OSError."""
    from denizen import elf
    from denizen.disk_view import DiskView
    from denizen.errors import BadInput
    from denizen.resolve.dlopen_files import is_marked
    from denizen.resolve.rule_packs import load_rules

    marks = next(pack.marks for pack in load_rules().opens if pack.pack == "python")
    try:
        return is_marked(elf.read(DiskView().read(program)), marks)
    except BadInput:
        return False


def extension_modules(program: bytes, trees: Iterable[str]) -> list[str]:
    """Return the directories of the standard library's compiled modules, for the Python at `program`.

    `trees` tell which release it is: a prefix may hold several.
    """
    prefix = os.fsdecode(_above(os.path.realpath(program)))
    releases = dict.fromkeys(
        os.path.basename(os.path.dirname(place)) for tree in trees for place in site_packages(tree)
    )
    found = [os.path.join(prefix, "lib", release, "lib-dynload") for release in releases]
    return [place for place in found if os.path.isdir(place)]


def newest(trees: Iterable[str]) -> int:
    """Return when packages were last installed or removed, in nanoseconds since 1970; 0 if there are none."""
    return max((os.stat(place).st_mtime_ns for tree in trees for place in site_packages(tree)), default=0)


def site_packages(tree: str) -> list[str]:
    """Return the site-packages directories of a tree.

    Where lib64 differs from lib, it has the modules that are not pure Python.
    """
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
