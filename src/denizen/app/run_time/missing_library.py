"""The answer to a running program that misses a library: provide it, or record why it cannot be had.

The resident (denizen's code inside the program) waits for this process to end and then looks into the
directory of links (launch/dlopen_record.py). If this process fails, the directory has no link, and the
program sees the error that it would have seen without denizen.
"""

from __future__ import annotations

import os

from denizen.app.host_linker_environment import host_context
from denizen.app.resolution.opened_links import default_directories
from denizen.app.resolution.resolution_sources import sources_for
from denizen.app.run_time.brought_files import is_hosts_own
from denizen.app.run_time.running_program import NotOurs, running
from denizen.app.supply.store_access import made_store
from denizen.disk_view import DiskView
from denizen.errors import display
from denizen.launch.dlopen_record import is_soname
from denizen.launch.kept_out import NOT_FETCHED, NOT_LOCKED
from denizen.linker.c_library import C_LIBRARY
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.development_links import library_meant
from denizen.resolve.existing_libraries import HostLibraries, ProcessLibraries
from denizen.resolve.library_path_libraries import run_path_libraries
from denizen.resolve.missed_library_choice import library_added
from denizen.resolve.rule_packs import load_rules
from denizen.sources.errors import Offline
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.run_time.running_program import RunningProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fileview import FileView
    from denizen.index.locate import Index
    from denizen.launch.decisions.decision import Decision
    from denizen.resolve.installation.resolution_derivations import Recipes
    from denizen.resolve.resolution import Resolution
    from denizen.store.local import Store


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
    if not is_soname(soname):
        raise NotOurs(soname)
    with running(session, directory, wanted) as program:
        if not program.opened.has(soname):
            _Answer(program).give(soname, needed=needed)


class _Answer:
    """One request for a library, by a program that runs by one decision."""

    def __init__(self, program: RunningProgram) -> None:
        self._program = program
        self._opened = program.opened
        self._decision = seen_from_outside(program.decision, program.opened.environment)

    def give(self, soname: bytes, *, needed: bool) -> None:
        """Provide the library or record why not.

        The size budget does not apply where an open object needs it.
        """
        self._opened.let_in(soname)
        try:
            reason = self._against(soname, needed=needed) or self._bring(soname, needed=needed)
        except Offline:
            self._program.keep_out(soname, NOT_FETCHED, "run")
            raise
        if reason:
            self._opened.deny(soname, reason)

    def _against(self, soname: bytes, *, needed: bool) -> str:
        """Return the reason not to provide the library, whatever package has it; "" for none."""
        if self._opened.is_locked:
            return self._program.keep_out(soname, NOT_LOCKED, "run")
        if soname in C_LIBRARY and not self._decision.libraries:
            return "it is a part of the C library, which is this host's"
        rules = load_rules()
        store = self._program.session.paths.store + b"/"
        reason = (
            rules.host_reason(soname)
            if needed
            else rules.kept_out_reason(soname, lambda path: is_hosts_own(path, store))
        )
        if reason and self._program.index().knows(soname):
            return self._program.keep_out(soname, reason, f"run --with {display(soname)}")
        return reason

    def _bring(self, soname: bytes, *, needed: bool) -> str:
        view = DiskView()
        parts = {name: path for name, path in parts_of_libc(view, self._decision) if name not in self._there}
        if soname in parts:
            self._program.show_library(parts, soname)
            return ""
        index, there = self._program.index(), self._there | parts
        name = library_meant(soname, there, index) or soname
        # An object with a DT_RUNPATH does not find what the program's own run path leads to.
        if name in there:
            self._program.show(parts | {soname: there[name]})
            return ""
        resolution = self._resolved(view, there, name, index)
        if resolution is None:
            return "no package has it that goes together with the program's libraries"
        with made_store(self._program.session) as store, store.working() as work:
            added = self._program.addition(store, resolution)
            new, size = added.new, added.size
            if not needed and (left_out := self._program.left_out(soname, size, soname)) is not None:
                return left_out
            made = self._program.install(store, work, resolution, new)
            links = _links(store, made, resolution)
            # The library's own name: a new decision has it from the start, and no package has links alone.
            self._program.show_library(parts | links | {soname: links[name]}, name, new, size)
        return ""

    @property
    def _there(self) -> dict[bytes, bytes]:
        """Return the libraries that the process loaded at its start or finds: name -> path."""
        search = self._decision.search
        linked = {name: os.path.join(search, name) for name in (os.listdir(search) if search else ())}
        # Parts of the C library are those of the one that runs.
        led_to = run_path_libraries(CachedView(DiskView()), self._decision.program)
        parts = C_LIBRARY | {os.path.basename(self._decision.ldso)}
        around = libraries_of(self._opened.environment)
        own = {name: path for name, path in led_to.items() if name not in parts}
        return around | self._opened.links() | linked | own | self._program.started_with

    def _resolved(
        self, view: FileView, there: dict[bytes, bytes], soname: bytes, index: Index
    ) -> Resolution | None:
        """Return the packages of a library that goes with those of the process; None if there are none."""
        program = self._decision.program
        if not index.knows(soname):
            return None
        remembered = CachedView(view)
        existing = ProcessLibraries(remembered, there, self._host(remembered))
        if existing.image(soname) is not None:
            return None
        sources = sources_for(self._program.session, self._program.policy, index)
        return library_added(remembered, program, existing, sources, soname)

    def _host(self, view: CachedView) -> HostLibraries | None:
        """Return the libraries of this host, for a process that finds them."""
        if self._opened.environment or not self._opened.extends_host:
            return None
        ldso = self._decision.ldso
        start = replace(host_context(self._program.session.environ, ldso).environment, interpreter_path=ldso)
        return HostLibraries(view, self._decision.program, start)


def seen_from_outside(decision: Decision, tree: bytes) -> Decision:
    """Return the decision with the libraries of the environment `tree` by their paths in the store."""
    if not tree:
        return decision
    libraries = (
        replace(one, path=tree + one.path) if os.path.exists(tree + one.path) else one
        for one in decision.libraries
    )
    return replace(decision, libraries=tuple(libraries))


def libraries_of(tree: bytes) -> dict[bytes, bytes]:
    """Return the libraries that a program finds in an environment: name -> path; none for no tree."""
    if not tree:
        return {}
    found = {}
    for directory in default_directories(tree):
        for name in os.listdir(tree + directory):
            if is_soname(name):
                found[name] = os.path.join(tree + directory, name)
    return found


def parts_of_libc(view: FileView, decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return (name, path) of the libraries of the decision's C library that are beside it.

    Those of any other C library do not work with it.
    """
    own = next((one.path for one in decision.libraries if one.name.endswith(b"libc.so.6")), None)
    if own is None:
        return []
    beside = ((name, os.path.join(os.path.dirname(own), name)) for name in sorted(C_LIBRARY))
    return [(name, view.realpath(path)) for name, path in beside if os.path.exists(path)]


def _links(store: Store, made: Recipes, resolution: Resolution) -> dict[bytes, bytes]:
    return {
        one.soname: os.path.realpath(os.path.join(store.place_of(made.packages[one.package]), one.path))
        for one in resolution.choices
        if one.package
    }
