"""The base suite: commands, emulators, files outside libraries come from it, where the user names none.

Packages of several suites do not make one system.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.index.locate import Index
    from denizen.sources.base import Scope
    from denizen.sources.fetch_policy import FetchPolicy


def base_suites(session: Session, asked: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the suites that the user asked for; else the first suite of the sources, in their order.

    Raises BadSetting, NoKeyring.
    """
    from denizen.app.supply.provenance_cache import known_suites

    return tuple(asked) or known_suites(session)[:1]


def base_index(session: Session, asked: Sequence[str] = ()) -> Index:
    """Return the existing index of the base suite, or of those asked for, for this machine.

    Raises BadSetting, NoKeyring, DamagedManifest, UnsupportedArchitecture.
    """
    from denizen.app.supply.open_index import open_index
    from denizen.app.supply.own_architecture import own_architecture

    return open_index(session, own_architecture(), base_suites(session, asked))


def made_base_index(
    session: Session, asked: Sequence[str], scope: Scope, policy: FetchPolicy, architecture: str = ""
) -> Index:
    """Return the index of the base suite, or of those asked for; make it if it is missing.

    `architecture`: by Debian's name; "" for this machine's. Raises SourceFailed, HostLacks, and what
    `base_index` raises.
    """
    from denizen.app.supply.ensure_index import ensure
    from denizen.app.supply.open_index import open_index
    from denizen.app.supply.own_architecture import own_architecture

    suites, wanted = base_suites(session, asked), architecture or own_architecture()
    ensure(session, suites, wanted, scope, policy)
    return open_index(session, wanted, suites)
