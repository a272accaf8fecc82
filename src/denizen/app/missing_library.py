"""The answer to a running program that misses a library: provide it, or record why it cannot be had.

The resident (denizen's code inside the program) waits for this process to end and then looks into the
directory of links (launch/dlopen_links.py). If this process fails, the directory has no link, and the program
sees the error that it would have seen without denizen.
"""

from __future__ import annotations

import os

from denizen.app.brought_files import is_hosts_own, show_files
from denizen.app.factories import supply_of, world_of
from denizen.app.resolution.package_sources import sources_for
from denizen.app.resolution.resolve_program import files_of, indexed_suites, indexes_of
from denizen.app.supply.store_access import made_store
from denizen.disk import DiskView
from denizen.errors import BadInput, display
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.load_list import C_LIBRARY
from denizen.launch.dlopen_links import OPENED, DlopenRequest, Opened, is_soname
from denizen.launch.fast_path import read_decision
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.development_links import library_meant
from denizen.resolve.existing_libraries import HostLibraries, ProcessLibraries
from denizen.resolve.installation.install import install, planned
from denizen.resolve.library_path import run_path_libraries
from denizen.resolve.process_extension import counted, extension
from denizen.resolve.rule_packs import load_rules
from denizen.sources.base import Offline
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.fileview import FileView
    from denizen.formats.storepath import StorePath
    from denizen.index.locate import Index
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.resolve.installation.derivations import Recipes
    from denizen.resolve.resolution import Pin, Resolution
    from denizen.store.local import Store

# MB of packages for one run of a program; 0 forbids all. The file `budget` in the configuration overrides it.
DEFAULT_BUDGET = 100
# The program waits: without a network it is to see its own error after half a second.
_ATTEMPTS = 2
_PATIENCE = 10.0


class NotOurs(BadInput):
    """The error that the directory or the name is not one with which the resident asks."""

    place: bytes
    WHAT = "{place} is not what the resident asks for"


def answer(session: Session, directory: bytes, soname: bytes, wanted: RunRequest, *, needed: bool) -> None:
    """Provide the library `soname` for the decision whose links are in `directory`, or record why not.

    Args:
        session: the paths and the reporter.
        directory: the decision's directory of links.
        soname: the library's name.
        wanted: the options of the program's start.
        needed: an object that is open already lists it as DT_NEEDED; else the program calls dlopen.

    Raises:
        NotOurs, OSError: and the errors of resolving and realising. Nothing is recorded then.
    """
    decision_directory, name = _decision_of(session.paths.decisions, directory, soname)
    opened = Opened(directory)
    with opened.turn():
        if opened.has(soname):
            return
        decision = read_decision(os.path.join(decision_directory, name))
        if decision is None or decision.opened != directory:
            raise NotOurs(directory)
        _Answer(session, decision, opened, wanted).give(soname, needed=needed)


def _decision_of(decisions: bytes, directory: bytes, soname: bytes) -> tuple[bytes, bytes]:
    """Return the directory and the file name of the decision. Raises NotOurs: the path leads elsewhere."""
    top, name = os.path.split(os.path.dirname(directory))
    decision_directory, last = os.path.split(top)
    below = (
        decision_directory == decisions or os.path.dirname(os.path.dirname(decision_directory)) == decisions
    )
    if not below or last != OPENED or os.path.normpath(directory) != directory or not is_soname(soname):
        raise NotOurs(directory)
    return decision_directory, name


class _Answer:
    """One request for a library, by a program that runs by one decision."""

    def __init__(self, session: Session, decision: Decision, opened: Opened, wanted: RunRequest) -> None:
        self._session = session.quieter()
        self._decision = decision
        self._opened = opened
        self._wanted = wanted
        self._policy = FetchPolicy(attempts=_ATTEMPTS, patience=_PATIENCE, offline=wanted.offline)
        self._run = _asking_process()

    def give(self, soname: bytes, *, needed: bool) -> None:
        """Provide the library or record why not.

        The size budget does not apply where an open object needs it.
        """
        self._opened.let_in(soname)
        try:
            reason = self._against(soname, needed=needed) or self._bring(soname, needed=needed)
        except Offline:
            self._keep_out(soname, "--offline forbids to fetch it", "run")
            raise
        if reason:
            self._opened.deny(soname, reason)

    def _against(self, soname: bytes, *, needed: bool) -> str:
        """Return the reason not to provide the library, whatever package has it; "" for none."""
        if self._opened.is_locked:
            return self._keep_out(soname, "the lock does not have it", "run")
        if soname in C_LIBRARY and not self._decision.libraries:
            return "it is a part of the C library, which is this host's"
        rules = load_rules()
        store = self._session.paths.store + b"/"
        reason = (
            rules.host_reason(soname)
            if needed
            else rules.kept_out_reason(soname, lambda path: is_hosts_own(path, store))
        )
        if reason and self._index().knows(soname):
            return self._keep_out(soname, reason, f"run --with {display(soname)}")
        return reason

    def _keep_out(self, soname: bytes, reason: str, command: str) -> str:
        """Record what is told if the program fails: the reason, which is returned, and the way to bring it.

        Programs try drivers and much else, and work without: nothing is told at once.
        """
        program = display(self._decision.program)
        line = f"denizen: {display(soname)} was not brought: {reason}; denizen {command} {program} brings it"
        self._opened.keep_out(soname, line)
        return reason

    def _bring(self, soname: bytes, *, needed: bool) -> str:
        view = DiskView()
        parts = {name: path for name, path in parts_of_libc(view, self._decision) if name not in self._there}
        if soname in parts:
            self._show(parts, DlopenRequest(soname, (), 0))
            return ""
        index, there = self._index(), self._there | parts
        name = library_meant(soname, there, index) or soname
        # An object with a DT_RUNPATH does not find what the program's own run path leads to.
        if name in there:
            self._opened.show(parts | {soname: there[name]})
            return ""
        resolution = self._resolved(view, there, name, index)
        if resolution is None:
            return "no package has it that goes together with the program's libraries"
        with made_store(self._session) as store, store.working() as work:
            supply = supply_of(self._session, self._policy)
            new = self._new(store, planned(store, resolution, supply), resolution)
            size = sum(pin.size for pin in counted(new, resolution, load_rules()))
            if not needed and (reason := self._over_budget(size)):
                reason = self._keep_out(soname, reason, f"run --with {display(soname)}")
                # Alone it may fit: then the next run gets it.
                return reason if size > self._budget else ""
            made = install(store, resolution, supply)
            work.need(made.packages.values())
            trees = [made.packages[pin.sha256] for pin in new]
            self._keep(store, trees)
            show_files(self._decision_store, self._decision, [store.place_of(tree) for tree in trees])
            links = _links(store, made, resolution)
            # The library's own name: a new decision has it from the start, and no package has links alone.
            request = DlopenRequest(name, tuple(map(_called, new)), size, self._run)
            self._show(parts | links | {soname: links[name]}, request)
        return ""

    def _show(self, links: dict[bytes, bytes], request: DlopenRequest) -> None:
        """Let the program find what came, and the next start find it as fast as its other libraries."""
        self._opened.show(links)
        self._opened.record(request)
        if self._decision.search:
            self._opened.join(self._decision.search)

    @property
    def _there(self) -> dict[bytes, bytes]:
        """Return the libraries that the process loaded at its start or finds: name -> path."""
        search = self._decision.search
        started = {one.name.rpartition(b"/")[2]: one.path for one in self._decision.libraries}
        linked = {name: os.path.join(search, name) for name in (os.listdir(search) if search else ())}
        # Parts of the C library are those of the one that runs.
        led_to = run_path_libraries(CachedView(DiskView()), self._decision.program)
        parts = C_LIBRARY | {os.path.basename(self._decision.ldso)}
        own = {name: path for name, path in led_to.items() if name not in parts}
        return self._opened.links() | linked | own | started

    def _new(self, store: Store, plan: Recipes, resolution: Resolution) -> list[Pin]:
        """Return the packages that are neither in the decision nor from an earlier answer."""
        brought = {package for one in self._opened.asked() for package in one.packages}
        return [
            pin
            for pin in resolution.packages
            if _called(pin) not in brought
            and store.place_of(plan.packages[pin.sha256]) not in self._decision.objects
        ]

    def _resolved(
        self, view: FileView, there: dict[bytes, bytes], soname: bytes, index: Index
    ) -> Resolution | None:
        """Choose a library that goes together with those of the process; None if nobody has it."""
        program = self._decision.program
        if not index.knows(soname):
            return None
        remembered = CachedView(view)
        world = ProcessLibraries(remembered, there, self._host(remembered))
        if world.image(soname) is not None:
            return None
        sources = sources_for(self._session, self._policy, index)
        return extension(remembered, program, world, sources, soname)

    def _index(self) -> Index:
        """Return the indexes that are here, in which the resident looks too.

        The base suite's comes first. An unknown name must not cause others to be fetched.
        """
        program = self._decision.program
        index = indexes_of(
            self._session, program, indexed_suites(self._session, program, self._wanted.suites)
        )
        self._opened.look_in(files_of(index))
        return index

    def _host(self, view: CachedView) -> HostLibraries | None:
        """Return the libraries of this host, for a process that finds them."""
        if not self._opened.extends_host:
            return None
        ldso = self._decision.ldso
        start = replace(world_of(self._session.environ, ldso).environment, interpreter_path=ldso)
        return HostLibraries(view, self._decision.program, start)

    def _over_budget(self, size: int) -> str:
        spent = sum(one.size for one in self._opened.asked() if one.run == self._run)
        if spent + size <= self._budget:
            return ""
        budget = f"the budget of {self._budget // 1_000_000} MB for one run"
        return f"it is {size // 1_000_000} MB, and of {budget} {spent // 1_000_000} are spent"

    @property
    def _budget(self) -> int:
        return budget_of(self._session) * 1_000_000

    @property
    def _decision_store(self) -> DecisionStore:
        directory = self._opened.directory.rsplit(b"/", 3)[0]
        decisions = self._session.paths.decisions
        return variant(decisions, b"" if directory == decisions else os.path.basename(directory))

    def _keep(self, store: Store, trees: Sequence[StorePath]) -> None:
        """Keep new packages from collection as long as the decision lives."""
        self._decision_store.keep_besides(store.layout, self._decision, trees)


def parts_of_libc(view: FileView, decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return (name, path) of the libraries of the decision's C library that are beside it.

    Those of any other C library do not work with it.
    """
    own = next((one.path for one in decision.libraries if one.name.endswith(b"libc.so.6")), None)
    if own is None:
        return []
    beside = ((name, os.path.join(os.path.dirname(own), name)) for name in sorted(C_LIBRARY))
    return [(name, view.realpath(path)) for name, path in beside if os.path.exists(path)]


def _asking_process() -> bytes:
    """Return the number and the start time of the program's process; b"" if it is not known.

    Its child, which is this process's parent, was made by loader/resident/ask.c.
    """
    try:
        asker = _stat_fields(os.getppid())[1]
        return b"%b.%b" % (asker, _stat_fields(int(asker))[19])
    except OSError:
        return b""


def _stat_fields(process: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat after the name, which may hold blanks (proc_pid_stat(5))."""
    with open(f"/proc/{process}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()


def _links(store: Store, made: Recipes, resolution: Resolution) -> dict[bytes, bytes]:
    return {
        one.soname: os.path.realpath(os.path.join(store.place_of(made.packages[one.package]), one.path))
        for one in resolution.choices
        if one.package
    }


def _called(pin: Pin) -> bytes:
    return b"%b=%b" % (pin.name, pin.version)


def budget_of(session: Session) -> int:
    """Return the size in MB of the packages that may be added to a program in one run."""
    try:
        with open(session.paths.config + b"/budget", "rb") as stream:
            text = stream.read(16).strip()
    except OSError:
        return DEFAULT_BUDGET
    return int(text) if text.isdigit() else DEFAULT_BUDGET
