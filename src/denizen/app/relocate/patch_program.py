"""Patching of one ELF file: planned, written beside its place, verified there, and put in its place."""

from __future__ import annotations

import errno
import os

from denizen.app.relocate.ld_so_list import compare_loading, host_linker
from denizen.app.relocate.rewrite_file import WHOLE_FILES, rewrite
from denizen.app.relocate.store_guard import refuse_in_store
from denizen.app.relocate.trial_start import check_trial, tried
from denizen.disk import DENIED, FULL
from denizen.disk_view import DiskView
from denizen.elf import read
from denizen.errors import BadInput, DenizenError, HostLacks, display
from denizen.output_place import NoRoomForOutput, no_room
from denizen.relocate.errors import CannotPatch
from denizen.relocate.patch_changes import named_interpreter
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.run_paths import added, shrunk
from denizen.relocate.verify_patch import verify_patch
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.relocate.file_edits import FilePlan
    from denizen.relocate.patch_changes import Changes

_UNWRITABLE = DENIED | {errno.EROFS}


class NotPatched(BadInput):
    """The error that a file cannot be changed; `reason` is the planner's."""

    path: bytes
    reason: str
    WHAT = "{path} cannot be patched"
    WHY = "{reason:text}"
    REMEDY = "denizen why {path} says what kind of file it is and whether it starts"


class NoFileToPatch(DenizenError):
    """The error that there is no file, or that it cannot be read or written."""

    path: bytes
    reason: str
    WHAT = "{path} cannot be patched"
    WHY = "{reason:text}"


class NotPut(HostLacks):
    """The error that the patched file cannot be written to its place; `code` is the system's errno.

    A new file is made beside it first, so a permission to write to the file alone does not do.
    """

    path: bytes
    reason: str
    code: int
    WHAT = "{path} cannot be written"
    WHY = "{reason:text}"

    @property
    def remedy(self) -> str:
        return "--output FILE, in a directory of your own" if self.code in _UNWRITABLE else ""


class PatchRequest(Value):
    """The file and what is asked for.

    Attributes:
        path: of the file.
        target: where the patched file goes; the same path to change it in place.
        changes: what changes.
        add_run_path: directories added to the run path as it is or becomes.
        shrink_run_path: leave out directories of the run path in which nothing is found.
        only_plan: write nothing.
    """

    path: bytes
    target: bytes
    changes: Changes
    add_run_path: tuple[bytes, ...] = ()
    shrink_run_path: bool = False
    only_plan: bool = False


class Patched(Value):
    """The result.

    Attributes:
        target: the file written.
        plan: the changes; empty where the file was as asked for already.
        size: the old size in bytes.
        lost: attributes of the file that could not be kept.
        unfound: libraries that this host's ld.so found before and does not find now.
        linker: this host's ld.so loads the file as before.
        asked_linker: this host has an ld.so for such files, which was asked.
        not_needed: names to be removed or replaced that the file does not need.
        no_interpreter: the new interpreter, where this host has no such file.
        tried: the new file was started, and ended as the old one does.
    """

    target: bytes
    plan: FilePlan
    size: int
    lost: tuple[str, ...] = ()
    unfound: tuple[bytes, ...] = ()
    linker: bool = False
    asked_linker: bool = False
    not_needed: tuple[bytes, ...] = ()
    no_interpreter: bytes | None = None
    tried: bool = False


def patch(asked: PatchRequest, trial: Session | None = None) -> Patched:
    """Change a file as asked for, or write a changed copy.

    `trial`: for a start in a sandbox, with `--help`, before the file is put in its place.

    Raises:
        NoFileToPatch: the file cannot be read.
        NotPatched, InStore: it cannot be changed so.
        NotPut, NoRoomForOutput: the new file cannot be written.
        WrongPatch, LinkerDisagrees, TrialFailed: the changed file is not right; nothing was written.
    """
    path = os.path.realpath(asked.path)
    # A link at another place may be somebody else's (in /tmp): it is replaced, and leads to nothing written.
    directory, name = os.path.split(asked.target)
    elsewhere = os.path.join(os.path.realpath(directory), name)
    real = replace(asked, path=path, target=path if asked.target == asked.path else elsewhere)
    try:
        buffer = WHOLE_FILES.read(path)
    except OSError as problem:
        raise NoFileToPatch(asked.path, _said(problem)) from problem
    try:
        return _patch(real, buffer, trial)
    except OSError as problem:
        raise _not_put(real.target, asked.target, problem) from problem


def _not_put(place: bytes, name: bytes, problem: OSError) -> NotPut | NoRoomForOutput:
    """Return the error for a file that cannot be written; `name` is the user's for it."""
    said, code = _said(problem), problem.errno or 0
    if code in FULL:
        return no_room(name, problem)
    directory = os.path.dirname(place)
    if code in _UNWRITABLE and not os.access(directory, os.W_OK):
        said = f"no file can be made in {display(directory)}: {said}"
    return NotPut(name, said, code)


def _said(problem: OSError) -> str:
    """Return the system's words; of a pipe or a device it says but "Invalid argument" where it is read."""
    if problem.errno == errno.EINVAL:
        return "it is not a regular file"
    return problem.strerror or str(problem)


def _patch(asked: PatchRequest, buffer: Buffer, trial: Session | None) -> Patched:
    try:
        image = read(buffer)
        changes = _with_run_path(image, asked)
        plan = plan_patch(image, changes)
    except BadInput as problem:
        raise NotPatched(asked.path, _reason(problem)) from problem
    same = asked.path == asked.target
    if not asked.only_plan:
        refuse_in_store(asked.target)
    linker = host_linker(image)
    # What is for another architecture starts elsewhere.
    remarks = _not_needed(image, changes), None if linker is None else _absent(changes.interpreter)
    if asked.only_plan or (same and plan.is_empty):
        return Patched(asked.target, plan, len(buffer), (), (), False, False, *remarks)
    unfound: tuple[bytes, ...] = ()
    loads = False

    def check(path: bytes, content: Buffer) -> None:
        nonlocal unfound, loads
        verify_patch(image, content, plan, changes)
        if linker is not None:
            unfound, loads = compare_loading(linker, asked.target, asked.path, path)
        if trial is not None:
            check_trial(asked.target, tried(trial, asked.path), tried(trial, path), path)

    written = rewrite(asked.path, asked.target, buffer, plan, check)
    asked_linker, started = linker is not None, trial is not None
    return Patched(
        asked.target, plan, len(buffer), written.lost, unfound, loads, asked_linker, *remarks, started
    )


def _not_needed(image: Image, changes: Changes) -> tuple[bytes, ...]:
    """Return the names to be removed or replaced that the file neither needs nor has replaced already."""
    needed = image.dynamic.needed if image.dynamic is not None else ()
    replaced = [old for old, new in changes.replace_needed if old not in needed and new not in needed]
    return (*[name for name in changes.remove_needed if name not in needed], *replaced)


def _absent(interpreter: bytes | None) -> bytes | None:
    return None if interpreter is None or os.path.exists(interpreter) else interpreter


def _reason(problem: BadInput) -> str:
    if isinstance(problem, CannotPatch):
        return problem.why
    return f"{problem.what}: {problem.why}"


def _with_run_path(image: Image, asked: PatchRequest) -> Changes:
    """Return the changes with the run path that results from adding and shrinking. Raises BadInput."""
    changes = asked.changes
    if asked.shrink_run_path:
        return replace(changes, run_path=shrunk(DiskView(), asked.path, image))
    if not asked.add_run_path:
        return changes
    if b"" in b":".join(asked.add_run_path).split(b":"):
        raise CannotPatch("an empty directory of a run path is the one in which the program is started")
    return replace(changes, run_path=added(_run_path(image), asked.add_run_path))


def _run_path(image: Image) -> bytes | None:
    dynamic = image.dynamic
    if dynamic is None:
        return None
    return dynamic.rpath if dynamic.runpath is None else dynamic.runpath


def facts(path: bytes) -> dict[str, object]:
    """Return what `patch` can change of a file, as it is, for people and programs to read.

    Raises NoFileToPatch, NotPatched.
    """
    try:
        image = read(DiskView().read(path))
        dynamic = image.dynamic
        interpreter = named_interpreter(image)
    except OSError as problem:
        raise NoFileToPatch(path, _said(problem)) from problem
    except BadInput as problem:
        raise NotPatched(path, _reason(problem)) from problem
    payload = image.payload
    return {
        "program": display(path),
        "interpreter": None if interpreter is None else display(interpreter),
        "soname": _shown(dynamic.soname if dynamic else None),
        "runpath": _shown(dynamic.runpath if dynamic else None),
        "rpath": _shown(dynamic.rpath if dynamic else None),
        "needed": [display(name) for name in dynamic.needed] if dynamic else [],
        "no_default_lib": bool(dynamic and dynamic.flags_1 & 0x800),
        "payload": payload.kind or "unknown" if payload is not None else None,
    }


def _shown(name: bytes | None) -> str | None:
    return None if name is None else display(name)
