"""Faults in one system call of a forked child, put there by a seccomp filter whose listener is this process.

Only the one system call stops the child (seccomp_unotify(2), Linux 5.9): every other runs at full speed, and
no tracer has to start, which is what strace costs: 10 of 40 ms of a damaged store.
"""

import ctypes
import errno
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# linux/filter.h, linux/seccomp.h, linux/prctl.h
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _USER_NOTIF = 0x7FFF0000, 0x7FC00000
_SET_MODE_FILTER, _NEW_LISTENER = 1, 8
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
_NOTIFICATION = 80  # sizeof(struct seccomp_notif)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_PIDFD_GETFD = 438  # the same on all architectures

KILLED = 0  # in place of an error number: the process dies at the call


@dataclass(frozen=True)
class Fault:
    """The error of a system call at its nth occurrence in a process; KILLED for its death."""

    call: int
    nth: int
    error: int


class _Program(ctypes.Structure):
    _fields_ = (("count", ctypes.c_ushort), ("rows", ctypes.c_char_p))


def call_numbers() -> Mapping[str, int]:
    """Return the number of every system call by its name, as the C compiler knows them."""
    command = ["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", os.devnull]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {
        name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.MULTILINE)
    }


def run_with_fault(action: Callable[[], int], fault: Fault, seccomp: int) -> int:
    """Run `action` in a fork whose system call meets the fault; return its status, or minus its signal.

    Returns when the fork and every process below it have ended: the kernel lets go of a filter (Linux 6.11)
    before it closes the descriptors of a process that dies, so its locks outlive what the listener tells.

    Raises OSError where the kernel gives no listener: it is older, or another listener is above this one.
    `seccomp` is the number of the system call of that name.
    """
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    descriptor = _next_descriptor()
    child = os.fork()
    if not child:
        _install(fault.call, seccomp)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(action())
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise OSError(os.waitstatus_to_exitcode(status), "no listener of a seccomp filter")
    try:
        listener = _taken(child, descriptor)
    except OSError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    try:
        os.kill(child, signal.SIGCONT)
        _supervise(listener, fault)
    finally:
        os.close(listener)
    return os.waitstatus_to_exitcode(_ended(child))


def _ended(child: int) -> int:
    """Wait for all children, those inherited among them; return the wait status of one."""
    statuses: dict[int, int] = {}
    while True:
        try:
            process, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return statuses[child]
        statuses[process] = status


def _next_descriptor() -> int:
    """Return the number of the next descriptor that this process, or a fork of it, will open."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def _install(call: int, seccomp: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # Without a supervisor the child would wait for ever.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    rows = [(_LOAD, 0, 0, 0), (_EQUAL, 0, 1, call), (_RETURN, 0, 0, _USER_NOTIF), (_RETURN, 0, 0, _ALLOW)]
    content = b"".join(struct.pack("=HBBI", *row) for row in rows)
    program = _Program(len(rows), content)
    if libc.syscall(seccomp, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(program)) < 0:
        os._exit(ctypes.get_errno())


def _taken(child: int, descriptor: int) -> int:
    """Return a descriptor of this process for one of the child's."""
    process = os.pidfd_open(child)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        taken = int(libc.syscall(_PIDFD_GETFD, process, descriptor, 0))
        if taken < 0:
            raise OSError(ctypes.get_errno(), "pidfd_getfd")
        return taken
    finally:
        os.close(process)


def _supervise(listener: int, fault: Fault) -> None:
    """Answer until no process is left that has the filter. Calls are counted for each, as strace does."""
    met: Counter[int] = Counter()
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while waiting.poll()[0][1] & select.POLLIN:
        notification = bytearray(_NOTIFICATION)
        try:
            fcntl.ioctl(listener, _RECEIVE, notification)
            ident, process = struct.unpack_from("=QI", notification)
            met[process] += 1
            _answer(listener, ident, process, fault if met[process] == fault.nth else None)
        except OSError as gone:
            if gone.errno != errno.ENOENT:  # killed by another while it waited
                raise


def _answer(listener: int, ident: int, process: int, fault: Fault | None) -> None:
    if fault and fault.error == KILLED:
        os.kill(process, signal.SIGKILL)
    else:
        answer = (-fault.error, 0) if fault else (0, _CONTINUE)
        fcntl.ioctl(listener, _SEND, struct.pack("=Qqii", ident, 0, *answer))
