"""The library index of one suite and architecture: built from a source, searched by soname.

Tables (tab separated, sorted):
    about     one line a fact: source, suite, architecture, identity, date
    packages  name, version, architecture, filename, size, sha256, source, section, priority, essential,
              multi-arch, installed size, dependents, pre-depends, depends, provides
    sonames   soname, kind, number of the package, path, link
    summaries the synopsis of each package, in the order of packages, unsorted
    recommended
              package, the packages of its own source that it recommends, those of them that hold plugins
"""

from __future__ import annotations

from denizen.index.index_file import DamagedIndex, IndexFile
from denizen.index.library_paths import KINDS, DirectoryKind, is_plugin_place
from denizen.index.provider import Provider, Recommendation, is_for_development

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from denizen.formats.packages import Package
    from denizen.index.index_file import Writer
    from denizen.index.installed_links import FoundLibrary
    from denizen.sources.base import Snapshot

_PACKAGE_COLUMNS = 16


class LibraryIndex:
    """A library index opened for reading."""

    def __init__(self, path: bytes) -> None:
        self._file = IndexFile(path)
        self._sonames = self._file.lines("sonames")
        self._packages = self._file.lines("packages")
        self._provided: dict[bytes, list[int]] | None = None
        about = dict([line.split(b"\t", 1) for line in self._file.lines("about")])
        self.source, self.suite, self.architecture = [
            about.get(key, b"").decode() for key in (b"source", b"suite", b"architecture")
        ]

    @property
    def path(self) -> bytes:
        """The path of the file."""
        return self._file.path

    def counts(self) -> tuple[int, int]:
        """Return the numbers of (soname, provider) pairs and of packages."""
        return len(self._sonames), len(self._packages)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def providers(self, soname: bytes) -> list[Provider]:
        """Return every file that can satisfy a soname, unranked. Raises DamagedIndex."""
        return [self._provider(line) for _, line in self._sonames.having(soname)]

    def knows(self, soname: bytes) -> bool:
        """Tell whether a soname has a provider; cheaper than `providers`."""
        return next(self._sonames.having(soname), None) is not None

    def sonames(self) -> Iterator[bytes]:
        """Yield every known soname in order, once for each provider."""
        return (line.partition(b"\t")[0] for line in self._sonames)

    def starting(self, prefix: bytes) -> Iterator[bytes]:
        """Yield the sonames that begin with `prefix` in order, once for each provider."""
        number = self._sonames.first_at_or_after(prefix)
        while number < len(self._sonames) and (line := self._sonames[number]).startswith(prefix):
            yield line.partition(b"\t")[0]
            number += 1

    def package(self, name: bytes) -> list[Provider]:
        """Return the packages of a name, one for each version, as providers without a soname."""
        return [
            self._with_package(line, b"", DirectoryKind.PRIVATE, b"", b"")
            for _, line in self._packages.having(name)
        ]

    def providing(self, name: bytes) -> list[Provider]:
        """Return the packages whose Provides has a name; the first call reads every line (0.1 s)."""
        if self._provided is None:
            from denizen.formats.packages import relation_names  # 0.5 ms that a soname does not pay

            self._provided = {}
            for number, line in enumerate(self._packages):
                for provided in relation_names(line.rpartition(b"\t")[2]):
                    self._provided.setdefault(provided, []).append(number)
        numbers = dict.fromkeys(self._provided.get(name, ()))
        return [
            self._with_package(self._packages[number], b"", DirectoryKind.PRIVATE, b"", b"")
            for number in numbers
        ]

    def summaries(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield (name, line of the package, synopsis) of every package. Raises DamagedIndex.

        An index made before synopses were kept has none, and yields nothing.
        """
        if not self._file.has("summaries"):
            return
        for line, summary in zip(self._packages, self._file.lines("summaries"), strict=True):
            yield line.partition(b"\t")[0], line, summary

    @property
    def has_summaries(self) -> bool:
        """Tell whether synopses were kept when the index was made."""
        return self._file.has("summaries")

    def recommended(self, package: bytes) -> tuple[Recommendation, ...]:
        """Return the packages of the same source that a package recommends. Raises DamagedIndex.

        An index made before they were kept has none.
        """
        if not self.has_recommended:
            return ()
        line = next((line for _, line in self._file.lines("recommended").having(package)), b"\t\t")
        try:
            _, names, plugins = line.split(b"\t")
        except ValueError as error:
            raise DamagedIndex(self._file.path, "a line of recommended is unreadable") from error
        holding = plugins.split(b",")
        return tuple(Recommendation(name, name in holding) for name in names.split(b",") if name)

    @property
    def has_recommended(self) -> bool:
        """Tell whether recommended packages were kept when the index was made."""
        return self._file.has("recommended")

    def essential(self) -> list[bytes]:
        """Return the names of packages that every system has (Policy 3.8); reads every line (50 ms)."""
        return [line.partition(b"\t")[0] for line in self._packages if line.split(b"\t", 10)[9] == b"1"]

    def versions(self) -> dict[bytes, bytes]:
        """Return package name -> version, to compare two indexes."""
        return {line.split(b"\t", 2)[0]: line.split(b"\t", 2)[1] for line in self._packages}

    def _provider(self, line: bytes) -> Provider:
        columns = line.split(b"\t")
        try:
            soname, kind, number, path, link = columns
            package = self._packages[int(number)]
            return self._with_package(package, soname, KINDS[int(kind)], path, link)
        except (ValueError, IndexError) as error:
            raise DamagedIndex(self._file.path, f"a line of sonames is unreadable: {error}") from error

    def _with_package(
        self, line: bytes, soname: bytes, kind: DirectoryKind, path: bytes, link: bytes
    ) -> Provider:
        columns = line.split(b"\t")
        if len(columns) != _PACKAGE_COLUMNS:
            raise DamagedIndex(self._file.path, "a line of packages is unreadable")
        return Provider(
            soname=soname,
            kind=kind,
            path=path,
            link=link,
            source=self.source,
            suite=self.suite,
            architecture=self.architecture,
            package=columns[0],
            version=columns[1],
            package_architecture=columns[2],
            filename=columns[3],
            size=int(columns[4]),
            sha256=columns[5],
            source_package=columns[6],
            section=columns[7],
            priority=columns[8],
            essential=columns[9] == b"1",
            multi_arch=columns[10],
            installed_size=int(columns[11]),
            dependents=int(columns[12]),
            pre_depends=columns[13],
            depends=columns[14],
            provides=columns[15],
        )


def write_libraries(
    writer: Writer,
    snapshot: Snapshot,
    architecture: str,
    packages: list[Package],
    found: Iterable[FoundLibrary],
) -> None:
    """Write the tables of a library index.

    Args:
        writer: the writer of the file.
        snapshot: the state of the suite.
        architecture: Debian's name of the architecture.
        packages: every package, sorted by name and version; the last of a name is the newest.
        found: files that satisfy sonames, synthetic entries included; those of unknown packages are left out.
    """
    numbers = {package.name: number for number, package in enumerate(packages)}
    dependents = count_dependents(packages)
    about = {
        b"source": snapshot.source.encode(),
        b"suite": snapshot.suite.encode(),
        b"architecture": architecture.encode(),
        b"identity": snapshot.identity.encode(),
        b"date": b"%d" % snapshot.date,
    }
    writer.lines("about", [key + b"\t" + text for key, text in about.items()])
    writer.lines(
        "packages", [_package_line(package, dependents.get(package.name, 0)) for package in packages]
    )
    writer.lines("summaries", [package.summary for package in packages])
    lines = []
    plugins: set[bytes] = set()
    for entry in found:
        if (number := numbers.get(entry.package)) is not None:
            link = b"/" + entry.link if entry.link else b""
            lines.append(b"%b\t%d\t%d\t/%b\t%b" % (entry.soname, entry.kind, number, entry.path, link))
            private = entry.kind == DirectoryKind.PRIVATE and entry.package not in plugins
            if private and is_plugin_place(entry.path):
                plugins.add(entry.package)
    lines.sort()
    writer.lines("sonames", lines)
    writer.lines("recommended", list(_recommended_lines(packages, plugins)))


def _recommended_lines(packages: Iterable[Package], plugins: Container[bytes]) -> Iterator[bytes]:
    """Yield a line for each package that recommends others of its source: its plugins, its other half.

    What a maintainer recommends of other sources is for people: documentation, editors, a desktop. But a
    compiler recommends the headers and the assembler without which it compiles nothing (tcc: libc6-dev).
    """
    siblings: dict[bytes, set[bytes]] = {}
    tools = {package.name for package in packages if is_for_development(package.section)}
    for package in packages:
        siblings.setdefault(_source_of(package), set()).add(package.name)
    recommended: dict[bytes, bytes] = {}
    for package in packages:
        if package.recommends:
            others = siblings[_source_of(package)] | (tools if package.name in tools else set())
            names = [name for name in _listed_names(package.recommends) if name in others]
            if names:
                holding = b",".join(name for name in names if name in plugins)
                recommended[package.name] = b"%b\t%b\t%b" % (package.name, b",".join(names), holding)
    yield from (recommended[name] for name in sorted(recommended))


def _source_of(package: Package) -> bytes:
    return package.source.partition(b" ")[0] or package.name


def _listed_names(relations: bytes) -> Iterator[bytes]:
    """Yield the first of the alternatives of each relation, once."""
    parts = (part.strip().split(b" ", 1)[0].split(b":", 1)[0] for part in relations.split(b","))
    yield from dict.fromkeys(name for name in parts if name)


def count_dependents(packages: Iterable[Package]) -> dict[bytes, int]:
    """Return for each name the number of packages that depend on it, as the first of alternatives."""
    counts: dict[bytes, int] = {}
    for package in packages:
        if package.depends or package.pre_depends:
            for name in _first_names(package.depends, package.pre_depends):
                counts[name] = counts.get(name, 0) + 1
    return counts


def _first_names(depends: bytes, pre_depends: bytes) -> set[bytes]:
    # "a (>= 1) | b, c:any": up to the first blank, bar, bracket or colon of each part.
    names = set()
    for relation in (depends + b", " + pre_depends).split(b", "):
        names.add(relation.split(b" ", 1)[0].split(b":", 1)[0])
    return names


def _package_line(package: Package, dependents: int) -> bytes:
    return b"\t".join(
        (
            package.name,
            package.version,
            package.architecture,
            package.filename,
            b"%d" % package.size,
            package.sha256,
            package.source.partition(b" ")[0],
            package.section,
            package.priority,
            b"1" if package.essential else b"0",
            package.multi_arch,
            b"%d" % package.installed_size,
            b"%d" % dependents,
            package.pre_depends,
            package.depends,
            package.provides,
        )
    )
