"""Run commands under a seccomp filter, without a namespace."""

import errno
import os
import struct
import sys
from collections.abc import Sequence

_UNDER = """
import ctypes, os, sys
content = bytes.fromhex(sys.argv[1])
class Program(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("rows", ctypes.c_char_p)]
program, prctl = Program(len(content) // 8, content), ctypes.CDLL(None, use_errno=True).prctl
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
assert prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


# Numbers of the calls: asm/unistd.h; those since 5.1 have one number on every architecture.
CLONE = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine, 120)
CLONE3 = 435
FACCESSAT2 = 439
STATX = {"x86_64": 332, "aarch64": 291}.get(os.uname().machine, 383)
_ERROR, _ALLOW = 0x00050000, 0x7FFF0000


def refusing(*calls: int, error: int = errno.EPERM) -> bytes:
    """Return a filter that refuses some calls with EPERM, as one does that is older than they are."""
    rows = [(0x20, 0, 0, 0)]
    for call in calls:
        rows += [(0x15, 0, 1, call), (0x06, 0, 0, _ERROR | error)]
    return b"".join(struct.pack("<HBBI", *row) for row in (*rows, (0x06, 0, 0, _ALLOW)))


def under_filter(content: bytes, command: Sequence[str]) -> list[str]:
    """Return the command that executes `command` under the filter (struct sock_filter[])."""
    return [sys.executable, "-c", _UNDER, content.hex(), *command]
