"""Examination of a candidate library: its image, or the reason why it cannot be used."""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.linker.c_library import GLIBC_PRIVATE
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from denizen.elf import Image
    from denizen.index.provider import Provider
    from denizen.resolve.cache.package_facts import PackageFacts
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.engine.provider_ranking import RankedProvider
    from denizen.resolve.existing_libraries import ExistingLibraries
    from denizen.resolve.subject import Subject


class Demand(Value):
    """The requirements on the library for a soname.

    Attributes:
        versions: symbol versions that it must define.
        symbols: symbols of which it should define as many as possible.
    """

    versions: frozenset[bytes] = frozenset()
    symbols: frozenset[bytes] = frozenset()


class Evaluation(Value):
    """A candidate that was examined and can be used."""

    provider: Provider
    facts: PackageFacts
    path: bytes
    image: Image


class Libc(Value):
    """A C library that may be the base: its package, its files and the versions that they define."""

    provider: Provider
    facts: PackageFacts
    versions: frozenset[bytes]


class Evaluator:
    """The examination of candidates for one subject on one C library.

    Attributes:
        images: the images of examined libraries, by the path of the skeleton.
    """

    def __init__(self, subject: Subject, sources: Sources, libc: Libc | None) -> None:
        self._subject = subject
        self._package_cache = sources.package_cache
        self._rules = sources.rules
        self._view = sources.disk
        self._libc = libc
        self._machine = (subject.header.bits, subject.header.machine)
        self._there: dict[bytes, frozenset[bytes] | None] = {}
        self.images: dict[bytes, Image] = {}

    def evaluate(self, standing: RankedProvider, demand: Demand) -> Evaluation | str:
        """Return the evaluation of a candidate, or the reason why it cannot be used."""
        provider = standing.provider
        facts = self._package_cache.facts([provider])[provider.sha256]
        if isinstance(facts, str):
            return f"cannot be read: {facts}"
        path = facts.file(provider.path)
        if path is None:
            return f"{display(provider.path)} is not a library of the package itself"
        try:
            image = self.image(facts, path)
            why = objection(image, demand, self._machine) or self._foreign(image, facts)
        except (BadInput, OSError) as fault:
            return f"cannot be read: {fault}"
        return why or Evaluation(provider, facts, path, image)

    def _foreign(self, image: Image, facts: PackageFacts) -> str:
        """Return the reason why an object needs another or a newer C library; "" if it does not."""
        needed = image.dynamic.needed if image.dynamic else ()
        if self._subject.musl:
            return self._rules.musl_reason if self._rules.libc in needed else ""
        if self._subject.existing is not None:
            return self._beyond(self._subject.existing, image, facts)
        if self._libc is None:
            return ""
        files = [need.file for need in image.version_needs if self._libc.facts.named(need.file)]
        return newer_glibc(image, files, self._libc.versions)

    def _beyond(self, existing: ExistingLibraries, image: Image, facts: PackageFacts) -> str:
        """Return the reason why a library cannot be loaded with those that are there; "" if it can.

        The reason is a version that the library needs and the one that is there lacks, or a symbol: libraries
        that belong together (libkrb5support's) get symbols without a new version.
        """
        for need in image.version_needs:
            there = self._defined_there(existing, need.file)
            asked = sorted(one.name for one in need.versions if not one.weak)
            if there is None:
                continue
            there_by = f"{existing.owner} {display(need.file)}"
            if lacking := [name for name in asked if name not in there]:
                return f"asks for {display(lacking[-1])}, which {there_by} does not define"
            if symbol := self._lacking_symbol(existing, image, need.file):
                return f"asks for {display(symbol)}, which {there_by} does not define"
            if GLIBC_PRIVATE in asked and not self._is_release(existing, facts):
                return f"is a part of another C library than {existing.owner}"
        return ""

    def _lacking_symbol(self, existing: ExistingLibraries, image: Image, soname: bytes) -> bytes:
        """Return a versioned symbol that an object takes from a library and that this lacks; b"" for none.

        glibc 2.34 put libdl, libpthread, librt and libutil into libc.so.6, in which the dynamic linker finds
        their symbols: it compares a symbol's version, and not the file (elf/dl-lookup.c, do_lookup_x).
        """
        images = (existing.image(name) for name in (soname, self._rules.libc))
        defined = {pair for one in images if one is not None for pair in one.symbols.defined_versions}
        return next(
            (
                one.name
                for one in image.symbols.undefined
                if one.version_file == soname and not one.weak and (one.name, one.version) not in defined
            ),
            b"",
        )

    def _is_release(self, existing: ExistingLibraries, facts: PackageFacts) -> bool:
        """Tell whether a package with a C library has the release that is there: the parts go together."""
        path = facts.named(self._rules.libc)
        own = self.image(facts, path) if path is not None else None
        return own is not None and _defined(own) == self._defined_there(existing, self._rules.libc)

    def _defined_there(self, existing: ExistingLibraries, soname: bytes) -> frozenset[bytes] | None:
        """Return the versions that the library of a name defines that is there; None if there is none."""
        if soname not in self._there:
            image = existing.image(soname)
            self._there[soname] = _defined(image) if image is not None else None
        return self._there[soname]

    def image(self, facts: PackageFacts, path: bytes) -> Image:
        """Return the image of a library of a package. Raises OSError, BadInput."""
        place = facts.skeletons[path]
        if place not in self.images:
            self.images[place] = self._subject.view.parse(self._view.read(place))
        return self.images[place]


def _defined(image: Image) -> frozenset[bytes]:
    return frozenset(one.name for one in image.version_definitions)


def objection(image: Image, demand: Demand, bits_machine: tuple[int, int]) -> str:
    """Return the reason why a library does not meet a demand; "" if it does.

    `bits_machine` are the program's ELF class in bits and its e_machine.
    """
    if (image.header.bits, image.header.machine) != bits_machine:
        return "is for another machine"
    defined = {definition.name for definition in image.version_definitions}
    lacking = sorted(demand.versions - defined)
    if lacking:
        # ld.so takes a library without any versions and warns; a build without them is another build.
        return f"does not define {_listed(lacking)}" + ("" if defined else " (it has no versions at all)")
    return ""


def newer_glibc(image: Image, libc: Collection[bytes], glibc: Collection[bytes]) -> str:
    """Return the reason why a library does not run on the chosen C library; "" if it does.

    `libc` are the sonames of the C library's package, `glibc` the versions that they define.
    """
    wanted = sorted(
        version.name
        for need in image.version_needs
        if need.file in libc
        for version in need.versions
        if not version.weak and version.name not in glibc
    )
    return f"asks for {_listed(wanted)}, which the chosen C library does not define" if wanted else ""


def private_of(image: Image, own: Collection[bytes]) -> bytes:
    """Return the soname among `own` whose private interface an object was built against; b"" for none.

    Versions such as Qt_6_PRIVATE_API and GLIBC_PRIVATE are promised to objects of the same build only.
    """
    for need in image.version_needs:
        if need.file in own and any(b"PRIVATE" in version.name for version in need.versions):
            return need.file
    return b""


def _listed(names: Sequence[bytes]) -> str:
    shown = ", ".join(map(display, names[:3]))
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
