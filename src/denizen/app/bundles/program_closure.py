"""A program's closure from packages alone: what a bundle is made from, an image exported, an SBOM told."""

from __future__ import annotations

import os
import tempfile

from denizen.app.bundles.errors import NoClosure
from denizen.app.bundles.fhs_rule_files import wanted_files
from denizen.app.bundles.further_programs import only_programs, programs_below, unpack_packed
from denizen.app.bundles.interpreter_modules import module_packages
from denizen.app.errors import refuse_unsatisfied
from denizen.app.no_program import why_missing, why_unusable
from denizen.app.resolution.installed_libraries import installed_libraries
from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.diagnose.kind_checks import NOT_PROGRAMS
from denizen.disk_view import DiskView
from denizen.elf.classify import ProgramKind
from denizen.errors import BadInput
from denizen.launch.decisions.link_decision import decision_for
from denizen.launch.program import open_program
from denizen.resolve.directory_objects import added_objects
from denizen.resolve.installation.install import install, repaired
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.app.session import Session
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.link_decision import InstalledLibraries
    from denizen.launch.program import Program
    from denizen.resolve.resolution import Resolution, ResolutionProblem

# A bundle has one directory of libraries; that they are opened at run time is all that is asked.
_OPENED = b"/opened"
# Resolutions; each leaves out the further programs that the one before could not satisfy.
_ROUNDS = 4


class ClosureRequest(Value):
    """The program, and the options of its resolution.

    Attributes:
        program: its path.
        extra: sonames, package names and paths of objects that it needs besides.
        suites: the suites to resolve in; () for the sources' own.
        offline: use only what is there already.
        tree: a directory whose programs it may start; b"" for none.
    """

    program: bytes
    extra: tuple[bytes, ...] = ()
    suites: tuple[str, ...] = ()
    offline: bool = False
    tree: bytes = b""


class ProgramClosure(Value):
    """A program with everything from packages that it needs, in the store.

    Attributes:
        program: the program.
        resolution: the packages chosen.
        decision: how the loader starts it, with paths of the store.
        packages: .deb hash -> the tree of the package.
        children: path -> decision, of programs of its tree that the same packages serve.
        files: path at which it looks for a file -> the file.
        beside: soname -> path of chosen libraries that came with the program.
    """

    program: Program
    resolution: Resolution
    decision: Decision
    packages: dict[bytes, bytes]
    children: Mapping[bytes, Decision]
    files: Mapping[bytes, bytes]
    beside: Mapping[bytes, bytes]


def opened_program(path: bytes) -> Program:
    """Return the program or script at a path, links followed. Raises NoClosure."""
    try:
        program = open_program(DiskView(), os.path.realpath(path))
    except OSError as problem:
        raise NoClosure(path, why_missing(path, problem)) from problem
    reason = why_unusable(program)
    if program.classification.kind is ProgramKind.LIBRARY and is_static(program):
        reason = f"it is {NOT_PROGRAMS[ProgramKind.LIBRARY]}"
    if reason:
        raise NoClosure(path, reason)
    return program


def is_static(program: Program) -> bool:
    """Tell whether the program names no dynamic linker: it needs nothing but a kernel."""
    return program.image is not None and program.image.interpreter is None


def packaged_closure(session: Session, request: ClosureRequest) -> ProgramClosure:
    """Return the closure of a program; its packages are fetched into the store.

    Raises:
        NoClosure: it is no ELF program that names a dynamic linker.
        Unsatisfied, StillMissing: packages do not have all that it needs.
        SourceFailed, HostLacks: a package cannot be fetched.
    """
    program = opened_program(request.program)
    image = program.image
    if image is None:
        raise NoClosure(request.program, "it is a script: name its interpreter")
    if image.interpreter is None or image.dynamic is None:
        raise NoClosure(request.program, "it is static, and needs nothing from packages")
    policy = FetchPolicy(offline=request.offline)
    wanted = wanted_files(session, program, offline=request.offline)
    further = programs_below(request.tree, program) if request.tree else ()
    resolution = _resolution(
        session,
        program,
        request,
        policy,
        (*further, *only_programs(wanted.files.values()), *wanted.listed, *module_packages(program)),
    )
    with made_store(session) as store, store.working() as work:
        supply = supply_of(session, policy)
        made = install(store, resolution, supply)
        made = repaired(store, work, resolution, made, supply) or made
        work.need([made.libraries])
        found = installed_libraries(store, made, program, resolution)
        added = added_objects(DiskView(), [name for name in request.extra if b"/" in name], program.path)
        installed = replace(found, opened=_OPENED, added=added)
        decision = decision_for(program, installed)
        children = dict(_children(further, installed))
        trees = {sha256: store.place_of(path) for sha256, path in made.packages.items()}
    return ProgramClosure(program, resolution, decision, trees, children, wanted.files, installed.beside)


def _children(paths: Sequence[bytes], installed: InstalledLibraries) -> Iterator[tuple[bytes, Decision]]:
    """Yield the programs that the installed libraries serve, with the decisions about them."""
    for path in paths:
        try:
            yield path, decision_for(open_program(DiskView(), path), installed)
        except (OSError, BadInput):
            continue


def _resolution(
    session: Session, program: Program, request: ClosureRequest, policy: FetchPolicy, further: Sequence[bytes]
) -> Resolution:
    """Return the packages for the program, and for further ones as far as packages have what these need."""
    with tempfile.TemporaryDirectory(prefix="denizen-packed-") as name:
        unpacked = os.fsencode(name)
        unpack_packed(program, unpacked)
        further = (*further, *programs_below(unpacked, program))
        for rounds_left in reversed(range(_ROUNDS)):
            extra = (*request.extra, *further)
            resolution = resolve_path(session, program.path, policy, request.suites, extra)
            lacking = [one for one in resolution.problems if one.kind.stops_start]
            if not lacking or not further:
                break
            further = _without(further, lacking, os.path.dirname(program.path)) if rounds_left > 1 else ()
    refuse_unsatisfied(request.program, resolution)
    if resolution.interpreter is None:
        raise NoClosure(request.program, "no package has the interpreter that it names")
    return resolution


def _without(
    further: Sequence[bytes], lacking: Sequence[ResolutionProblem], home: bytes
) -> tuple[bytes, ...]:
    """Return the further programs that lack nothing; none of them where it is a library that lacks it."""
    blamed = {os.path.normpath(os.path.join(home, one.needed_by)) for one in lacking}
    left = tuple([path for path in further if path not in blamed])
    return left if len(left) < len(further) else ()
