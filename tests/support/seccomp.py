"""Run commands under a seccomp filter, without a namespace."""

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


def under_filter(content: bytes, command: Sequence[str]) -> list[str]:
    """Return the command that executes `command` under the filter (struct sock_filter[])."""
    return [sys.executable, "-c", _UNDER, content.hex(), *command]
