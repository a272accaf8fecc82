"""The command by which the loader has denizen decide, and what of the user's environment it is told.

The loader starts its helper with no environment (loader/helper_process.c): directories and proxies become
arguments.
"""

from __future__ import annotations

import os

from denizen.app.denizen_command import own_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session


def helper_words(session: Session, command: str, options: Sequence[str] = ()) -> tuple[bytes, ...]:
    """Return the words that run `command` of this installation with these places."""
    words = [*own_command(), command]
    if session.root is not None:
        words += ["--root", os.path.abspath(session.root)]
    if command == "decide":
        # The loader starts its helper with no environment: the variables it needs become arguments.
        places_set = [] if session.root is not None else _directories(session)
        words += [word for setting in (*places_set, *_proxies(session)) for word in ("--set", setting)]
    return tuple(os.fsencode(word) for word in (*words, *options))


def _proxies(session: Session) -> list[str]:
    """Return the proxies as arguments of `decide --set`.

    Passwords are left out: other users can read a process's arguments.
    """
    from denizen.sources.proxies import proxies_from

    return [f"{scheme}_proxy={text}" for scheme, text in proxies_from(session.environ) if "@" not in text]


def _directories(session: Session) -> list[str]:
    """Return the XDG directories as arguments of `decide --set`."""
    place = session.paths
    directories = {
        "XDG_DATA_HOME": place.data,
        "XDG_STATE_HOME": place.state,
        "XDG_CACHE_HOME": place.cache,
        "XDG_CONFIG_HOME": place.config,
    }
    return [f"{name}={os.fsdecode(os.path.dirname(path))}" for name, path in directories.items()]
