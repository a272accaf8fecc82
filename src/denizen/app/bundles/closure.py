"""A program's closure from packages alone: what a bundle is made from, an image exported, an SBOM told."""

from __future__ import annotations

import os

from denizen.app.bundles.errors import NotBundled
from denizen.app.errors import refuse_unsatisfied
from denizen.app.factories import supply_of
from denizen.app.resolution.installed_libraries import installed_libraries
from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.supply.store_access import made_store
from denizen.disk import DiskView
from denizen.launch.decisions.link_decision import decision_for
from denizen.launch.program import open_program
from denizen.resolve.installation.install import install
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.resolve.resolution import Resolution

# A bundle has one directory of libraries; that they are opened at run time is all that is asked.
_OPENED = b"/opened"


@value
class ClosureRequest:
    """The program, and the options of its resolution.

    Attributes:
        program: its path.
        extra: sonames, package names and paths of objects that it needs besides.
        suites: the suites to resolve in; () for the sources' own.
        offline: use only what is there already.
    """

    program: bytes
    extra: tuple[bytes, ...] = ()
    suites: tuple[str, ...] = ()
    offline: bool = False


@value
class ProgramClosure:
    """A program with everything from packages that it needs, in the store.

    Attributes:
        program: the program.
        resolution: the packages chosen.
        decision: how the loader starts it, with paths of the store.
        packages: .deb hash -> the tree of the package.
    """

    program: Program
    resolution: Resolution
    decision: Decision
    packages: dict[bytes, bytes]


def opened_program(path: bytes) -> Program:
    """Return the program at a path, links followed. Raises NotBundled."""
    try:
        return open_program(DiskView(), os.path.realpath(path))
    except OSError as problem:
        raise NotBundled(path, problem.strerror or str(problem)) from problem


def is_static(program: Program) -> bool:
    """Tell whether the program names no dynamic linker: it needs nothing but a kernel."""
    return program.image is not None and program.image.interpreter is None


def packaged_closure(session: Session, request: ClosureRequest) -> ProgramClosure:
    """Return the closure of a program; its packages are fetched into the store.

    Raises:
        NotBundled: it is no ELF program that names a dynamic linker.
        Unsatisfied, StillMissing: packages do not have all that it needs.
        SourceFailed, HostLacks: a package cannot be fetched.
    """
    program = opened_program(request.program)
    image = program.image
    if image is None:
        raise NotBundled(request.program, "it is no ELF program; bundle the interpreter of a script")
    if image.interpreter is None or image.dynamic is None:
        raise NotBundled(request.program, "it is static, and needs nothing from packages")
    policy = FetchPolicy(offline=request.offline)
    resolution = _resolution(session, program, request, policy)
    with made_store(session) as store, store.working() as work:
        made = install(store, resolution, supply_of(session, policy))
        work.need([made.libraries])
        installed = installed_libraries(store, made, program, resolution)
        decision = decision_for(program, replace(installed, opened=_OPENED))
        trees = {sha256: store.place_of(path) for sha256, path in made.packages.items()}
    return ProgramClosure(program, resolution, decision, trees)


def _resolution(
    session: Session, program: Program, request: ClosureRequest, policy: FetchPolicy
) -> Resolution:
    resolution = resolve_path(session, program.path, policy, request.suites, request.extra)
    refuse_unsatisfied(request.program, resolution)
    if resolution.interpreter is None:
        raise NotBundled(request.program, "no package has the interpreter that it names")
    return resolution
