"""A start with room to write, where denizen's own directories are on a read-only file system.

What is decided and brought is kept in memory above them, for the program and what that starts, and is gone
when they end. The loader does likewise for a child about which nothing is decided (loader/writable_layer.c).
"""

from __future__ import annotations

import os

from denizen.app.helper_command import helper_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest


def own_directories(session: Session) -> tuple[bytes, ...]:
    """Return the directories in which denizen writes: the one of --root, or those of XDG."""
    if session.root is not None:
        return (os.path.abspath(os.fsencode(session.root)),)
    paths = session.paths
    return (paths.data, paths.state, paths.cache)


def start_in_layer(session: Session, program: bytes, arguments: Sequence[bytes], wanted: RunRequest) -> None:
    """Become the same start with a layer over the read-only ones of denizen's directories.

    Return where none is read-only, or no layer can be made. Raises OSError.
    """
    read_only = [one for one in own_directories(session) if _is_read_only(one)]
    if not read_only:
        return
    from denizen.host import machine_name
    from denizen.launch.loader.binaries import enter_path
    from denizen.launch.namespace_probe import obstacle
    from denizen.launch.process_state import become

    # The installation's own: none can be written into the directory of tools.
    enter = os.fsencode(enter_path(machine_name()))
    operations = (b"private", *(word for one in read_only for word in (b"layer", one)))
    problem = obstacle(enter, operations)
    if session.reporter.is_verbose:
        told = (
            f"nothing can be kept: {problem}" if problem else "what is decided and brought is kept in memory"
        )
        session.reporter.say(told)
    if not problem:
        session.reporter.leave()
        words = (
            *helper_words(session, "run", wanted.words),
            *_strategies(wanted),
            b"--",
            program,
            *arguments,
        )
        become(enter, [enter, *operations, b"--", *words])


def _is_read_only(directory: bytes) -> bool:
    """Tell whether a directory of this user's is on a read-only file system."""
    try:
        is_own = os.stat(directory).st_uid == os.geteuid()
        return is_own and bool(os.statvfs(directory).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _strategies(wanted: RunRequest) -> Iterator[bytes]:
    if wanted.strategy:
        yield from (b"--strategy", os.fsencode(wanted.strategy))
    for word in wanted.excluded:
        yield from (b"--except", os.fsencode(word))
