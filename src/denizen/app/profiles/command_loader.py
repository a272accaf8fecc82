"""The loader of installed commands as an object of the store, and the record by which it is found again.

What is in the object follows from the compiled binaries of this installation and from what the loader is
told. To read and hash 260 KB each time took 2 ms, a tenth of the installation of an object, so that a file of
the tools' directory, named by these facts, records the object and what it names.
"""

from __future__ import annotations

import os
import sys

from denizen.sha256 import hex_digest_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.profiles.install_request import Preparation
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.formats.storepath import StorePath

_NAME = "denizen-command"
# How the names of the binaries begin that it is made of, or that it names.
_BINARIES = ("denizen-loader-", "denizen-inside-", "denizen-resident-")
_RECORD = b"command-loader-"
# Of a record: a store path and two paths of files.
_MAX_RECORD = 3 * 4096


class _Told(Value):
    """Settings of the loader of installed commands: directories of decisions, and its helper."""

    directories: tuple[bytes, ...]
    command: tuple[bytes, ...]


def command_loader(at: Preparation, wanted: RunRequest) -> StorePath:
    """Return the object that is the loader of installed commands; it is valid, kept while the work lasts.

    Raises LoaderAbsent, DiskFailed.
    """
    told = _told(at.session, wanted)
    record = os.path.join(at.session.paths.tools, _RECORD + _key(told))
    known = _recorded(record)
    if known is not None and known in at.work.need([known]):
        return known
    return _made(at, told, record)


def _told(session: Session, wanted: RunRequest) -> _Told:
    from denizen.app.helper_command import helper_words
    from denizen.launch.fast_path import directory_of

    decisions = session.paths.decisions
    own, followers = (directory_of(decisions, one.variant) for one in (wanted, wanted.followers))
    command = (*helper_words(session, "decide", wanted.followers.words), b"--installed")
    return _Told(tuple(dict.fromkeys((own, followers))), command)


def _key(told: _Told) -> bytes:
    """Return the name of the record: a hash of what the loader is told and of the binaries' identities.

    The binaries of all machines count: which are this machine's is in a table whose import takes 0.3 ms.
    """
    from denizen.launch import loader

    with os.scandir(os.path.dirname(loader.__file__)) as entries:
        stamps = sorted(_stamp(one) for one in entries if one.name.startswith(_BINARIES))
    known = (told.directories, told.command, os.uname().machine, sys.maxsize, stamps)
    return hex_digest_of(repr(known).encode())[:32].encode("ascii")


def _stamp(entry: os.DirEntry[str]) -> tuple[str, int, int, int, int]:
    facts = entry.stat()
    return entry.path, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _recorded(record: bytes) -> StorePath | None:
    """Return the object that a record names, if the files that the object names are there."""
    from denizen.errors import BadInput
    from denizen.formats import storepath

    try:
        with open(record, "rb") as stream:
            base, *files = stream.read(_MAX_RECORD).split(b"\0")
        return storepath.from_base(base) if all(map(os.path.exists, files)) else None
    except (OSError, BadInput):
        return None


def _made(at: Preparation, told: _Told, record: bytes) -> StorePath:
    """Make the object, and the record of it."""
    from denizen.app.session import tools_of
    from denizen.disk import write_atomically
    from denizen.formats import storepath
    from denizen.formats.hashes import Hash
    from denizen.launch.loader.binaries import LoaderAbsent
    from denizen.launch.loader.loader_settings import HOST_PREFIXES, LoaderSettings
    from denizen.store.errors import doing

    tools = tools_of(at.session)
    try:
        inside = tools.inside()
    except LoaderAbsent:
        inside = b""
    settings = LoaderSettings(
        directories=told.directories,
        command=told.command,
        host_prefixes=HOST_PREFIXES,
        inside=inside,
        resident=tools.resident(),
        installed=True,
    )
    file = tools.loader(settings)
    nar = Hash("sha256", at.work.digest_of(file).nar_hash)
    known = storepath.for_source(_NAME, nar, (), at.store.layout.logical)
    made = known if known in at.work.need([known]) else at.work.add(file, _NAME).path
    files = [one for one in (settings.inside, settings.resident) if one]
    with doing("write", record):
        write_atomically(record, b"\0".join([made.base.encode("ascii"), *files]))
    return made
