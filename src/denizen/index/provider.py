"""Values that lookups in the index return: providers of sonames and paths, recommendations (pure)."""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.index.library_paths import DirectoryKind


# Sections of the archive whose packages compile, or are compiled with.
_DEVELOPMENT = (b"devel", b"libdevel")


def is_for_development(section: bytes) -> bool:
    """Tell whether packages of a section (contrib/devel) compile programs, or are compiled with."""
    return section.rpartition(b"/")[2] in _DEVELOPMENT


class Provider(Value):
    """A package's file that can satisfy a soname.

    Attributes:
        soname: the soname that was asked for.
        kind: the way in which the loader finds it.
        path: the file in the package, absolute.
        link: the path at which the loader finds it if a script or ldconfig makes a link there; else b"".
        source, suite, architecture: of the index that has it. A package for all architectures has the index's
            here and "all" in `package_architecture`.
        filename, size, sha256: the .deb; size in bytes, hash in hex.
        installed_size: in KiB.
        dependents: the number of packages of the suite that name the package in Depends or Pre-Depends.
    """

    soname: bytes
    kind: DirectoryKind
    path: bytes
    link: bytes
    source: str
    suite: str
    architecture: str
    package: bytes
    version: bytes
    package_architecture: bytes
    filename: bytes
    size: int
    sha256: bytes
    source_package: bytes
    section: bytes
    priority: bytes
    essential: bool
    multi_arch: bytes
    installed_size: int
    dependents: int
    pre_depends: bytes
    depends: bytes
    provides: bytes


class Recommendation(Value):
    """A package that another one recommends, for itself and not for people; `has_plugins`: it holds plugins.

    It is of the same source, or both are for development (`_recommended_lines` of index/library_index.py).
    """

    package: bytes
    has_plugins: bool


class PathProvider(Value):
    """A path of the archive and a package that has it."""

    path: bytes
    package: bytes
    version: bytes
    source: str
    suite: str
    architecture: str
