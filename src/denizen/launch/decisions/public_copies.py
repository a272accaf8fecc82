"""Copies of root's decisions, for programs that root starts and that then become another user.

Decisions tell of a user's programs, so their directory is closed to others (0700), and a server that root
starts finds none for its children once it has given up root's rights. Root therefore keeps a copy in a
directory that can be entered but not listed (0711): of a decision about a program that all users may execute,
with a store that all users may read. It has the name that the program's identity gives it, so only who can
see the program finds it, and no words about what is root's alone. Who reads it trusts it as any decision: by
its owner. What root installs in a profile is no secret: copies about it have the second name too, by the
build-id, because the identity of a file in the store changes with each link to it.
"""

from __future__ import annotations

import contextlib
import os
import stat

from denizen.disk import make_directories, write_atomically
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.decisions.program_identity import alias_name, identity_name
from denizen.launch.fast_path import INSTALLED, VARIANTS
from denizen.trust import lets_through
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.decision import Decision

PUBLIC = b"public"
_DIRECTORY_MODE = 0o711
_FILE_MODE = 0o644
_FOR_ALL = stat.S_IROTH | stat.S_IXOTH


def public_directory(directory: bytes) -> bytes:
    """Return the directory of copies for a directory of decisions, beside it."""
    above, name = os.path.split(directory)
    if os.path.basename(above) == VARIANTS:
        return os.path.join(os.path.dirname(os.path.dirname(above)), PUBLIC, VARIANTS, name)
    return os.path.join(above, PUBLIC)


def directories_for(uid: int, directory: bytes) -> tuple[bytes, ...]:
    """Return where a loader finds the decisions of `directory` that this user (root is 0) makes."""
    return (directory,) if uid else (directory, public_directory(directory))


def publish(directory: bytes, decision: Decision, *, movable: bool) -> None:
    """Write the copy of a decision that root keeps in `directory`, or delete an older one.

    `movable`: it is valid wherever the program is. Raises OSError.
    """
    if os.geteuid() != 0:
        return
    if not _is_for_all(decision):
        withdraw(directory, identity_name(decision.identity))
        return
    copy = replace(decision, command=(), shown=b"", resources=b"", opened=b"")
    place = public_directory(directory)
    above = os.path.dirname(place)
    tops = (os.path.dirname(above), above) if os.path.basename(above) == VARIANTS else (above,)
    for path in (*tops, place):
        make_directories(path, _DIRECTORY_MODE)
    for name in _names(directory, decision, movable=movable):
        write_atomically(os.path.join(place, name), encode(copy), mode=_FILE_MODE)


def _names(directory: bytes, decision: Decision, *, movable: bool) -> tuple[bytes, ...]:
    first = identity_name(decision.identity)
    if not movable or not os.path.basename(directory).startswith(INSTALLED):
        return (first,)
    return (first, alias_name(decision.build_id, decision.identity.size))


def withdraw(directory: bytes, name: bytes) -> None:
    """Delete the copy of the decision of this name, if there is one. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(public_directory(directory), name))


def _is_for_all(decision: Decision) -> bool:
    """Return whether every user may execute the program and read the libraries that are chosen for it."""
    try:
        program = os.path.realpath(decision.program)
        facts = os.stat(program)
        libraries = not decision.search or lets_through(os.path.realpath(decision.search))
        return facts.st_mode & _FOR_ALL == _FOR_ALL and lets_through(os.path.dirname(program)) and libraries
    except OSError:
        return False
