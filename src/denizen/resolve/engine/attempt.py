"""One attempt at a resolution: providers for every missing soname, from one base suite where it has them.

The search goes level by level: the sonames that are missing, a provider for each, then the sonames that those
libraries need. A package is examined only when one of its libraries is the best candidate left; the packages
of a level are fetched together.
"""

from __future__ import annotations

from denizen.errors import display
from denizen.resolve.engine.candidate_check import Demand, Evaluation, Evaluator, private_of
from denizen.resolve.engine.provider_choice import choose_provider
from denizen.resolve.engine.provider_ranking import RankedProvider, ranked
from denizen.resolve.resolution import (
    ChoiceRule,
    FromHost,
    LeftOut,
    ProblemKind,
    ProviderChoice,
    Recommended,
    ResolutionProblem,
)
from denizen.resolve.sysroot_view import ChosenFile
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.elf import Image
    from denizen.index.provider import Provider
    from denizen.resolve.engine.candidate_check import Libc
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.resolution import DlopenName, Rejected
    from denizen.resolve.subject import Subject

# The largest closure seen has 700 sonames (webkitgtk: 190).
MAX_LIBRARIES = 4096
_MUSL = b"libc.musl-"


class SonameRequest(Value):
    """A soname for which a provider is sought.

    Attributes:
        needed_by: path or soname of the object that asks for it.
        asker: hash of the package whose library asks; b"" for an object of the program.
        wish: how a run-time need is known; "" for DT_NEEDED.
        optional: the program also starts without it.
    """

    soname: bytes
    needed_by: bytes
    asker: bytes = b""
    wish: str = ""
    optional: bool = False


class Attempt:
    """The state of one attempt."""

    def __init__(
        self,
        subject: Subject,
        sources: Sources,
        libc: Libc | None,
        demands: Mapping[bytes, Demand],
        *,
        suite: str,
    ) -> None:
        """Start with nothing chosen, the demands that earlier attempts found, and a preferred suite."""
        self._suite = suite
        self._on_host: dict[bytes, bool] = {}
        self._subject = subject
        self._catalogue = sources.catalogue
        self._package_cache = sources.package_cache
        self._rules = sources.rules
        self._view = sources.disk
        self._libc = libc
        self._check = Evaluator(subject, sources, libc)
        # The suites that were searched, for messages.
        self.suites = ", ".join(sources.snapshots) or "any suite"
        self.demands = dict(demands)
        self._offered: dict[bytes, list[Provider]] = {}
        self._hidden: set[bytes] = set()
        self.left_out: dict[bytes, LeftOut] = {}
        self.choices: dict[bytes, ProviderChoice] = {}
        self.pieces: dict[bytes, ChosenFile] = {}
        self.brought: set[bytes] = set()
        self.recommended: dict[bytes, Recommended] = {}
        self.providers: dict[bytes, Provider] = {}
        self.from_host: dict[bytes, FromHost] = {}
        self.problems: dict[tuple[ProblemKind, bytes], ResolutionProblem] = {}
        for image in subject.objects:
            self._ask(image)

    def provide(self, wanted: Sequence[SonameRequest], *, anew: bool = False) -> None:
        """Choose providers for these sonames and for all that the chosen libraries need.

        `anew`: an object of the program has the name, but the object that asks does not find it by its run
        path.
        """
        if anew:
            self._hidden |= {one.soname for one in wanted}
        pending = list(wanted)
        while pending and len(self.choices) < MAX_LIBRARIES:
            first: dict[bytes, SonameRequest] = {}
            for one in pending:
                first.setdefault(one.soname, one)
            level = [one for one in first.values() if not self.is_settled(one.soname)]
            self._look_ahead(level)
            pending = [follow for one in level for follow in self._satisfy(one)]

    def replace(self, wanted: Sequence[SonameRequest]) -> None:
        """Choose providers for names that the program's own objects have, to be loaded instead of those."""
        for one in wanted:
            self.choices.pop(one.soname, None)
            before = self.choices.keys() | set()
            self.provide(self._search(one))
            if one.soname in self.choices.keys() - before:
                self.choices[one.soname] = with_rule(self.choices[one.soname], ChoiceRule.NEWER)

    def companions(self) -> list[bytes]:
        """Return the other libraries of the chosen C library's package that may be opened at run time."""
        if self._libc is None:
            return []
        return [name for name in self._rules.companions if self._companion(name) is not None]

    def libraries(self) -> list[Provider]:
        """Return the packages of the chosen libraries."""
        used = {choice.package for choice in self.choices.values()}
        return [one for sha256, one in self.providers.items() if sha256 in used]

    def bring(self, package: bytes, recommended_by: bytes = b"") -> None:
        """Add a package for its files, from the base suite if that has it."""
        offered = self._catalogue.packages(package)
        if offered:
            taken = next((one for one in offered if one.suite == self._suite), offered[0])
            if recommended_by and taken.sha256 not in self.providers:
                self.recommended[taken.sha256] = Recommended(taken.sha256, recommended_by)
            self.providers[taken.sha256] = taken
            self.brought.add(taken.sha256)

    def place_beside(
        self, soname: bytes, path: bytes, wish: str = "", rule: ChoiceRule = ChoiceRule.BESIDE
    ) -> None:
        """Choose a library that lies beside the program, or in a directory of LD_LIBRARY_PATH."""
        by, rule = self._subject.roots[0], ChoiceRule.GIVEN if path in self._subject.given else rule
        self.choices[soname] = ProviderChoice(soname, b"", path, rule, by, (), wish)
        self.pieces[soname] = ChosenFile(self._subject.view, path)

    def chosen_images(self) -> dict[bytes, Image]:
        """Return the images of the libraries chosen from packages, by soname."""
        found = {
            name: self._check.images.get(self.pieces[name].path)
            for name, c in self.choices.items()
            if c.package
        }
        return {name: image for name, image in found.items() if image is not None}

    def interpreter_choice(self) -> tuple[bytes, bytes, bytes] | None:
        """Return the path that the program names, the package's hash and the file in it.

        Return None if no package has it.
        """
        path = self._interpreter_path()
        if self._libc is None or path is None:
            return None
        return self._subject.interpreter, self._libc.provider.sha256, path

    def interpreter(self) -> ChosenFile | None:
        """Return the file of the chosen dynamic linker; None if none is chosen."""
        path = self._interpreter_path()
        if self._libc is None or path is None:
            return None
        return ChosenFile(self._view, self._libc.facts.skeletons[path])

    def open_wishes(self, wished: Sequence[DlopenName]) -> list[DlopenName]:
        """Return the wishes of which no name is in the resolution."""
        return [
            w
            for w in wished
            if not any(n in self.choices or n in self._subject.names or self._host_has(n) for n in w.sonames)
        ]

    def _interpreter_path(self) -> bytes | None:
        """Return the package's file for the dynamic linker that the program names.

        A program may name a private one (linuxbrew's ld.so); it then gets the usual one of its architecture.
        """
        header = self._subject.header
        usual = b"" if self._subject.musl or header.architecture is None else header.architecture.interpreter
        names = [path.rpartition(b"/")[2] for path in (self._subject.interpreter, usual)]
        return (
            next((found for name in names if name and (found := self._companion(name))), None)
            if self._libc
            else None
        )

    def is_settled(self, soname: bytes) -> bool:
        """Tell whether no further search is needed for a name.

        The name may be chosen, the program's own, the host's, or left out, or its search has failed.
        """
        return (
            soname in self.choices
            or (soname in self._subject.names and soname not in self._hidden)
            or soname in self.from_host
            or soname in self.left_out
            or (ProblemKind.LIBRARY, soname) in self.problems
            or (ProblemKind.VERSION, soname) in self.problems
            or (soname not in self._hidden and self._host_has(soname))
        )

    def _host_has(self, soname: bytes) -> bool:
        if soname not in self._on_host:
            existing = self._subject.existing
            self._on_host[soname] = existing is not None and existing.image(soname) is not None
        return self._on_host[soname]

    def _look_ahead(self, level: Sequence[SonameRequest]) -> None:
        """Fetch the packages of all first candidates together."""
        searched = [one for one in level if not self._is_given(one.soname)]
        first = [found[0].provider for one in searched if (found := self._candidates(one))]
        self._package_cache.facts(first)

    def _is_given(self, soname: bytes) -> bool:
        """Tell whether no provider is sought: the host or the C library's own package has the name."""
        if self._rules.host_reason(soname) or (self._subject.musl and soname.startswith(_MUSL)):
            return True
        return self._libc is not None and self._companion(soname) is not None

    def _satisfy(self, one: SonameRequest) -> list[SonameRequest]:
        """Choose a provider for one name; return the names that its library needs."""
        reason = self._rules.host_reason(one.soname)
        if reason:
            self.from_host[one.soname] = FromHost(one.soname, one.needed_by, reason)
            return []
        if self._subject.musl and one.soname.startswith(_MUSL):
            return []
        if self._libc is not None and (path := self._companion(one.soname)) is not None:
            rule = ChoiceRule.LIBC if one.soname == self._rules.libc else ChoiceRule.COMPANION
            found = Evaluation(
                self._libc.provider, self._libc.facts, path, self._check.image(self._libc.facts, path)
            )
            return self._take(one, found, rule, ())
        return self._search(one)

    def _companion(self, soname: bytes) -> bytes | None:
        """Return the file for a soname in the C library's own package; None if it has none."""
        assert self._libc is not None
        alias = self._rules.aliases.get(soname)
        names = (soname, alias.provider) if alias else (soname,)
        return next((path for name in names if (path := self._libc.facts.named(name))), None)

    def _candidates(self, one: SonameRequest) -> list[RankedProvider]:
        found = self._offered.get(one.soname)
        if found is None:
            found = self._offered[one.soname] = self._providers(one.soname)
        base = self._suite
        return ranked(
            [
                RankedProvider(p, order, p.suite == base, p.sha256 == one.asker, p.sha256 in self.providers)
                for order, p in enumerate(found)
            ]
        )

    def _providers(self, soname: bytes) -> list[Provider]:
        alias = self._rules.aliases.get(soname)
        found = self._catalogue.providers(soname)
        return found or (self._catalogue.providers(alias.provider) if alias is not None else [])

    def _search(self, one: SonameRequest) -> list[SonameRequest]:
        candidates = self._candidates(one)
        demand = self.demands.get(one.soname, Demand())
        chosen = choose_provider(
            candidates,
            lambda standing: self._examine(one, demand, standing),
            demand.symbols,
            lambda: self._wanted_of(one.soname),
        )
        if chosen.found is None:
            self._give_up(one, candidates, chosen.rejected)
            return []
        return self._take(one, chosen.found, chosen.rule, chosen.rejected)

    def _examine(self, one: SonameRequest, demand: Demand, standing: RankedProvider) -> Evaluation | str:
        """Return a candidate that can be used, or the reason why it cannot."""
        verdict = self._check.evaluate(standing, demand)
        if not one.optional or isinstance(verdict, str):
            return verdict
        own = private_of(verdict.image, self._subject.names)
        return (
            f"asks for private symbols of {display(own)}, of which another build came along"
            if own
            else verdict
        )

    def _take(
        self, one: SonameRequest, found: Evaluation, rule: ChoiceRule, rejected: tuple[Rejected, ...]
    ) -> list[SonameRequest]:
        provider, image = found.provider, found.image
        self.choices[one.soname] = ProviderChoice(
            one.soname, provider.sha256, found.path, rule, one.needed_by, rejected, one.wish
        )
        self.pieces[one.soname] = ChosenFile(self._view, found.facts.skeletons[found.path])
        self.providers[provider.sha256] = provider
        self._ask(image)
        needed = image.dynamic.needed if image.dynamic else ()
        return [SonameRequest(name, one.soname, provider.sha256, one.wish, one.optional) for name in needed]

    def _ask(self, image: Image) -> None:
        """Add the versions that an object needs to the demands on each soname."""
        for need in image.version_needs:
            known = self.demands.get(need.file, Demand())
            versions = {version.name for version in need.versions if not version.weak}
            self.demands[need.file] = Demand(known.versions | versions, known.symbols)

    def _wanted_of(self, soname: bytes) -> frozenset[bytes]:
        """Return the undefined symbols of the objects that need a soname."""
        askers = [i for i in self._subject.objects if i.dynamic and soname in i.dynamic.needed]
        return frozenset().union(*(image.symbols.undefined_names for image in askers))

    def _give_up(
        self, one: SonameRequest, candidates: Sequence[RankedProvider], rejected: Sequence[Rejected]
    ) -> None:
        detail = "; ".join(f"{display(r.package)} of {r.suite} {r.reason}" for r in rejected)
        detail = detail or f"no package of {self.suites} has it"
        if one.optional:
            # An optional library is no problem if it is missing; it is listed as a wish.
            self.left_out[one.soname] = LeftOut(one.soname, one.needed_by, detail)
            return
        lacks_version = any("does not define" in r.reason for r in rejected)
        kind = ProblemKind.VERSION if lacks_version else ProblemKind.LIBRARY
        near = () if candidates else tuple(self._catalogue.near(one.soname))
        self.problems[kind, one.soname] = ResolutionProblem(kind, one.soname, one.needed_by, detail, near)


def with_rule(choice: ProviderChoice, rule: ChoiceRule) -> ProviderChoice:
    """Return the choice with another rule as its reason."""
    return ProviderChoice(
        choice.soname, choice.package, choice.path, rule, choice.needed_by, choice.rejected, choice.wish
    )
