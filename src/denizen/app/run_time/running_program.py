"""A running program that is to get something: its decision, what came before, and what may still come.

How what comes is installed, kept, shown and recorded. The helpers that answer for what a program misses
(missing_library.py, missing_path.py, missing_place.py, mentioned_files.py) share it.
"""

from __future__ import annotations

import contextlib
import os

from denizen.app.resolution.resolution_sources import sources_for
from denizen.app.resolution.resolve_program import files_of, indexed_suites, indexes_of
from denizen.app.run_time.brought_files import show_files
from denizen.app.run_time.budget import BadBudget, budget_of
from denizen.app.run_time.confirmation import refusal
from denizen.app.run_time.program_around import stat_fields
from denizen.app.supply.package_supply import supply_of
from denizen.disk_view import DiskView
from denizen.errors import BadInput, display
from denizen.launch.decisions.decision_store import variant
from denizen.launch.dlopen_record import OPENED, DlopenRequest, Opened
from denizen.launch.fast_path import NAMED, read_decision
from denizen.launch.kept_out import library_not_brought
from denizen.launch.sysroot import show_in_sysroot
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.existing_libraries import ProcessLibraries
from denizen.resolve.installation.install import install, planned
from denizen.resolve.missed_library_choice import counted
from denizen.resolve.rule_packs import load_rules
from denizen.sources.fetch_policy import for_running_program
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.formats.storepath import StorePath
    from denizen.index.locate import Index
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.existing_libraries import ExistingLibraries
    from denizen.resolve.installation.resolution_derivations import Recipes
    from denizen.resolve.resolution import Pin, Resolution
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

    T = TypeVar("T")
    # A function of resolve.missed_library_choice.
    Choice = Callable[[CachedView, bytes, ExistingLibraries, Sources, T], Resolution | None]


class NotOurs(BadInput):
    """The error that a directory or a name is not one with which the resident asks."""

    place: bytes
    WHAT = "{place} is not what the resident asks for"


class Addition(Value):
    """Packages that a running program is to get.

    Attributes:
        new: the packages that it has not got yet.
        size: bytes to fetch that count for the budget; what lies in the store already costs nothing.
    """

    new: Sequence[Pin]
    size: int


class RunningProgram:
    """A program that runs by one decision, and what it got so far."""

    def __init__(
        self, session: Session, decision: Decision, opened: Opened, wanted: RunRequest, name: bytes = b""
    ) -> None:
        """Take the decision, the directory of links for what came, and the options of the program's start.

        `name`: of the decision's file, where it is kept by another than its identity's.
        """
        self.session = session.quieter()
        self.decision = decision
        self.opened = opened
        self.wanted = wanted
        self.policy = for_running_program(offline=wanted.offline)
        self.run = _asking_process()
        self._name = name

    @property
    def started_with(self) -> dict[bytes, bytes]:
        """Return the libraries that the process loaded at its start: name -> path."""
        return {one.name.rpartition(b"/")[2]: one.path for one in self.decision.libraries}

    def index(self) -> Index:
        """Return the indexes that are here, in which the resident looks too.

        The base suite's comes first. An unknown name must not cause others to be fetched.
        """
        program = self.decision.program
        suites = indexed_suites(self.session, program, self.wanted.suites)
        index = indexes_of(self.session, program, suites)
        self.opened.look_in(files_of(index))
        return index

    def choose(self, choice: Choice[T], wanted: T, index: Index | None = None) -> Resolution | None:
        """Return the packages of what is wanted, beside the libraries that the process loaded at its start.

        `index`: of this program, where it is open already. Return None for none; raises what `choice` raises.
        """
        view = CachedView(DiskView())
        sources = sources_for(self.session, self.policy, index or self.index())
        return choice(view, self.decision.program, ProcessLibraries(view, self.started_with), sources, wanted)

    def addition(self, store: Store, resolution: Resolution) -> Addition:
        """Return the packages that are neither in the decision nor from an earlier answer, and their size."""
        plan = planned(store, resolution, supply_of(self.session, self.policy))
        brought = {package for one in self.opened.asked() for package in one.packages}
        new = [
            pin
            for pin in resolution.packages
            if _called(pin) not in brought
            and store.place_of(plan.packages[pin.sha256]) not in self.decision.objects
        ]
        lacking = [pin for pin in new if not store.is_valid(plan.packages[pin.sha256])]
        return Addition(new, sum(pin.size for pin in counted(lacking, resolution, load_rules())))

    def install(self, store: Store, work: Work, resolution: Resolution, new: Sequence[Pin]) -> Recipes:
        """Realise the packages, keep the new ones as long as the decision, and show their files."""
        made = install(store, resolution, supply_of(self.session, self.policy))
        work.need(made.packages.values())
        trees = [made.packages[pin.sha256] for pin in new]
        self._keep(store, trees)
        show_files(self.decision_store, self.decision, [store.place_of(tree) for tree in trees])
        return made

    def show(self, links: Mapping[bytes, bytes]) -> None:
        """Let the program find libraries, by name -> path. Raises OSError."""
        self.opened.show(links)
        show_in_sysroot(self.decision.resources, links)

    def show_library(
        self, links: Mapping[bytes, bytes], name: bytes, packages: Sequence[Pin] = (), size: int = 0
    ) -> None:
        """Let the program find a library that came, and the next start find it as fast as others.

        Args:
            links: name -> path of the library and of those that came with it.
            name: the library's own name, by which the next decision asks for it.
            packages: what was installed for it.
            size: bytes that were fetched.

        Raises OSError.
        """
        self.show(links)
        self._record(name, packages, size)
        if self.decision.search:
            self.opened.join(self.decision.search)

    def record_packages(self, packages: Sequence[Pin]) -> None:
        """Record packages that came for their files: for the budget, and for the next decision.

        Raises OSError.
        """
        for pin in packages:
            self._record(pin.name, (pin,), pin.size)

    def _record(self, name: bytes, packages: Sequence[Pin], size: int) -> None:
        self.opened.record(DlopenRequest(name, tuple(map(_called, packages)), size, self.run))

    def over_budget(self, size: int) -> str:
        """Return the reason against fetching so many bytes more in this run; "" for none."""
        spent = sum(one.size for one in self.opened.asked() if one.run == self.run)
        try:
            megabytes = budget_of(self.session)
        except BadBudget as problem:
            return problem.sentence if size else ""
        if spent + size <= megabytes * 1_000_000:
            return ""
        budget = f"the budget of {megabytes} MB for one run"
        return f"it is {size // 1_000_000} MB, and of {budget} {spent // 1_000_000} are spent"

    def left_out(self, name: bytes, size: int, added: bytes) -> str | None:
        """Return None if so many bytes may be fetched; else record that `name` is not brought.

        Then return the reason, or "" where the bytes alone would fit: the next run gets them. `added`: what
        `--with` brings.
        """
        reason = self.over_budget(size)
        if reason and self.wanted.ask:
            reason = refusal(self.decision.program, name, size, reason)
        if not reason:
            return None
        self.keep_out(name, reason, f"run --with {display(added)}", self.session.paths.config)
        return "" if self._would_fit(size) else reason

    def keep_out(self, name: bytes, reason: str, command: str, settings: bytes = b"") -> str:
        """Record what is told if the program fails: the reason, which is returned, and the way to bring it.

        Programs try drivers and much else, and work without: nothing is told at once. `settings`: see
        KeptOut.add.
        """
        line = library_not_brought(name, reason, command, self.decision.program)
        self.opened.keep_out(name, line, settings)
        return reason

    def _would_fit(self, size: int) -> bool:
        try:
            return size <= budget_of(self.session) * 1_000_000
        except BadBudget:
            return False

    @property
    def decision_store(self) -> DecisionStore:
        """Return the store of decisions that the program's is in."""
        directory = self.opened.directory.rsplit(b"/", 3)[0]
        decisions = self.session.paths.decisions
        return variant(decisions, b"" if directory == decisions else os.path.basename(directory))

    def _keep(self, store: Store, trees: Sequence[StorePath]) -> None:
        self.decision_store.keep_besides(store.layout, self.decision, trees, self._name)


@contextlib.contextmanager
def running(session: Session, directory: bytes, wanted: RunRequest) -> Iterator[RunningProgram]:
    """Give the program whose links are in a directory, and keep other helpers from it meanwhile.

    Raises:
        NotOurs: the directory is no decision's.
        OSError: it cannot be read, or locked.
    """
    decision_directory, name = _decision_of(session.paths.decisions, directory)
    opened = Opened(directory)
    with opened.turn():
        decision = read_decision(os.path.join(decision_directory, name))
        if decision is None or decision.opened != directory:
            raise NotOurs(directory)
        yield RunningProgram(session, decision, opened, wanted, name)


def _decision_of(decisions: bytes, directory: bytes) -> tuple[bytes, bytes]:
    """Return the directory, and the decision's file below it. Raises NotOurs: the path leads elsewhere."""
    top, name = os.path.split(os.path.dirname(directory))
    decision_directory, last = os.path.split(top)
    below = (
        decision_directory == decisions or os.path.dirname(os.path.dirname(decision_directory)) == decisions
    )
    if not below or last != OPENED or os.path.normpath(directory) != directory:
        raise NotOurs(directory)
    named = os.path.join(NAMED, name)
    return decision_directory, named if os.path.exists(os.path.join(decision_directory, named)) else name


def _called(pin: Pin) -> bytes:
    """Return the words for a package by which it is recorded."""
    return b"%b=%b" % (pin.name, pin.version)


def _asking_process() -> bytes:
    """Return the number and the start time of the program's process; b"" if it is not known.

    Its child, which is this process's parent, was made by loader/resident/helper_call.c.
    """
    try:
        asker = stat_fields(os.getppid())[1]
        return b"%b.%b" % (asker, stat_fields(int(asker))[19])
    except OSError:
        return b""
