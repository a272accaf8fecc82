"""Paths of packages that count as shared libraries, and the ranks of their directories (pure).

`is_library_name` decides which lines of a Contents list an index keeps (index_builder.py applies it),
`kind_of` how its directory ranks. sources/debian_archive.py passes on only lines that hold `.so`, for speed
alone.
"""

from __future__ import annotations

from denizen.machines import TRIPLETS, triplet_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class DirectoryKind(int):
    """The way in which the loader finds a file in its directory; smaller numbers are preferred.

    The kinds are numbers with names; `KINDS` has all. An Enum is not used because its import is 5 of the 11
    ms that the lookup of a soname adds to an empty Python.
    """

    name: str
    # On the default search path.
    DEFAULT: ClassVar[DirectoryKind]
    # Elsewhere, with a link on the default path that a maintainer script makes.
    ALTERNATIVE: ClassVar[DirectoryKind]
    # On the default path, under a soname only ldconfig's link gives it.
    LDCONFIG: ClassVar[DirectoryKind]
    # A variant for newer processors.
    HWCAPS: ClassVar[DirectoryKind]
    # For another word size of the same processor (/usr/lib32).
    MULTILIB: ClassVar[DirectoryKind]
    # A program's or plugin's own directory.
    PRIVATE: ClassVar[DirectoryKind]
    # Part of a cross toolchain: for another machine.
    CROSS: ClassVar[DirectoryKind]
    # Detached debugging symbols.
    DEBUG: ClassVar[DirectoryKind]

    @property
    def is_searched(self) -> bool:
        """Tell whether a library in such a directory is found by its soname alone, without RUNPATH."""
        return self <= DirectoryKind.LDCONFIG

    def __repr__(self) -> str:
        return f"DirectoryKind.{self.name}"


def _all_kinds() -> tuple[DirectoryKind, ...]:
    """Return all kinds in order, after making each an attribute of the class."""
    names = ("DEFAULT", "ALTERNATIVE", "LDCONFIG", "HWCAPS", "MULTILIB", "PRIVATE", "CROSS", "DEBUG")
    made = []
    for number, name in enumerate(names):
        kind = DirectoryKind(number)
        kind.name = name
        setattr(DirectoryKind, name, kind)
        made.append(kind)
    return tuple(made)


KINDS = _all_kinds()
_MULTILIB = (b"lib32", b"libx32", b"libo32", b"libn32")


def kind_of(directory: bytes, architecture: str) -> DirectoryKind:
    """Return the kind of a directory for packages of an architecture; the path has no slashes around it."""
    triplet = triplet_of(architecture)
    inner = directory.removeprefix(b"usr/")
    if inner in (b"lib", b"lib64", b"lib/" + triplet):
        return DirectoryKind.DEFAULT
    first, _, rest = inner.partition(b"/")
    if first in _MULTILIB and not rest:
        return DirectoryKind.MULTILIB
    if inner.startswith(b"lib/debug/") or inner == b"lib/debug":
        return DirectoryKind.DEBUG
    if first.endswith((b"-linux-gnu", b"-mingw32", b"-linux-musl")) or b"-linux-gnu" in first:
        return DirectoryKind.CROSS
    if b"/glibc-hwcaps/" in b"/" + inner + b"/":
        return DirectoryKind.HWCAPS
    other = rest.partition(b"/")[0]
    if first == b"lib" and other != triplet and other in TRIPLETS:
        return DirectoryKind.CROSS
    return DirectoryKind.PRIVATE


# Directories below /usr/lib/TRIPLET of modules that interpreters find for themselves.
_LANGUAGES = (b"perl", b"python", b"lua", b"ruby", b"ocaml", b"guile", b"php", b"gauche", b"haskell")


def is_plugin_place(path: bytes) -> bool:
    """Tell whether a library (no slash before its path) is in a directory of some library's plugins.

    Such are /usr/lib/TRIPLET/NAME and what is below; a resolution shows these directories.
    """
    lib, triplet, name, rest = (*path.removeprefix(b"usr/").split(b"/", 3), b"", b"", b"")[:4]
    return lib == b"lib" and triplet in TRIPLETS and bool(rest) and not name.startswith(_LANGUAGES)


def is_library_name(name: bytes) -> bool:
    """Tell whether a file name can be asked for as a soname: `X.so`, or `X.so.` and a version.

    The first and the last part of a version have digits (libcmark-gfm.so.0.29.0.gfm.13). This excludes
    `libx.so.1.hmac`, `x.so.gz` and `libx.so.conf`.
    """
    stem, dot, version = name.partition(b".so.")
    if not dot:
        return name.endswith(b".so") and len(name) > len(b".so")
    parts = version.split(b".")
    ends = all(any(48 <= code <= 57 for code in part) for part in (parts[0], parts[-1]))
    return bool(stem) and all(parts) and ends
