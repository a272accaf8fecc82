"""The answer to a running program that misses a library: brought, or remembered as not to be had.

The resident waits for this process to end and then looks into the directory of links
(launch/dlopen_links.py). A failure here leaves nothing there, and the program sees the error that it would
have had.
"""

from __future__ import annotations

import os

from denizen.app.factories import supply_of
from denizen.app.resolve_program import files_of, indexed_suites, indexes_of, resolve_path
from denizen.app.store_access import made_store
from denizen.errors import BadInput, display
from denizen.launch.decisions.decision_store import variant
from denizen.launch.dlopen_links import OPENED, DlopenRequest, Opened, is_soname
from denizen.launch.fast_path import read_decision
from denizen.resolve.install import install, planned
from denizen.resolve.rule_packs import load_rules
from denizen.sources.fetcher import FetchPolicy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.formats.storepath import StorePath
    from denizen.launch.decisions.decision import Decision
    from denizen.resolve.derivations import Recipes
    from denizen.resolve.resolution import Pin, Resolution
    from denizen.store.local import Store

# Together, for one program; 0 forbids all. In MB, as a file `budget` in the configuration says.
DEFAULT_BUDGET = 100


class NotOurs(BadInput):
    """The directory or the name is none that the resident asks with."""

    place: bytes
    WHAT = "{place} is not what the resident asks for"


def answer(session: Session, directory: bytes, soname: bytes, wanted: RunRequest, *, needed: bool) -> None:
    """Bring a library for the decision whose links are in `directory`, or remember why not.

    `needed`: an object that is open already names it, and not the program as it goes along.

    Raises:
        NotOurs, OSError, and what resolving and realising raise: nothing is remembered then.
    """
    shelf, name = _decision_of(session.paths.decisions, directory, soname)
    opened = Opened(directory)
    with opened.turn():
        if opened.has(soname):
            return
        decision = read_decision(os.path.join(shelf, name))
        if decision is None or decision.opened != directory:
            raise NotOurs(directory)
        # The program's standard error is its own: what it would have been told natively it is told.
        if opened.is_locked:
            session.reporter.say(f"denizen: {display(soname)} is opened, and the lock does not have it")
        _Answer(session.quieter(), decision, opened, wanted).give(soname, needed=needed)


def _decision_of(decisions: bytes, directory: bytes, soname: bytes) -> tuple[bytes, bytes]:
    """Return the directory and the file name of the decision. Raises NotOurs: a path that leads elsewhere."""
    top, name = os.path.split(os.path.dirname(directory))
    shelf, last = os.path.split(top)
    below = shelf == decisions or os.path.dirname(os.path.dirname(shelf)) == decisions
    if not below or last != OPENED or os.path.normpath(directory) != directory or not is_soname(soname):
        raise NotOurs(directory)
    return shelf, name


class _Answer:
    """One question about one decision."""

    def __init__(self, session: Session, decision: Decision, opened: Opened, wanted: RunRequest) -> None:
        self._session = session
        self._decision = decision
        self._opened = opened
        self._wanted = wanted
        self._policy = FetchPolicy(offline=wanted.offline)

    def give(self, soname: bytes, *, needed: bool) -> None:
        """Bring it, or remember why not; what an object needs that is open already is always brought."""
        reason = self._against(soname, needed=needed) or self._bring(soname, needed=needed)
        if reason:
            self._opened.deny(soname, reason)

    def _against(self, soname: bytes, *, needed: bool) -> str:
        """Return what stands against it whoever has it."""
        if self._opened.is_locked:
            return "the lock does not have it"
        rules = load_rules()
        return rules.host_reason(soname) if needed else rules.kept_out_reason(soname)

    def _bring(self, soname: bytes, *, needed: bool) -> str:
        resolution = self._resolved(soname)
        if resolution is None:
            return "no package has it that goes together with the program's libraries"
        with made_store(self._session) as store, store.working() as work:
            supply = supply_of(self._session, self._policy)
            plan = planned(store, resolution, supply)
            if not self._is_same_world(store, plan, resolution):
                return "who has it asks for another C library than the program runs with"
            new = self._new(store, plan, resolution)
            if not needed and (reason := self._over_budget(sum(pin.size for pin in new))):
                return reason
            made = install(store, resolution, supply)
            work.need(made.packages.values())
            self._keep(store, [made.packages[pin.sha256] for pin in new])
            self._opened.show(self._links(store, made, resolution))
            self._opened.record(DlopenRequest(soname, tuple(map(_called, new)), sum(pin.size for pin in new)))
        return ""

    def _new(self, store: Store, plan: Recipes, resolution: Resolution) -> list[Pin]:
        """Return the packages that neither the decision has nor an earlier answer brought."""
        brought = {package for one in self._opened.asked() for package in one.packages}
        return [
            pin
            for pin in resolution.packages
            if _called(pin) not in brought
            and store.place_of(plan.packages[pin.sha256]) not in self._decision.objects
        ]

    def _resolved(self, soname: bytes) -> Resolution | None:
        """Resolve the program once more, with all that it asked for: that is coherent by itself.

        By the indexes that are there, the base suite's first: a name that nobody has must not fetch others.
        """
        names = [os.fsencode(name) for name in self._wanted.extra if "/" not in name]
        extra = [*names, *(one.soname for one in self._opened.asked()), soname]
        program = self._decision.program
        there = indexed_suites(self._session, program, self._wanted.suites)
        self._opened.look_in(files_of(indexes_of(self._session, program, there)))
        for suites in dict.fromkeys((there[:1], there)):
            if not indexes_of(self._session, program, suites).knows(soname):
                continue
            made = resolve_path(self._session, program, self._policy, suites, extra)
            if any(choice.soname == soname and choice.package for choice in made.choices):
                return made
        return None

    def _is_same_world(self, store: Store, plan: Recipes, resolution: Resolution) -> bool:
        """Tell whether the dynamic linker would be the one that the program runs with."""
        if resolution.interpreter is None:
            return False
        tree = store.place_of(plan.packages[resolution.interpreter[1]])
        return self._decision.ldso.startswith(tree + b"/")

    def _over_budget(self, size: int) -> str:
        budget = budget_of(self._session)
        spent = sum(one.size for one in self._opened.asked())
        if spent + size <= budget * 1_000_000:
            return ""
        return f"the program's budget is {budget} MB, of which {spent // 1_000_000} are spent"

    def _links(self, store: Store, made: Recipes, resolution: Resolution) -> dict[bytes, bytes]:
        """Return what the decision does not show already."""
        there = set(os.listdir(self._decision.search))
        return {
            choice.soname: os.path.realpath(
                os.path.join(store.place_of(made.packages[choice.package]), choice.path)
            )
            for choice in resolution.choices
            if choice.package and choice.soname not in there
        }

    def _keep(self, store: Store, trees: Sequence[StorePath]) -> None:
        """Keep new packages from collection, as long as the decision."""
        shelf = self._opened.directory.rsplit(b"/", 3)[0]
        decisions = self._session.paths.decisions
        name = b"" if shelf == decisions else os.path.basename(shelf)
        variant(decisions, name).keep_besides(store.layout, self._decision, trees)


def _called(pin: Pin) -> bytes:
    return b"%b=%b" % (pin.name, pin.version)


def budget_of(session: Session) -> int:
    """Return how many megabytes may come for one program while it runs."""
    try:
        with open(session.paths.config + b"/budget", "rb") as stream:
            text = stream.read(16).strip()
    except OSError:
        return DEFAULT_BUDGET
    return int(text) if text.isdigit() else DEFAULT_BUDGET
