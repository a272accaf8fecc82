"""The fast path into an environment: its launcher script is executed, if up to date, without more imports."""

from __future__ import annotations

import os

from denizen.launch.process_state import become

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session

# Files of the host that the launcher depends on: if one is newer, the launcher is out of date.
_REPEATED = ("/etc/nsswitch.conf", "/etc/passwd", "/etc/group", "/etc/ld.so.cache")
_HEAD = 10_000


def greet(session: Session, name: str) -> None:
    """Say what is different in an environment whose shell is about to start."""
    from denizen.errors import display

    session.reporter.say(
        f"in {display(name)}: set-user-ID programs (sudo, ping) have no effect; exit leaves it"
    )


def launch(session: Session, name: str, words: Sequence[str] | None) -> None:
    """Become the launcher, for a command or the shell (None).

    Return where it is missing, out of date, or of another generation or user.
    """
    if "/" in name or name.startswith("."):
        return
    directory = os.path.join(session.paths.state, b"fhs", os.fsencode(name))
    path = os.path.join(directory, b"launch")
    try:
        with open(os.path.join(directory, b"current"), "rb") as stream:
            number = stream.read(20).strip()
        with open(path, "rb") as stream:
            _, head, tree, _ = stream.read(_HEAD).split(b"\n", 3)
        fits = head == mark(name, number, directory) and os.path.isdir(tree.removeprefix(b"# "))
        if fits and _is_newest(os.stat(path).st_mtime_ns):
            if words is None:
                greet(session, name)
            session.reporter.leave()
            become(path, [path, *map(os.fsencode, words or ())])
    except (OSError, ValueError):
        return


def mark(name: str, number: bytes, directory: bytes) -> bytes:
    """Return the launcher's second line: the environment, generation, user and directory it was written for.

    Its third line is the path of the environment's tree.
    """
    return b"# %b, generation %b, user %d, of %b" % (os.fsencode(name), number, os.geteuid(), directory)


def _is_newest(written: int) -> bool:
    for path in _REPEATED:
        try:
            if os.stat(path).st_mtime_ns > written:
                return False
        except FileNotFoundError:
            continue
    return True
