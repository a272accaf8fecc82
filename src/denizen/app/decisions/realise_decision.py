"""Realisation of a resolution: its packages are put into the store and the program is linked against them."""

from __future__ import annotations

from denizen.app.decisions.host_drivers import host_drivers, refuse_without_driver
from denizen.app.resolution.installed_libraries import installed_libraries
from denizen.app.resolution.opened_links import make_opened_links
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.errors import BadInput
from denizen.launch.decisions.link_decision import decision_for
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.dlopen_record import place_of
from denizen.resolve.installation.install import install, repaired
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.decisions.link_decision import InstalledLibraries
    from denizen.launch.program import Program
    from denizen.linker import Environment
    from denizen.resolve.installation.resolution_derivations import Recipes
    from denizen.resolve.resolution import Resolution
    from denizen.store.local import Store


class RealiseRequest(Value):
    """The program and the resolution that are to be realised.

    Attributes:
        decision_store: where the program's decision is kept.
        added: paths of further objects whose libraries are needed too.
        wanted: the options of the start.
        is_emulated: an emulator runs the program.
    """

    program: Program
    decision_store: DecisionStore
    resolution: Resolution
    added: tuple[bytes, ...]
    wanted: RunRequest
    is_emulated: bool = False


class HostStart(Value):
    """The host's part in a start.

    Attributes:
        linker: path of this host's own dynamic linker.
        start: the host as the linker sees it, where packages extend its libraries; None where they replace
            them.
    """

    linker: bytes
    start: Environment | None


def realised(session: Session, asked: RealiseRequest, host: HostStart) -> Decision:
    """Return the decision, without a strategy; all that it needs is then in the store, kept from collection.

    Store objects that were damaged are made again: those of the program's last decision and those now chosen
    if a file in them was written to, and any of them that the linker model cannot read.

    Raises:
        SourceFailed, HostLacks, BadInput: something cannot be fetched, or not be read.
        StillMissing: a library is in none of the search paths.
        DriverAbsent: it is one of a driver that this host has not.
    """
    program = asked.program
    drivers = host_drivers(program) if host.start is None else {}
    with made_store(session) as store, store.working() as work:
        work.set_aside(asked.decision_store.damaged(identity_of(program.stat)))
        supply = supply_of(session, FetchPolicy(offline=asked.wanted.offline))
        made = install(store, asked.resolution, supply)
        work.need([made.libraries])
        try:
            decision = decision_for(program, _installed(store, made, asked, host, drivers))
        except BadInput as problem:
            again = repaired(store, work, asked.resolution, made, supply)
            if again is None:
                refuse_without_driver(program.path, problem)
                raise
            decision = decision_for(program, _installed(store, again, asked, host, drivers))
        asked.decision_store.keep(store.layout, decision)
    if decision.opened:
        opened = make_opened_links(session, decision.opened, program, asked.wanted)
        if host.start is not None:
            opened.leave_to_host(_host_directories(program, decision))
        else:
            opened.show(drivers)
    return decision


def _host_directories(program: Program, decision: Decision) -> tuple[bytes, ...]:
    """Return where the host's dynamic linker goes on to search."""
    from denizen.launch.resident_choice import system_directories
    from denizen.linker import read_interpreter

    linker = read_interpreter(program.view, decision.ldso)
    if linker is None or program.image is None:
        return ()
    return system_directories(program.view, linker, program.image.header)


def _installed(
    store: Store, made: Recipes, asked: RealiseRequest, host: HostStart, drivers: Mapping[bytes, bytes]
) -> InstalledLibraries:
    """Return the paths in the store of the objects that were made, for the linker model.

    A driver of the host that the program is linked with is found like a library beside the program.
    """
    found = installed_libraries(store, made, asked.program, asked.resolution)
    linked = drivers if asked.resolution.from_host else {}
    identity = identity_of(asked.program.stat)
    return replace(
        found,
        interpreter=made.interpreter if host.start is None else host.linker,
        beside={**linked, **found.beside},
        added=asked.added,
        host=host.start,
        opened=place_of(asked.decision_store.directory, identity, found.directory),
        is_emulated=asked.is_emulated,
    )
