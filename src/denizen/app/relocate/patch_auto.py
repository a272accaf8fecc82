"""A patched copy of a program that starts with the libraries of packages and without denizen.

The packages are resolved and put into the store as for `denizen run`; what is there already is verified. The
copy names the dynamic linker there, and one directory with links to all libraries as its DT_RPATH: unlike
DT_RUNPATH, it is searched for the libraries of libraries too. Only an object with a DT_RUNPATH of its own
ignores it (glibc elf/dl-load.c); what such an object would miss, the copy itself needs first. The program's
own run path stays ahead, so that libraries beside it win.

A decision about the copy keeps the packages in the store for as long as the copy is there.
"""

from __future__ import annotations

import os

from denizen.app.errors import refuse_unsatisfied
from denizen.app.relocate.patch_program import NoFileToPatch, NotPatched, PatchRequest, patch
from denizen.app.resolution.installed_libraries import installed_libraries
from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.disk_view import DiskView
from denizen.elf import read
from denizen.errors import display
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.link_decision import InstalledLibraries, StillMissing, decision_for
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.program import open_program
from denizen.linker import Environment, resolve
from denizen.relocate.file_edits import apply
from denizen.relocate.patch_changes import Changes
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.run_paths import added
from denizen.resolve.cache.cached_view import ParsedFile
from denizen.resolve.installation.install import install, repaired
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.relocate.patch_program import Patched
    from denizen.app.session import Session
    from denizen.elf import Image
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.resolve.resolution import Resolution
    from denizen.store.local import Store

# The decisions about patched copies, apart from those by which programs are started.
_SHELF = b"patched"


def patch_auto(session: Session, path: bytes, target: bytes, *, offline: bool = False) -> Patched:
    """Write a copy of a program that starts with packages' libraries and without denizen.

    Raises:
        NoFileToPatch, NotPatched: the program cannot be read, or not be changed so.
        Unsatisfied, StillMissing: packages do not have all that it needs.
        SourceFailed, HostLacks: a package cannot be fetched.
    """
    place = os.path.realpath(path)
    try:
        program = open_program(DiskView(), place)
    except OSError as problem:
        raise NoFileToPatch(path, problem.strerror or str(problem)) from problem
    image = program.image
    if image is None or image.interpreter is None or image.dynamic is None:
        raise NotPatched(path, "it names no interpreter: it is no program, or static")
    policy = FetchPolicy(offline=offline)
    resolution = _resolution(session, place, policy)
    with made_store(session) as store, store.working() as work:
        supply = supply_of(session, policy)
        made = install(store, resolution, supply)
        made = repaired(store, work, resolution, made, supply) or made
        work.need([made.libraries])
        installed = installed_libraries(store, made, program, resolution)
        decision = decision_for(program, installed)
        if not os.access(decision.ldso, os.X_OK):
            raise NotPatched(
                path, f"the kernel does not start {display(decision.ldso)}: it is not executable"
            )
        changes = _changes(program, image, decision, installed)
        done = patch(PatchRequest(place, target, changes))
        _keep(session, store, decision, done.target)
    return done


def _resolution(session: Session, place: bytes, policy: FetchPolicy) -> Resolution:
    resolution = resolve_path(session, place, policy)
    refuse_unsatisfied(place, resolution)
    if resolution.interpreter is None:
        raise NotPatched(place, "no package has the interpreter that it names")
    return resolution


def _changes(program: Program, image: Image, decision: Decision, installed: InstalledLibraries) -> Changes:
    """Return the changes; the linker model finds all libraries of the file changed so.

    Raises:
        StillMissing: it does not.
    """
    dynamic = image.dynamic
    assert dynamic is not None
    own = dynamic.rpath if dynamic.runpath is None else dynamic.runpath
    beside = [os.path.dirname(path) for path in installed.beside.values()]
    path = added(own, [*dict.fromkeys(beside), decision.search])
    changes = Changes(decision.ldso, path, force_rpath=True, no_default_lib=True)
    missing = _missing(program, image, changes)
    if not missing:
        return changes
    there = frozenset(os.listdir(decision.search))
    changes = replace(changes, add_needed=tuple(name for name in missing if name in there))
    missing = _missing(program, image, changes)
    if missing:
        raise StillMissing(program.path, missing)
    return changes


def _missing(program: Program, image: Image, changes: Changes) -> tuple[bytes, ...]:
    new = read(apply(plan_patch(image, changes), image.buffer))
    view = ParsedFile(program.view, program.path, program.stat, new)
    closure = resolve(view, program.path, Environment(interpreter_path=changes.interpreter))
    return tuple(library.soname for library in closure.missing)


def _keep(session: Session, store: Store, decision: Decision, target: bytes) -> None:
    """Keep the store objects for as long as the copy is there."""
    shelf = variant(session.paths.decisions, _SHELF)
    kept = replace(decision, identity=identity_of(DiskView().stat(target)), program=os.path.abspath(target))
    shelf.write(kept, movable=False)
    shelf.keep(store.layout, kept)
