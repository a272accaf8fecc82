"""The placement of one file: what its mount, its permissions, binfmt_misc and its ABI mean for starting it.

The facts are read and not evaluated: the checks of `why` say what follows from them. What an x32 program is
says machines.py.
"""

from __future__ import annotations

import os

from denizen.disk_view import is_permitted
from denizen.machines import is_x32
from denizen.value import Value


class Placement(Value):
    """The restrictions that the mount and the permissions of one file impose.

    Attributes:
        noexec: the file system is mounted noexec, so execve fails with EACCES.
        nosuid: set-user-ID bits have no effect there.
        executable: this user has execute permission (access(2), X_OK).
        readable: this user may read it.
        refused_abi: an x86-64 program for the x32 ABI, which this kernel does not support.
        handler: the program by which the kernel starts such files (binfmt_misc), b"" for none.
    """

    noexec: bool
    nosuid: bool
    executable: bool
    readable: bool
    refused_abi: bool = False
    handler: bytes = b""


def place(path: bytes) -> Placement:
    """Return the restrictions on the file at `path`. Raises OSError."""
    flags = os.statvfs(path).f_flag
    start = _start_of(path)
    executable = is_permitted(path, os.X_OK)
    return Placement(
        noexec=bool(flags & os.ST_NOEXEC),
        nosuid=bool(flags & os.ST_NOSUID),
        # access() fails for noexec too; the two causes have different remedies, so they are kept apart.
        executable=executable or _execute_bit(path),
        readable=is_permitted(path, os.R_OK),
        refused_abi=is_x32(start) and not _runs_x32(),
        handler=_handler_of(path, start),
    )


_BINFMT_MISC = b"/proc/sys/fs/binfmt_misc"
# Bytes of an entry's file, which has at most 128 bytes of magic and of mask in hexadecimal.
_ENTRY_SIZE = 4096


def _handler_of(path: bytes, start: bytes) -> bytes:
    """Return the program that the kernel gives the file to; b"" for none.

    None where binfmt_misc is not mounted, as its entries are unknown then.
    """
    try:
        names = [name for name in os.listdir(_BINFMT_MISC) if name not in (b"register", b"status")]
    except OSError:
        return b""
    if not names:
        return b""
    from denizen.binfmt_misc import read_handler  # 0.2 ms that hosts without entries do not pay

    handlers = (read_handler(_start_of(os.path.join(_BINFMT_MISC, name), _ENTRY_SIZE)) for name in names)
    return next((one.interpreter for one in handlers if one is not None and one.takes(path, start)), b"")


def _start_of(path: bytes, size: int = 256) -> bytes:
    """Return the first `size` bytes of a file, by default as many as the kernel reads; b"" if unreadable."""
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as stream:
            return stream.read(size) or b""
    except OSError:
        return b""


def _without_waiting(path: str, flags: int) -> int:
    """Open a file that may be a pipe without a writer."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _runs_x32() -> bool:
    """Return whether the kernel supports the x32 ABI.

    A child process makes the test call, because a seccomp filter may kill the caller.
    """
    child = os.fork()
    if not child:
        status = 1
        try:
            import ctypes

            status = int(ctypes.CDLL(None).syscall(0x40000000 + 39) < 0)  # getpid
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def _execute_bit(path: bytes) -> bool:
    """Return whether the mode bits alone let this user execute it (root needs any one of them)."""
    facts = os.stat(path)
    uid = os.geteuid()
    if uid == 0:
        return bool(facts.st_mode & 0o111)
    if facts.st_uid == uid:
        return bool(facts.st_mode & 0o100)
    if facts.st_gid in (os.getegid(), *os.getgroups()):
        return bool(facts.st_mode & 0o010)
    return bool(facts.st_mode & 0o001)
