"""A package archive in memory, for resolving without an index, a network or a disk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from denizen.elf import constants as c
from denizen.fileview import Executable, MemoryView
from denizen.index.library_paths import DirectoryKind
from denizen.index.provider import Provider, Recommendation
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.cache.package_facts import PackageFacts, merged, package_facts
from denizen.resolve.engine.catalogue import Sources
from denizen.resolve.engine.search import resolve
from denizen.resolve.resolution import ProviderChoice, Resolution, ResolutionProblem
from denizen.resolve.rule_packs import load_rules
from denizen.resolve.subject import examine
from denizen.value import replace
from tests.support.elf_builder import Elf, Note, Symbol, build

DIRECTORY = b"usr/lib/x86_64-linux-gnu/"
INTERPRETER = b"/lib64/ld-linux-x86-64.so.2"
PROGRAM = b"/opt/app/bin/program"
LD_SO = build(Elf(soname=b"ld-linux-x86-64.so.2")) + (
    b"\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0"
    b"lib/x86_64-linux-gnu\0/etc/ld.so.cache\0stable release version 2.41.\0"
)


def library(
    soname: bytes,
    *needed: bytes,
    defines: Sequence[tuple[bytes, bytes | None]] = (),
    asks: Sequence[tuple[bytes, bytes | None, bytes | None]] = (),
    runpath: bytes | None = None,
    machine: int = 62,
    stack: int | None = c.PF_R | c.PF_W,
    notes: tuple[Note, ...] = (),
) -> bytes:
    """Return a library; `defines` are (symbol, version), `asks` (symbol, version, soname)."""
    elf = Elf(soname=soname, needed=needed, runpath=runpath, machine=machine, stack=stack, notes=notes)
    return _object(elf, defines, asks)


def program(
    *needed: bytes,
    asks: Sequence[tuple[bytes, bytes | None, bytes | None]] = (),
    runpath: bytes | None = None,
    interpreter: bytes = INTERPRETER,
) -> bytes:
    """Return a program that needs libc.so.6 besides."""
    elf = Elf(interpreter=interpreter, needed=(*needed, b"libc.so.6"), runpath=runpath, flags_1=c.DF_1_PIE)
    return _object(elf, (), asks)


def _object(
    elf: Elf,
    defines: Sequence[tuple[bytes, bytes | None]],
    asks: Sequence[tuple[bytes, bytes | None, bytes | None]],
) -> bytes:
    symbols = [Symbol(name, version=version) for name, version in defines]
    symbols += [Symbol(name, defined=False, version=version, file=file) for name, version, file in asks]
    values = {**elf.__dict__, "symbols": tuple(symbols), "relocated": tuple(name for name, _, _ in asks)}
    return build(Elf(**values))


def libc(*versions: bytes) -> dict[bytes, bytes]:
    """Return the files of a libc6 whose newest versions are these."""
    defines = [(b"f" + version, version) for version in (b"GLIBC_2.2.5", *versions)]
    return {
        DIRECTORY + b"libc.so.6": library(b"libc.so.6", defines=defines),
        DIRECTORY + b"libm.so.6": library(b"libm.so.6", b"libc.so.6"),
        DIRECTORY + b"ld-linux-x86-64.so.2": LD_SO,
    }


@dataclass
class PackageArchive:
    """Packages by suite, the preferred suite first; it is both the catalogue and the package store."""

    offers: list[tuple[Provider, Mapping[bytes, bytes]]] = field(default_factory=list)
    looked_into: list[bytes] = field(default_factory=list)
    suites: Sequence[str] = ()
    recommendations: dict[bytes, tuple[Recommendation, ...]] = field(default_factory=dict)

    def add(
        self,
        suite: str,
        package: bytes,
        files: Mapping[bytes, bytes],
        size: int = 1000,
        version: bytes = b"1",
        **about: bytes,
    ) -> None:
        """Add a package; `about` are further fields of its providers."""
        sha256 = hashlib.sha256(suite.encode() + package).hexdigest().encode()
        for path in files:
            name = path.rpartition(b"/")[2]
            kind = DirectoryKind.DEFAULT if path == DIRECTORY + name else DirectoryKind.PRIVATE
            self.offers.append(
                (
                    _provider(
                        suite=suite,
                        package=package,
                        soname=name,
                        path=b"/" + path,
                        sha256=sha256,
                        kind=kind,
                        size=size,
                        version=version,
                        about=about,
                    ),
                    files,
                )
            )

    def providers(self, soname: bytes) -> list[Provider]:
        found = [provider for provider, _ in self.offers if provider.soname == soname]
        return sorted(found, key=lambda provider: (provider.kind, self._rank(provider), provider.package))

    def _rank(self, provider: Provider) -> int:
        suites = self.suites or list(dict.fromkeys(provider.suite for provider, _ in self.offers))
        return suites.index(provider.suite)

    def knows(self, soname: bytes) -> bool:
        return any(provider.soname == soname for provider, _ in self.offers)

    def starting(self, prefix: bytes) -> list[bytes]:
        return sorted({provider.soname for provider, _ in self.offers if provider.soname.startswith(prefix)})

    def packages(self, name: bytes) -> list[Provider]:
        found = [provider for provider, _ in self.offers if provider.package == name]
        return sorted(found, key=lambda provider: (self._rank(provider), provider.path))

    def recommended(self, package: Provider) -> tuple[Recommendation, ...]:
        return self.recommendations.get(package.package, ())

    def near(self, soname: bytes) -> list[bytes]:
        stem = soname.partition(b".so")[0]
        return sorted({p.soname for p, _ in self.offers if p.soname.partition(b".so")[0] == stem})

    def facts(self, providers: Sequence[Provider]) -> Mapping[bytes, PackageFacts | str]:
        self.looked_into += [provider.package for provider in providers]
        return {provider.sha256: self._facts(provider.sha256) for provider in providers}

    def disk(self) -> MemoryView:
        return MemoryView(
            {
                b"/facts/%b/%b" % (provider.sha256, merged(path)): content
                for provider, files in self.offers
                for path, content in files.items()
            }
        )

    def resolve(
        self,
        files: Mapping[bytes, bytes],
        roots: Sequence[bytes] = (PROGRAM,),
        extra: Sequence[bytes] = (),
        added: Sequence[bytes] = (),
    ) -> Resolution:
        """What is chosen for programs in a file tree of their own."""
        view = MemoryView({path: Executable(content) for path, content in files.items()})
        rules = load_rules()
        sources = Sources(self, self, rules, CachedView(self.disk()), {"new": "1", "old": "2"})
        return resolve(examine(view, roots, rules, added), sources, extra)

    def _facts(self, sha256: bytes) -> PackageFacts:
        files = next(files for provider, files in self.offers if provider.sha256 == sha256)
        return package_facts(
            {merged(path): b"/facts/%b/%b" % (sha256, merged(path)) for path in files},
            {merged(path): len(content) for path, content in files.items()},
            {},
        )


def chosen(resolution: Resolution, soname: bytes) -> ProviderChoice:
    """Return the choice for a soname."""
    (choice,) = [choice for choice in resolution.choices if choice.soname == soname]
    return choice


def package_of(resolution: Resolution, soname: bytes) -> tuple[bytes, str]:
    """Return (name, suite) of the package a soname comes from."""
    (pin,) = [pin for pin in resolution.packages if pin.sha256 == chosen(resolution, soname).package]
    return pin.name, pin.suite


def open_for(resolution: Resolution, subject: bytes) -> ResolutionProblem:
    """Return the problem about a soname, a version or a symbol."""
    (problem,) = [problem for problem in resolution.problems if problem.subject == subject]
    return problem


def _provider(
    *,
    suite: str,
    package: bytes,
    soname: bytes,
    path: bytes,
    sha256: bytes,
    kind: DirectoryKind,
    size: int,
    version: bytes,
    about: Mapping[str, bytes],
) -> Provider:
    made = Provider(
        soname=soname,
        kind=kind,
        path=path,
        link=b"",
        source="debian",
        suite=suite,
        architecture="amd64",
        package=package,
        version=version,
        package_architecture=b"amd64",
        filename=b"pool/" + package + b".deb",
        size=size,
        sha256=sha256,
        source_package=package,
        section=b"libs",
        priority=b"optional",
        essential=False,
        multi_arch=b"same",
        installed_size=4,
        dependents=1,
        pre_depends=b"",
        depends=b"",
        provides=b"",
    )
    return replace(made, **about)


def two_suites() -> PackageArchive:
    """Return an archive with the C library alone: glibc 2.41 in the suite "new", 2.36 in "old"."""
    made = PackageArchive()
    made.add("new", b"libc6", libc(b"GLIBC_2.36", b"GLIBC_2.41"))
    made.add("old", b"libc6", libc(b"GLIBC_2.36"))
    return made


def put(name: bytes, *needed: bytes, **options: object) -> dict[bytes, bytes]:
    """Return a package's file: a library in the default directory."""
    return {DIRECTORY + name: library(name, *needed, b"libc.so.6", **options)}  # type: ignore[arg-type]  # passed on
