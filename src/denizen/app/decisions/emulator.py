"""qemu-user for programs of another architecture: the host's, else of a package that the store then holds.

Packages are asked for by name, of this machine's architecture: Debian had static emulators in
`qemu-user-static` until 12 and has them in `qemu-user` since 13, where the old name is an empty package.
"""

from __future__ import annotations

import os

from denizen.app.session import search_path
from denizen.errors import EXIT_CANNOT_START, HostLacks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.formats.storepath import StorePath
    from denizen.index.locate import Index
    from denizen.index.provider import Provider
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program
    from denizen.machines import Machine
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

# Of the first what there is may be dynamic, and of no use; the second has static ones or is empty.
PACKAGES = (b"qemu-user-static", b"qemu-user")
# The smallest package with emulators has 20 MB; the empty one that only names its successor has some kB.
_EMPTY = 1_000_000


class NoEmulator(HostLacks):
    """Neither the host nor a package has qemu-user's program for an architecture."""

    exit_status = EXIT_CANNOT_START
    name: str
    WHAT = "there is no emulator for this program: {name:text}"
    WHY = "this host's PATH has none, and no package of the base suite has one that runs by itself"
    REMEDY = "install qemu-user, or name a suite that has it: --suite NAME"


def kept_emulator(
    session: Session, program: Program, wanted: RunRequest, decision_store: DecisionStore, base: Decision
) -> bytes:
    """Return the path of the emulator for a program, from a package if need be.

    The package is kept from collection as long as the decision `base`. Raises NoEmulator, SourceFailed,
    HostLacks.
    """
    from denizen.app.supply.store_access import made_store

    machine = _machine(program)
    found = _of_host(session, machine, wanted)
    if found:
        return found
    with made_store(session) as store, store.working() as work:
        tree, path = _brought(session, machine, wanted, store, work)
        decision_store.keep_besides(store.layout, base, [tree])
    return path


def _brought(
    session: Session, machine: Machine, wanted: RunRequest, store: Store, work: Work
) -> tuple[StorePath, bytes]:
    """Return the tree of a package in the store, as long as `work` lasts, and the emulator's path in it."""
    from denizen.app.supply.liblzma_setup import bring_decoder
    from denizen.app.supply.package_supply import supply_of
    from denizen.resolve.installation.install import unpacked
    from denizen.resolve.resolution import pin_of
    from denizen.sources.fetch_policy import FetchPolicy

    policy = FetchPolicy(offline=wanted.offline)
    bring_decoder(session)
    index = _index(session, wanted, policy)
    for package in _packages(index):
        pin = pin_of(package, index.snapshots)
        tree = unpacked(store, work, pin, supply_of(session, policy))
        path = _static(store.place_of(tree), machine)
        if path:
            return tree, path
    raise NoEmulator(_names(machine)[-1].decode("ascii"))


def emulator_words(session: Session, program: Program, wanted: RunRequest) -> str:
    """Return which emulator `kept_emulator` would take, for people; nothing is fetched but an index."""
    from denizen.app.formatting import human_size
    from denizen.errors import display
    from denizen.sources.fetch_policy import FetchPolicy

    machine = _machine(program)
    found = _of_host(session, machine, wanted)
    if found:
        return f"{display(found)}, this host's"
    name = _names(machine)[-1].decode("ascii")
    one = next(_packages(_index(session, wanted, FetchPolicy(offline=wanted.offline))), None)
    if one is None:
        return f"{name}, which no package of the base suite has"
    words = f"{display(one.package)} {display(one.version)} ({one.suite}, {human_size(one.size)} to fetch)"
    return f"{name} of the package {words}"


def host_emulators(directories: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return the paths of the emulators in some directories, one for each architecture Debian has."""
    from denizen.machines import MACHINES

    found = (_executable(directories, _names(one)) for one in MACHINES if one.debian and one.qemu)
    return tuple(dict.fromkeys(path for path in found if path))


def _machine(program: Program) -> Machine:
    machine = program.image.header.architecture if program.image is not None else None
    assert machine is not None  # what is emulated has a row
    return machine


def _of_host(session: Session, machine: Machine, wanted: RunRequest) -> bytes:
    if wanted.hermetic:
        return b""
    return _executable(search_path(session.environ), _names(machine))


def _executable(directories: tuple[bytes, ...], names: tuple[bytes, ...]) -> bytes:
    for name in names:
        for directory in directories:
            path = os.path.join(os.path.abspath(directory), name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return b""


def _names(machine: Machine) -> tuple[bytes, ...]:
    name = b"qemu-" + machine.qemu.encode("ascii")
    return name + b"-static", name


def _index(session: Session, wanted: RunRequest, policy: FetchPolicy) -> Index:
    """Return the index of this machine's own packages, made where it is missing."""
    from denizen.app.supply.base_suite import made_base_index
    from denizen.sources.base import Scope

    return made_base_index(session, wanted.suites, Scope.LIBRARIES, policy)


def _packages(index: Index) -> Iterator[Provider]:
    """Yield the packages that may have it."""
    yield from (one for name in PACKAGES for one in index.packages(name) if one.size > _EMPTY)


def _static(tree: bytes, machine: Machine) -> bytes:
    """Return the path of the emulator in a package's tree; b"" where it is not there or needs libraries."""
    from denizen import elf
    from denizen.disk_view import DiskView
    from denizen.errors import BadInput

    for name in _names(machine):
        path = os.path.join(tree, b"usr/bin", name)
        try:
            if elf.read(DiskView().read(path)).interpreter is None:
                return path
        except (OSError, BadInput):
            continue
    return b""
