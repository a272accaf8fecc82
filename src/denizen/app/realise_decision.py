"""A resolution made real: its packages in the store, and what the linker model makes of the program then."""

from __future__ import annotations

import os

from denizen.app.factories import supply_of
from denizen.app.resolve_program import files_of, indexed_suites, indexes_of
from denizen.app.store_access import made_store
from denizen.errors import BadInput
from denizen.launch.decisions.decision import identity_of
from denizen.launch.decisions.link_decision import Furnished, StillMissing, decision_for
from denizen.launch.dlopen_links import Opened, place_of
from denizen.resolve.install import differing, install
from denizen.sources.fetcher import FetchPolicy
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.request import RunRequest
    from denizen.app.session import Session
    from denizen.fileview import FileView
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.linker import Environment
    from denizen.resolve.derivations import Recipes
    from denizen.resolve.resolution import Resolution
    from denizen.store.local import Store


@value
class RealiseRequest:
    """What is to be made for which program.

    Attributes:
        added: the objects besides the program that have needs.
    """

    view: FileView
    program: bytes
    shelf: DecisionStore
    resolution: Resolution
    added: tuple[bytes, ...]
    wanted: RunRequest


@value
class HostStart:
    """The path of this host's own dynamic linker; and a start here, where packages go with its libraries."""

    linker: bytes
    start: Environment | None


def realised(session: Session, asked: RealiseRequest, host: HostStart) -> Decision:
    """Return the decision, but for its strategy, when all it needs is in the store and kept from collection.

    Objects that were damaged since are made again: where something wrote to a file of the program's last
    decision or to one that was chosen; and any of them where the linker model cannot read what is there.

    Raises:
        SourceFailed, HostLacks, BadInput: something cannot be had, or not be read.
        StillMissing: a library is in none of the places.
    """
    view, program = asked.view, asked.program
    with made_store(session) as store, store.working() as work:
        work.set_aside(asked.shelf.damaged(identity_of(view.stat(program))))
        supply = supply_of(session, FetchPolicy(offline=asked.wanted.offline))
        made = install(store, asked.resolution, supply)
        work.need([made.libraries])
        try:
            decision = decision_for(view, program, _furnished(store, made, asked, host))
        except (BadInput, StillMissing):
            damaged = differing(store, made)
            if not damaged:
                raise
            work.set_aside(damaged)
            made = install(store, asked.resolution, supply)
            decision = decision_for(view, program, _furnished(store, made, asked, host))
        asked.shelf.keep(store.layout, decision)
    if decision.opened:
        _open(session, Opened(decision.opened), asked)
    return decision


def _open(session: Session, opened: Opened, asked: RealiseRequest) -> None:
    """Make the place for what comes while the program runs."""
    opened.make(locked=asked.wanted.lock is not None)
    suites = indexed_suites(session, asked.program, asked.wanted.suites)
    opened.look_in(files_of(indexes_of(session, asked.program, suites)))


def _furnished(store: Store, made: Recipes, asked: RealiseRequest, host: HostStart) -> Furnished:
    """Where what was made lies."""
    home = os.path.dirname(asked.program)
    libraries = store.place_of(made.libraries)
    beside = [choice for choice in asked.resolution.choices if not choice.package]
    return Furnished(
        libraries,
        made.interpreter if host.start is None else host.linker,
        tuple(store.place_of(path) for path in made.packages.values()),
        {one.soname: os.path.normpath(os.path.join(home, one.path)) for one in beside},
        asked.resolution.override,
        asked.added,
        host.start,
        place_of(asked.shelf.directory, identity_of(asked.view.stat(asked.program)), libraries),
    )
