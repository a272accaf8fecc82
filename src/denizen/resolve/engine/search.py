"""The search for a resolution: base suites are tried in order, and the linker model checks each attempt.

The search is bounded: every base suite once, and within one at most `MAX_REPAIRS` rounds, in each of which
the model's complaints become demands. The first attempt without complaints is taken, else the one with
the fewest that matter; complaints that no other suite could change end the search early.
"""

from __future__ import annotations

from denizen.linker.c_library import GLIBC_PRIVATE, is_part_of_libc
from denizen.machines import debian_name
from denizen.resolve.companions import companions, plugins
from denizen.resolve.dlopen_names import packs, resources, runtimes_beside, strings
from denizen.resolve.dlopen_priorities import SUGGESTED, comes_unasked, may_be_missing
from denizen.resolve.engine.attempt import Attempt, SonameRequest
from denizen.resolve.engine.base_candidates import base_candidates, release_of
from denizen.resolve.engine.beside_choice import place_opened, place_own, place_unproven
from denizen.resolve.engine.candidate_check import Demand
from denizen.resolve.engine.load_sets import AddedLibraries
from denizen.resolve.engine.portable_paths import omissions_of, portable, portable_host
from denizen.resolve.engine.resolution_problems import problems_of
from denizen.resolve.replaced_libraries import UnsatisfiedLibrary, blamed, instead
from denizen.resolve.resolution import DlopenName, ProblemKind, Resolution, ResolutionProblem, pin_of
from denizen.resolve.subject import LIBC_VERSION, examine
from denizen.resolve.with_names import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from denizen.linker import Binding, Closure
    from denizen.resolve.engine.candidate_check import Libc
    from denizen.resolve.engine.catalogue import ProviderCatalogue, Sources
    from denizen.resolve.subject import Subject

MAX_REPAIRS = 6
# In a tree of more objects some plugin always lacks something, and each further base costs seconds.
MAX_ROOTS_SEARCHED = 32
# Heavier first: a program without a library does not start, without a symbol it may.
_WEIGHTS = {
    ProblemKind.INTERPRETER: 1000,
    ProblemKind.LIBRARY: 100,
    ProblemKind.VERSION: 100,
    ProblemKind.UNREADABLE: 100,
    ProblemKind.SYMBOL: 1,
    ProblemKind.STACK: 1,
}


def resolve(subject: Subject | None, sources: Sources, extra: Sequence[bytes] = ()) -> Resolution:
    """Return the resolution for a subject, and for `extra`, further sonames and packages that the user wants.

    If a library that came with the program cannot be satisfied, a package's library of the same name replaces
    it.

    Raises:
        SourceFailed, HostLacks: a package could not be fetched.
    """
    if subject is None:
        return Resolution("")
    made = _resolve(subject, sources, extra)
    yielded: dict[bytes, UnsatisfiedLibrary] = {}
    for _ in range(MAX_REPAIRS):
        found = blamed(subject, made, sources.catalogue)
        if not found:
            break
        without = yielded | {one.path: one for one in found}
        asked = subject.added, subject.directories
        again = examine(
            subject.view, subject.roots, sources.rules, *asked, without=tuple(without), host=subject.host
        )
        if again is None:
            break
        other = _resolve(again, sources, extra)
        if _weight(other) >= _weight(made):
            break
        subject, made, yielded = again, other, without
    return instead(made, tuple(yielded.values()))


def _weight(made: Resolution) -> int:
    return sum(_WEIGHTS[problem.kind] for problem in made.problems)


def _resolve(subject: Subject, sources: Sources, extra: Sequence[bytes]) -> Resolution:
    best: tuple[int, Resolution] | None = None
    for libc, suite in base_candidates(subject, sources):
        made = _BaseSearch(subject, sources, libc, suite, extra).run()
        weight = _weight(made)
        if best is None or weight < best[0]:
            best = weight, made
        if len(subject.roots) > MAX_ROOTS_SEARCHED or not any(
            _may_differ(problem, sources.catalogue, subject) for problem in made.problems
        ):
            break
    assert best is not None  # base_candidates yields at least one
    return best[1]


def _may_differ(problem: ResolutionProblem, catalogue: ProviderCatalogue, subject: Subject) -> bool:
    """Tell whether another base suite could solve the problem."""
    if subject.host is not None:
        return problem.kind.stops_start
    of_libc = problem.subject.startswith(LIBC_VERSION)
    if of_libc or problem.kind in (ProblemKind.INTERPRETER, ProblemKind.STACK):
        return True
    return (
        problem.kind in (ProblemKind.LIBRARY, ProblemKind.VERSION)
        and bool(catalogue.providers(problem.subject))
        and not subject.musl
    )


class _BaseSearch:
    """The search with one C library: choose, check by the linker model, repair, as long as that helps."""

    def __init__(
        self, subject: Subject, sources: Sources, libc: Libc | None, suite: str, extra: Sequence[bytes]
    ) -> None:
        self._suite = suite
        self._subject = subject
        self._sources = sources
        self._libc = libc
        self._extra = extra
        self._demands: dict[bytes, Demand] = {}
        self._override: dict[bytes, None] = {}

    def run(self) -> Resolution:
        for _ in range(MAX_REPAIRS):
            attempt = self._attempt()
            closures = self._check(attempt)
            bindings = self._subject.checker.bindings(closures)
            if not self._learn(attempt, bindings):
                break
        told = zip(closures, bindings, strict=True)
        return self._result(attempt, [b for c, b in told if c.program.path not in self._subject.opened])

    def _attempt(self) -> Attempt:
        subject, rules = self._subject, self._sources.rules
        attempt = Attempt(subject, self._sources, self._libc, self._demands, suite=self._suite)
        place_own(attempt, subject)
        attempt.provide([SonameRequest(soname, by) for soname, by in subject.outside.items()])
        place_unproven(attempt, subject)
        attempt.replace([SonameRequest(soname, b"") for soname in self._override])
        attempt.provide([SonameRequest(n, by, optional=True) for n, by in subject.outside_opened.items()])
        attempt.provide(
            [SonameRequest(n, b"", b"", "companion", optional=True) for n in attempt.companions()]
        )
        runtimes = runtimes_beside(subject, rules)
        attempt.provide([SonameRequest(n, by, b"", "beside", optional=True) for n, by in runtimes.items()])
        for name in sorted(set(self._extra)):
            attempt.provide(opened(name, self._suite, self._sources))
        for _ in range(MAX_REPAIRS):
            settled = len(attempt.choices)
            for wish in packs(subject, attempt.chosen_images(), rules):
                if comes_unasked(wish.priority):
                    self._grant(attempt, wish)
            if len(attempt.choices) == settled:
                break
        if subject.host is None:
            files = companions(attempt.libraries(), self._sources.catalogue, rules.companion_files)
            for name in (*resources(subject, attempt.choices, rules), *files):
                attempt.bring(name)
            for name, by in plugins(attempt.libraries(), self._sources.catalogue, rules, attempt.is_settled):
                attempt.bring(name, by)
        return attempt

    def _grant(self, attempt: Attempt, wish: DlopenName) -> None:
        """Choose a library that is opened at run time.

        A library beside the program comes first, then the first of the names that has a provider.
        """
        if any(attempt.is_settled(name) for name in wish.sonames):
            return
        optional = may_be_missing(wish.priority)
        if place_opened(attempt, self._subject, wish):
            return
        knows = self._sources.catalogue.knows
        name = next((name for name in wish.sonames if knows(name)), wish.sonames[0])
        attempt.provide([SonameRequest(name, b"", b"", wish.origin, optional)])

    def _check(self, attempt: Attempt) -> list[Closure]:
        """Return the linker model's closures, after choosing providers for sonames that it missed."""
        subject = self._subject
        closures: list[Closure] = []
        for _ in range(MAX_REPAIRS):
            override = tuple(self._override)
            added = AddedLibraries(dict(attempt.pieces), attempt.interpreter(), override, subject.host)
            closures = subject.checker.closures(subject.view, subject.loaded, subject.interpreter, added)
            missing = [
                SonameRequest(
                    library.soname,
                    library.needed_by or b"",
                    optional=closure.program.path in subject.opened,
                )
                for closure in closures
                for library in closure.missing
                if not attempt.is_settled(library.soname)
            ]
            if not missing:
                break
            attempt.provide(missing, anew=True)
            place_unproven(attempt, subject)
        return closures

    def _learn(self, attempt: Attempt, bindings: Sequence[Binding]) -> bool:
        """Turn the linker model's errors into demands; return whether there is anything new to try."""
        before = dict(self._demands), dict(self._override)
        self._override |= dict.fromkeys(self._parts_of_another_libc())
        for binding in bindings:
            for lack in binding.missing_versions:
                if lack.provider is None:
                    continue
                if lack.file in attempt.choices and attempt.choices[lack.file].package:
                    self._demand(lack.file, versions={lack.version})
                elif lack.file in self._sources.rules.runtime:
                    self._override[lack.file] = None
            for symbol in binding.unresolved:
                own = self._subject.own.get(symbol.needed_by)
                if symbol.version == GLIBC_PRIVATE and own is not None and own.dynamic and own.dynamic.soname:
                    # The library is part of another glibc: the chosen glibc's replaces it.
                    self._override[own.dynamic.soname] = None
                elif symbol.file in attempt.choices:
                    self._demand(symbol.file, symbols={symbol.name})
        return before != (self._demands, self._override)

    def _parts_of_another_libc(self) -> Iterator[bytes]:
        """Yield the names of own objects that were built with a C library beside which they do not run here.

        Its private symbols may still bind; what is opened later finds the versions of another release.
        """
        if self._libc is None:
            return
        for image in self._subject.objects:
            soname = image.dynamic.soname if image.dynamic else None
            if soname and is_part_of_libc(image) and self._libc.facts.named(soname) is not None:
                yield soname

    def _demand(
        self, soname: bytes, versions: Collection[bytes] = (), symbols: Collection[bytes] = ()
    ) -> None:
        known = self._demands.get(soname, Demand())
        self._demands[soname] = Demand(known.versions | set(versions), known.symbols | set(symbols))

    def _result(self, attempt: Attempt, bindings: Sequence[Binding]) -> Resolution:
        subject, libc = self._subject, self._libc
        rule = self._sources.rules.stack
        stack = rule.reason if libc is not None and release_of(libc.provider) > rule.newest else ""
        used = {choice.package for choice in attempt.choices.values()} | attempt.brought
        interpreter = attempt.interpreter_choice()
        if interpreter is not None:
            used.add(interpreter[1])
        pins = [
            pin_of(provider, self._sources.snapshots)
            for sha256, provider in attempt.providers.items()
            if sha256 in used
        ]
        if libc is not None and libc.provider.sha256 in used - set(attempt.providers):
            pins.append(pin_of(libc.provider, self._sources.snapshots))
        return Resolution(
            debian_name(subject.header.architecture),
            libc.provider.suite if libc is not None else "",
            subject.floor,
            interpreter,
            tuple(sorted(pins, key=lambda pin: (pin.name, pin.version, pin.architecture, pin.sha256))),
            tuple(sorted((portable(subject, c) for c in attempt.choices.values()), key=lambda c: c.soname)),
            tuple(self._override),
            tuple(
                sorted(
                    (portable_host(subject, h) for h in attempt.from_host.values()), key=lambda h: h.soname
                )
            ),
            tuple(attempt.open_wishes(self._wishes(attempt))),
            tuple(problems_of(subject, attempt, bindings, stack)),
            tuple(sorted(omissions_of(subject, attempt.left_out.values()), key=lambda one: one.soname)),
            tuple(sorted(attempt.recommended.values(), key=lambda one: (one.by, one.package))),
        )

    def _wishes(self, attempt: Attempt) -> list[DlopenName]:
        """Return the names to open at run time, from notes and rule packs.

        For a single program, the sonames among its strings are added.
        """
        subject = self._subject
        wished = packs(subject, attempt.chosen_images(), self._sources.rules)
        if len(subject.roots) == 1:
            named = strings(subject.own[subject.roots[0]], self._sources.catalogue.knows)
            known = {name for wish in wished for name in wish.sonames}
            interpreter = subject.interpreter
            wished += [
                DlopenName((name,), "strings", SUGGESTED)
                for name in named
                if name not in known and name not in interpreter
            ]
        return wished
