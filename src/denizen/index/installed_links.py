"""Sonames that are not in Contents though a loader finds them on an installed system (pure).

Contents lists what packages ship. Four things change that on an installed system:

alternatives   `libblas.so.3` on the search path is a link that a maintainer script makes to a file in a
               private directory. Packages that do so Provide a virtual package named after the soname;
               those that do not are in `ALTERNATIVES`, each with the script it was read from.
ldconfig       makes the link from a library's soname to its file where the package ships none. The soname
               stands in the file; from outside, every shorter version of its name may be it.
diversions     a path with two owners is one package's file moved aside on an installed system. Unpacked
               alone, both have it: both are providers, and rank by their standing.
usr-merge      /lib/X and /usr/lib/X are one directory; see `twin` in `locate`.
"""

from __future__ import annotations

from denizen.formats.packages import relation_names
from denizen.index.library_paths import DirectoryKind
from denizen.machines import triplet_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# soname: the last part of the directories whose files the alternative may point to. All have a postinst
# with `update-alternatives --install /usr/lib/<triplet>/<soname> ... /usr/lib/<triplet>/<part>/<soname>`
# and Provide no package of that name.
ALTERNATIVES: Mapping[bytes, tuple[bytes, ...]] = {
    # libopenblas0-{pthread,openmp,serial}.postinst, libopenblas64-0-*.postinst
    b"libopenblas.so.0": (b"openblas-pthread", b"openblas-openmp", b"openblas-serial"),
    b"libopenblas64.so.0": (b"openblas64-pthread", b"openblas64-openmp", b"openblas64-serial"),
    # libblis4-{pthread,openmp,serial}.postinst, libblis64-4-*.postinst
    b"libblis.so.4": (b"blis-pthread", b"blis-openmp", b"blis-serial"),
    b"libblis.so.3": (b"blis-pthread", b"blis-openmp", b"blis-serial"),
    b"libblis64.so.4": (b"blis64-pthread", b"blis64-openmp", b"blis64-serial"),
    b"libblis64.so.3": (b"blis64-pthread", b"blis64-openmp", b"blis64-serial"),
    # libatlas3-base.postinst
    b"libatlas.so.3": (b"atlas",),
}


class FoundLibrary(Value):
    """One file that can satisfy a soname, before its package is looked up.

    Attributes:
        soname: its name.
        kind: the kind of its directory.
        package: the package that ships it.
        path: without a leading slash, as Contents has it.
        link: the path at which a loader finds it if not at `path`; without a leading slash.
    """

    soname: bytes
    kind: DirectoryKind
    package: bytes
    path: bytes
    link: bytes = b""


def with_alternatives(
    found: Iterable[FoundLibrary], provides: Callable[[bytes], bytes], architecture: str
) -> Iterator[FoundLibrary]:
    """Yield the entries; those in private directories become alternatives if maintainer scripts link to them.

    Args:
        found: the entries from Contents.
        provides: returns the Provides field of a package.
        architecture: the architecture on whose search path the links are.
    """
    link_directory = b"usr/lib/" + triplet_of(architecture)
    for entry in found:
        if entry.kind is DirectoryKind.PRIVATE and (
            _is_listed(entry) or entry.soname in relation_names(provides(entry.package))
        ):
            link = link_directory.rstrip(b"/") + b"/" + entry.soname
            yield FoundLibrary(entry.soname, DirectoryKind.ALTERNATIVE, entry.package, entry.path, link)
        else:
            yield entry


def _is_listed(entry: FoundLibrary) -> bool:
    parent = entry.path.split(b"/")[-2:-1]
    return bool(parent) and parent[0] in ALTERNATIVES.get(entry.soname, ())


def ldconfig_links(found: Iterable[FoundLibrary]) -> Iterator[FoundLibrary]:
    """Yield entries for the sonames that ldconfig links to files that are shipped without such a link.

    `libx.so.1.2.3` may have the soname `libx.so.1.2` or `libx.so.1`; each that no package has on the search
    path gets an entry. Only the file itself tells which is right: `kind` marks the entry as a guess.
    """
    searched = [entry for entry in found if entry.kind is DirectoryKind.DEFAULT]
    known = {entry.soname for entry in searched}
    for entry in searched:
        stem, _, version = entry.soname.partition(b".so.")
        parts = version.split(b".") if version else []
        for count in range(1, len(parts)):
            soname = stem + b".so." + b".".join(parts[:count])
            if soname not in known:
                link = entry.path.rpartition(b"/")[0] + b"/" + soname
                yield FoundLibrary(soname, DirectoryKind.LDCONFIG, entry.package, entry.path, link)
