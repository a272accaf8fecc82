"""Lookup in the indexes: the packages that have a soname, a command or a path, the best first.

The order of answers is the table `ORDER`, applied from the top. It follows a Debian developer's judgement:
first the package whose library the loader finds, in the base suite if that has one, then the package on which
most others depend rather than a copy.
"""

from __future__ import annotations

import os

from denizen.index.index_manifest import read_manifest
from denizen.index.library_index import LibraryIndex
from denizen.index.library_paths import DirectoryKind
from denizen.index.provider import PathProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from denizen.index.index_manifest import IndexEntry
    from denizen.index.path_index import PathIndex
    from denizen.index.provider import Provider, Recommendation

# Policy 2.5, most important first.
_PRIORITIES = (b"required", b"important", b"standard", b"optional", b"extra")
# Archive sections of libraries' own packages; copies of a library are in other sections.
_SECTIONS = (b"libs", b"oldlibs", b"libdevel")
# The loader searches the first class; the others are last resorts, in this order.
_CLASSES = {
    DirectoryKind.DEFAULT: 0,
    DirectoryKind.ALTERNATIVE: 0,
    DirectoryKind.LDCONFIG: 1,
    DirectoryKind.MULTILIB: 2,
    DirectoryKind.HWCAPS: 3,
    DirectoryKind.PRIVATE: 4,
    DirectoryKind.CROSS: 5,
    DirectoryKind.DEBUG: 6,
}
# (what, smaller is better). `rank` is the suite's place in the order of preference.
ORDER: tuple[tuple[str, Callable[[Provider, int], int]], ...] = (
    ("found by the loader without further ado", lambda p, _: _CLASSES[p.kind]),
    ("the preferred suite", lambda _, rank: rank),
    ("the default directory before an alternative", lambda p, _: p.kind),
    # More telling than the name: libjack0 has 3 dependents, libjack-jackd2-0 165.
    ("what many times more packages depend on", lambda p, _: -(p.dependents.bit_length() // 3)),
    ("named after the soname, as Policy 8.1 has it", lambda p, _: -affinity(p.soname, p.package)),
    ("what most packages depend on", lambda p, _: -p.dependents),
    ("a library's own section", lambda p, _: _place(p.section.rpartition(b"/")[2], _SECTIONS)),
    ("priority", lambda p, _: _place(p.priority, _PRIORITIES)),
    ("less to install", lambda p, _: p.installed_size),
)
BIN_DIRECTORIES = (b"usr/bin", b"bin", b"usr/sbin", b"sbin", b"usr/games", b"usr/local/bin")


class Index:
    """The indexes in a directory, opened as they are needed; a context that closes them."""

    def __init__(
        self,
        directory: bytes,
        architecture: str,
        suites: Sequence[str] = (),
        entries: Sequence[IndexEntry] | None = None,
    ) -> None:
        """Open the indexes for an architecture, of the named suites or of all, in order of preference."""
        known = read_manifest(directory) if entries is None else entries
        self._directory = directory
        self.entries = tuple(
            [
                entry
                for entry in known
                if entry.architecture == architecture
                and (not suites or any(entry.is_called(suite) for suite in suites))
            ]
        )
        self._libraries: dict[str, LibraryIndex] = {}
        self._ranked: dict[bytes, tuple[Provider, ...]] = {}
        self._paths: dict[str, PathIndex] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def snapshots(self) -> dict[str, str]:
        """Return the identity of the archive's state that each suite was indexed in."""
        return {entry.suite: entry.identity for entry in self.entries}

    def close(self) -> None:
        """Close all files."""
        for libraries in self._libraries.values():
            libraries.close()
        for paths in self._paths.values():
            paths.close()

    def place_of(self, entry: IndexEntry) -> bytes:
        """Return the path of the library index's file."""
        return self._place_of(entry.libraries)

    def providers(self, soname: bytes) -> list[Provider]:
        """Return the providers of a soname, the best first. Raises DamagedIndex."""
        if soname not in self._ranked:
            self._ranked[soname] = self._rank(soname)
        return list(self._ranked[soname])

    def _rank(self, soname: bytes) -> tuple[Provider, ...]:
        ranked = [
            (provider, rank)
            for rank, entry in enumerate(self.entries)
            for provider in self.libraries_of(entry).providers(soname)
        ]
        ranked.sort(key=lambda pair: tuple([rule(*pair) for _, rule in ORDER]))
        return tuple([provider for provider, _ in ranked])

    def knows(self, soname: bytes) -> bool:
        """Tell whether a soname has a provider; takes 15 us a suite, much less than `providers`."""
        return any(self.libraries_of(entry).knows(soname) for entry in self.entries)

    def starting(self, prefix: bytes) -> list[bytes]:
        """Return the sonames that begin with `prefix`, the preferred suite's first, without repetition."""
        found = (name for entry in self.entries for name in self.libraries_of(entry).starting(prefix))
        return list(dict.fromkeys(found))

    def packages(self, name: bytes) -> list[Provider]:
        """Return the packages of a name, the preferred suite first, and in it the newest version first."""
        return [
            package for entry in self.entries for package in reversed(self.libraries_of(entry).package(name))
        ]

    def recommended(self, package: Provider) -> tuple[Recommendation, ...]:
        """Return the packages of the same source and suite that a package recommends."""
        for entry in self.entries:
            if (entry.source, entry.suite) == (package.source, package.suite):
                return self.libraries_of(entry).recommended(package.package)
        return ()

    def essential(self) -> list[bytes]:
        """Return the names of the preferred suite's essential packages, on which no package need depend."""
        return list(dict.fromkeys(self.libraries_of(self.entries[0]).essential())) if self.entries else []

    def providing(self, name: bytes) -> list[Provider]:
        """Return the packages whose Provides has a name, the preferred suite first."""
        return [one for entry in self.entries for one in self.libraries_of(entry).providing(name)]

    def near_packages(self, name: bytes) -> list[bytes]:
        """Return names of packages that resemble an unknown name."""
        from denizen.index.near_names import packages_like

        return packages_like(
            name, {known for entry in self.entries for known in self.libraries_of(entry).versions()}
        )

    def near(self, soname: bytes) -> list[bytes]:
        """Return known sonames that resemble an unknown one."""
        from denizen.index.near_names import alike_from, sonames_like

        start = alike_from(soname)
        names = {name for entry in self.entries for name in self.libraries_of(entry).starting(start)}
        return sonames_like(soname, names)

    def commands(self, name: bytes) -> list[PathProvider]:
        """Return the packages that have a program of that name in a directory of PATH."""
        return self._places(lambda paths: paths.named(name, BIN_DIRECTORIES))

    def near_commands(self, name: bytes) -> list[PathProvider]:
        """Return commands whose names are one edit away from an unknown one, with a package of each.

        Those of packages on which most others depend come first: for a short name there are many.
        """
        from denizen.index.near_names import MOST, one_edit_pattern

        near = self._places(lambda paths: paths.like(one_edit_pattern(name), BIN_DIRECTORIES))
        ordered = sorted(
            near, key=lambda one: -max((p.dependents for p in self.packages(one.package)), default=0)
        )
        return list({os.path.basename(one.path): one for one in reversed(ordered)}.values())[::-1][:MOST]

    def files(self, name: bytes) -> list[PathProvider]:
        """Return the packages that have a file of that name anywhere."""
        return self._places(lambda paths: paths.matching(name))

    def paths(self, question: bytes, *, glob: bool) -> list[PathProvider]:
        """Return the packages that have a path, or paths that match a glob.

        /lib and /usr/lib count as the same directory.
        """
        asked = [question, *twin(question)]
        if glob:
            return self._places(lambda paths: (hit for one in asked for hit in paths.matching(one)))
        return self._places(lambda paths: (hit for one in asked for hit in paths.exact(one)))

    def _places(
        self, ask: Callable[[PathIndex], Iterator[tuple[bytes, bytes]] | list[tuple[bytes, bytes]]]
    ) -> list[PathProvider]:
        found = []
        for entry in self.entries:
            if not entry.paths:
                continue
            versions: dict[bytes, tuple[int, bytes]] = {}
            places = [
                (path, package, self._standing(entry, package, versions))
                for path, package in set(ask(self._path_index(entry)))
            ]
            places.sort(key=lambda place: (place[0], -place[2][0], place[1]))
            found += [
                PathProvider(path, package, version, entry.source, entry.suite, entry.architecture)
                for path, package, (_, version) in places
            ]
        return found

    def _standing(
        self, entry: IndexEntry, package: bytes, known: dict[bytes, tuple[int, bytes]]
    ) -> tuple[int, bytes]:
        """Return the number of packages that depend on a package, and its version."""
        if package not in known:
            about = self.libraries_of(entry).package(package)
            known[package] = (about[-1].dependents, about[-1].version) if about else (0, b"")
        return known[package]

    def libraries_of(self, entry: IndexEntry) -> LibraryIndex:
        """Return the library index of one of the entries."""
        if entry.libraries not in self._libraries:
            self._libraries[entry.libraries] = LibraryIndex(self._place_of(entry.libraries))
        return self._libraries[entry.libraries]

    def _path_index(self, entry: IndexEntry) -> PathIndex:
        # Imported here: the lookup of a soname should not import regular expressions.
        from denizen.index.path_index import PathIndex

        if entry.paths not in self._paths:
            self._paths[entry.paths] = PathIndex(self._place_of(entry.paths))
        return self._paths[entry.paths]

    def _place_of(self, name: str) -> bytes:
        return os.path.join(self._directory, name.encode())


def affinity(soname: bytes, package: bytes) -> int:
    """Return how closely a package is named after a soname, from 2 to 0.

    2 is a name as Policy 8.1 requires, 1 one that begins with the stem. libssl.so.3 is in libssl3;
    libtiff.so.6 in libtiff6; libfoo-1.0.so.2 in libfoo-1.0-2. The 64-bit time_t transition of 2024 added
    "t64", earlier ones "v5", "c2a", "g".
    """
    stem, _, version = soname.lower().replace(b"_", b"-").partition(b".so")
    version = version.strip(b".")
    bare = package.removesuffix(b"t64").removesuffix(b"v5")
    dash = b"-" if stem[-1:].isdigit() and version else b""
    if bare in (stem + dash + version, stem + b"-" + version, stem.replace(b"+", b"") + version):
        return 2
    return 1 if bare.startswith(stem) else 0


def twin(path: bytes) -> tuple[bytes, ...]:
    """Return the other name of a path on a system where /bin, /sbin and /lib* are links into /usr.

    Return () for none.
    """
    from denizen.fileview import USR_MERGED  # 0.1 ms that a search for a library does not pay

    top, _, rest = path.removeprefix(b"/").partition(b"/")
    if not path.startswith(b"/"):
        return ()
    if top in USR_MERGED:
        return (b"/usr" + path,)
    return (b"/" + rest,) if top == b"usr" and rest.partition(b"/")[0] in USR_MERGED else ()


def _place(value: bytes, order: tuple[bytes, ...]) -> int:
    return order.index(value) if value in order else len(order)
