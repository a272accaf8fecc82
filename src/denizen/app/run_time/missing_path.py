"""The answer to a running program that opens a library by a path at which only a package has it.

A driver of ODBC, a module of PKCS #11: a configuration names the file, outside of the directories that the
dynamic linker searches. It is shown at its path; what it needs is missed, and brought, by names.
"""

from __future__ import annotations

import os

from denizen.app.run_time.brought_files import show_files, shows_files
from denizen.app.run_time.running_program import NotOurs, running
from denizen.app.supply.store_access import made_store
from denizen.launch.kept_out import NOT_FETCHED, NOT_LOCKED, NOT_SHOWN, OTHER_NAME
from denizen.launch.resources.fixed_paths import FixedPathResource
from denizen.resolve.missed_library_choice import package_added
from denizen.sources.errors import Offline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.run_time.running_program import RunningProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.resolve.resolution import Resolution

# A file name's limit (NAME_MAX), for the path is recorded as one.
_MAX_PATH = 200


def bring_path(session: Session, directory: bytes, path: bytes, wanted: RunRequest) -> None:
    """Show the file at `path` if a package has it there.

    Args:
        session: the paths and the reporter.
        directory: the directory of links of the program's decision.
        path: where the program opens a library.
        wanted: the options of the program's start.

    Raises:
        NotOurs, BadInput, OSError: and the errors of fetching and realising.
    """
    if os.path.normpath(path) != path or len(path) >= _MAX_PATH:
        raise NotOurs(path)
    with running(session, directory, wanted) as program:
        program.opened.let_in(path)
        try:
            reason = _against(program, path) or _bring(program, path)
        except Offline:
            program.keep_out(path, NOT_FETCHED, "run")
            raise
        if reason:
            program.opened.deny_path(path, reason)


def _against(program: RunningProgram, path: bytes) -> str:
    if program.opened.is_locked:
        return program.keep_out(path, NOT_LOCKED, "run")
    if not shows_files(program.decision_store, program.decision):
        return NOT_SHOWN
    return ""


def _bring(program: RunningProgram, path: bytes) -> str:
    """Show the file, or return the reason why not."""
    resolution = _resolved(program, path)
    if resolution is None:
        return "no package has it at this path"
    with made_store(program.session) as store, store.working() as work:
        added = program.addition(store, resolution)
        new, size = added.new, added.size
        if new and (left_out := program.left_out(path, size, new[0].name)) is not None:
            return left_out
        made = program.install(store, work, resolution, new)
        trees = [store.place_of(tree) for tree in made.packages.values()]
        files = [FixedPathResource(path, tree + path, directory=False) for tree in trees if _has(tree, path)]
        show_files(program.decision_store, program.decision, [], files[:1])
        program.record_packages(new)
    return "" if files else OTHER_NAME


def _has(tree: bytes, path: bytes) -> bool:
    return os.path.isfile(tree + path)


def _resolved(program: RunningProgram, path: bytes) -> Resolution | None:
    index = program.index()
    found = [one for one in index.providers(os.path.basename(path)) if one.path == path]
    if not found:
        return None
    return program.choose(package_added, found[0].package, index)
