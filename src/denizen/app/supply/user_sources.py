"""The user's own files of sources: `source add` writes one, `source remove` deletes it."""

from __future__ import annotations

import os

from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session


class NoSuchSource(DenizenError):
    """The error that there is no source of that name."""

    name: str
    WHAT = "there is no source {name:text}"
    REMEDY = "denizen source list"


def write_source(session: Session, name: str, text: bytes) -> bytes:
    """Write the file of a source, which source_settings.py reads; return its path. Raises OSError."""
    from denizen.disk import make_directories, write_atomically

    directory = session.paths.sources
    make_directories(directory)
    path = os.path.join(directory, name.encode() + b".sources")
    write_atomically(path, text)
    return path


def remove_source(session: Session, name: str) -> None:
    """Delete the file of a source; "debian", which exists without one, is disabled by a file.

    Raises NoSuchSource, OSError.
    """
    from denizen.app.supply.configured_sources import configured_settings

    if name not in [setting.name for setting in configured_settings(session)]:
        raise NoSuchSource(name)
    if name == "debian":
        write_source(
            session,
            name,
            b"# Written by 'denizen source remove debian'; delete this file to undo it.\n"
            b"Types: deb\nURIs: file:/\nSuites: stable\nEnabled: no\n",
        )
    else:
        os.unlink(os.path.join(session.paths.sources, name.encode() + b".sources"))
