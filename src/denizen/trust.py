"""Checks that only this user or root could have written to denizen's directories.

The content of denizen's directories is trusted: a decision names the code to start, the database the hash of
an object. So they must belong to the user or root, and be writable by nobody else. They may be in a sticky
directory shared by all (/tmp), where nobody can rename or delete other users' files.
"""

from __future__ import annotations

import os
import stat

from denizen.errors import HostLacks, display, shell_word

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class Untrusted(HostLacks):
    """A directory or file that another user could have written to.

    Attributes:
        path: the directory or file.
        reason: its owner, or how others can write to it.
        mending: the user's remedy.
    """

    path: bytes
    reason: str
    mending: str
    WHAT = "{path} is not used"
    WHY = "{reason:text}"
    REMEDY = "{mending:text}"


def is_trusted(facts: os.stat_result) -> bool:
    """Return whether this user or root owns a file, and nobody else may write to it."""
    return facts.st_uid in (os.geteuid(), 0) and not facts.st_mode & _OTHERS


def check(path: bytes) -> None:
    """Raise Untrusted if another user could have made the file at `path`, or the one its link leads to."""
    try:
        facts = os.lstat(path)
        if stat.S_ISLNK(facts.st_mode):
            _check_owner(path, facts)
            facts = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        why = f"{error.strerror}; you are {user(os.geteuid())}"
        raise Untrusted(path, why, _ELSEWHERE) from error
    if is_trusted(facts):
        return
    _check_owner(path, facts)
    mode = stat.S_IMODE(facts.st_mode)
    mending = f"chmod go-w {shell_word(path)}, if nothing in it is of others; or {_ELSEWHERE}"
    raise Untrusted(path, f"others may write to it (mode {mode:04o})", mending)


def check_parent(path: bytes) -> None:
    """Raise Untrusted if another user could rename files in the directory `path`.

    A user namespace shows the owner it has no number for, who mostly is root outside, as an overflow number.
    """
    try:
        facts = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        _check_place(path)
        return
    except OSError:
        return  # reported when a file in it is checked
    if _is_anothers(facts):
        _check_owner(path, facts)
    mode = facts.st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        mending = f"chmod o-w {shell_word(path)}; or {_ELSEWHERE}"
        raise Untrusted(path, f"anybody may rename what is in it (mode {stat.S_IMODE(mode):04o})", mending)


def _check_place(path: bytes) -> None:
    """Raise Untrusted if a directory that is not there would be made in another user's."""
    above = path
    while not os.path.lexists(above) and above != os.path.dirname(above):
        above = os.path.dirname(above)
    try:
        facts = os.stat(above)
    except OSError:
        return  # reported when the directory is made
    if _is_anothers(facts):
        why = f"{display(above)}, where it would be made, {_belongs(facts)}"
        mending = (
            f"mkdir -p -m 0755 {shell_word(path)}, if that user may rename what is in it; or {_ELSEWHERE}"
        )
        raise Untrusted(path, why, mending)


def _is_anothers(facts: os.stat_result) -> bool:
    return facts.st_uid not in (os.geteuid(), 0) and has_number(facts.st_uid)


def has_number(uid: int) -> bool:
    """Return whether a number is a user's in this user namespace (user_namespaces(7))."""
    try:
        with open("/proc/self/uid_map", "rb") as stream:
            ranges = [tuple(map(int, line.split())) for line in stream]
    except OSError:
        return True
    return any(first <= uid < first + count for first, _, count in ranges)


def check_found(path: bytes, mending: str) -> None:
    """Raise Untrusted if another user could have written a file that nobody named.

    Such a file was found by going up from the working directory, which may be below /tmp or somebody's
    project (git's safe.directory; CVE-2022-24765). `mending` names it.
    """
    try:
        found = (os.lstat(path), os.stat(path))
    except OSError:
        return  # reported when it is opened
    for facts in found:
        if facts.st_uid not in (os.geteuid(), 0):
            raise Untrusted(path, f"it {_belongs(facts)}", mending)
    if found[1].st_mode & stat.S_IWOTH:
        mode = stat.S_IMODE(found[1].st_mode)
        raise Untrusted(path, f"anybody may write to it (mode {mode:04o})", f"chmod o-w {shell_word(path)}")


def lets_through(directory: bytes) -> bool:
    """Return whether every user can reach the files in the directory (absolute). Raises OSError."""
    while os.stat(directory).st_mode & stat.S_IXOTH:
        if directory == b"/":
            return True
        directory = os.path.dirname(directory)
    return False


def _check_owner(path: bytes, facts: os.stat_result) -> None:
    if facts.st_uid not in (os.geteuid(), 0):
        mending = f"chown it if what is in it is to be believed; or {_ELSEWHERE}"
        raise Untrusted(path, f"it {_belongs(facts)}", mending)


def _belongs(facts: os.stat_result) -> str:
    return f"belongs to {user(facts.st_uid)}, and you are {user(os.geteuid())}"


_ELSEWHERE = "--root DIR, for a directory of your own"


def user(uid: int) -> str:
    """Return a user's name with the number, or the number alone."""
    name = _entry(uid)[0]
    return f"{name} (uid {uid})" if name else f"uid {uid}"


def home_of(uid: int) -> str:
    """Return the home directory in the user database; "" where it has none."""
    return _entry(uid)[1]


def _entry(uid: int) -> tuple[str, str]:
    import pwd

    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return "", ""
    return found.pw_name, found.pw_dir


def owner_of_nearest(path: str) -> int | None:
    """Return the owner of `path`, or of its nearest existing parent; None if that cannot be read."""
    while True:
        try:
            return os.stat(path).st_uid
        except (FileNotFoundError, NotADirectoryError):
            above = os.path.dirname(path)
            if above == path:
                return None
            path = above
        except OSError:
            return None
