"""Looking into a candidate: what it is, or why it will not do."""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.resolve.engine.choose import newer_glibc, objection, share
from denizen.resolve.resolution import ChoiceRule, Rejected
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.elf import Image
    from denizen.index.entry import Provider
    from denizen.resolve.cache.package_facts import PackageFacts
    from denizen.resolve.engine.attempt import Sources
    from denizen.resolve.engine.choose import Demand, RankedProvider
    from denizen.resolve.subject import Subject


@value
class Evaluation:
    """A candidate that was looked into and would do."""

    provider: Provider
    facts: PackageFacts
    path: bytes
    image: Image


@value
class Libc:
    """A C library that may be the base: its package and what it holds."""

    provider: Provider
    facts: PackageFacts
    versions: frozenset[bytes]


class Judge:
    """The judgement of candidates for one subject on one C library.

    Attributes:
        images: of what was looked into, by the place of its skeleton.
    """

    def __init__(self, subject: Subject, sources: Sources, libc: Libc | None) -> None:
        self._subject = subject
        self._shelf = sources.shelf
        self._rules = sources.rules
        self._view = sources.disk
        self._libc = libc
        self._machine = (subject.header.bits, subject.header.machine)
        self._on_host: dict[bytes, frozenset[bytes] | None] = {}
        self.images: dict[bytes, Image] = {}

    def judge(self, standing: RankedProvider, demand: Demand) -> Evaluation | str:
        """What the candidate is; or why it will not do."""
        provider = standing.provider
        facts = self._shelf.facts([provider])[provider.sha256]
        if isinstance(facts, str):
            return f"cannot be read: {facts}"
        path = facts.file(provider.path)
        if path is None:
            return f"{display(provider.path)} is not a library of the package itself"
        try:
            image = self.image(facts, path)
            why = objection(image, demand, self._machine) or self._foreign(image)
        except (BadInput, OSError) as fault:
            return f"cannot be read: {fault}"
        return why or Evaluation(provider, facts, path, image)

    def _foreign(self, image: Image) -> str:
        """Whether it belongs to another C library, or a newer one."""
        needed = image.dynamic.needed if image.dynamic else ()
        if self._subject.musl:
            return self._rules.musl_reason if self._rules.libc in needed else ""
        if self._subject.host is not None:
            return self._beyond_host(image)
        if self._libc is None:
            return ""
        files = [need.file for need in image.version_needs if self._libc.facts.named(need.file)]
        return newer_glibc(image, files, self._libc.versions)

    def _beyond_host(self, image: Image) -> str:
        """Why a library cannot join what this host loads: it asks for newer versions than that has."""
        for need in image.version_needs:
            there = self._host_versions(need.file)
            asked = sorted(one.name for one in need.versions if not one.weak)
            if there is not None and (lacking := [name for name in asked if name not in there]):
                return (
                    f"asks for {display(lacking[-1])}, which this host's {display(need.file)} does not define"
                )
        return ""

    def _host_versions(self, soname: bytes) -> frozenset[bytes] | None:
        """What the host's library of a name defines; None where it has none."""
        if soname not in self._on_host:
            image = self._subject.host_image(soname)
            defined = frozenset(one.name for one in image.version_definitions) if image is not None else None
            self._on_host[soname] = defined
        return self._on_host[soname]

    def image(self, facts: PackageFacts, path: bytes) -> Image:
        place = facts.skeletons[path]
        if place not in self.images:
            self.images[place] = self._subject.view.parse(self._view.read(place))
        return self.images[place]


def only_private(candidates: Sequence[RankedProvider]) -> bool:
    """Whether packages have it in directories of their own only: whose is meant is to be found out.

    Some have plugins called as the library of another project is: qmmp's libffmpeg.so is not Electron's.
    """
    return bool(candidates) and not any(s.provider.kind.is_searched or s.in_asker for s in candidates)


def most(
    fitting: Sequence[tuple[RankedProvider, Evaluation]], symbols: frozenset[bytes]
) -> tuple[int, tuple[Rejected, ...]]:
    """The place of the one that defines the most of the symbols, the first among equals; and the others."""
    shares = [share(found.image, symbols) if symbols else 0 for _, found in fitting]
    at = max(range(len(fitting)), key=lambda number: (shares[number], -number))
    reasons = [f"defines {count} of the symbols asked for, the chosen one {shares[at]}" for count in shares]
    return at, tuple(
        rejection(found.provider, reasons[number])
        for number, (_, found) in enumerate(fitting)
        if number != at
    )


def rule_of(
    best: RankedProvider,
    candidates: Sequence[RankedProvider],
    rejected: Sequence[Rejected],
    *,
    by_symbols: bool,
) -> ChoiceRule:
    if by_symbols:
        return ChoiceRule.SYMBOLS
    if best.in_asker:
        return ChoiceRule.SAME_PACKAGE
    if any("does not define" in r.reason for r in rejected):
        return ChoiceRule.VERSIONS
    if not best.in_base:
        return ChoiceRule.OTHER_SUITE
    return ChoiceRule.ONLY if len({s.provider.package for s in candidates}) == 1 else ChoiceRule.BEST


def rejection(provider: Provider, reason: str) -> Rejected:
    return Rejected(provider.package, provider.suite, reason)
