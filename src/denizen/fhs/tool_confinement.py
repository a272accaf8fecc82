"""Plans for `denizen-enter` that confine a tool of a tree where no namespace can be made (pure).

Two parts of the kernel that need no privilege (docs/decisions/0018-confined-tools.md):

    Landlock      it reads and executes in the tree and its packages alone, and writes where its rule says
    seccomp       it has the system calls that a tool needs which reads files and writes some. It makes and
                  reaches no other process and no socket, and changes no mode, owner, time or attribute of a
                  file, about which Landlock does not ask. Other calls fail with ENOSYS, as on an old kernel
"""

from __future__ import annotations

from denizen.formats.sock_filter import (
    ALLOW,
    ARCHITECTURE_AT,
    ARGUMENTS_AT,
    EQUAL,
    ERRNO,
    KILL,
    LOAD,
    NUMBER_AT,
    RETURN,
    filter_bytes,
)
from denizen.machines import by_kernel
from denizen.value import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.formats.sock_filter import Instruction

_ENOSYS = 38

# asm/unistd.h. Each machine has some of the names alone.
_X86_64: Mapping[str, int] = {
    "access": 21, "arch_prctl": 158, "brk": 12, "chdir": 80, "clock_getres": 229, "clock_gettime": 228,
    "clock_nanosleep": 230, "clone": 56, "close": 3, "copy_file_range": 326, "dup": 32, "dup2": 33,
    "dup3": 292, "eventfd2": 290, "execve": 59, "exit": 60, "exit_group": 231, "faccessat": 269,
    "faccessat2": 439, "fadvise64": 221, "fallocate": 285, "fchdir": 81, "fcntl": 72, "fdatasync": 75,
    "flock": 73, "fstat": 5, "fstatfs": 138, "fsync": 74, "ftruncate": 77, "futex": 202, "getcwd": 79,
    "getdents64": 217, "getegid": 108, "geteuid": 107, "getgid": 104, "getgroups": 115, "getpid": 39,
    "getppid": 110, "getrandom": 318, "getrlimit": 97, "getrusage": 98, "gettid": 186, "gettimeofday": 96,
    "getuid": 102, "lseek": 8, "lstat": 6, "madvise": 28, "mkdir": 83, "mkdirat": 258, "mmap": 9,
    "mprotect": 10, "mremap": 25, "munmap": 11, "nanosleep": 35, "newfstatat": 262, "open": 2,
    "openat": 257, "pipe": 22, "pipe2": 293, "poll": 7, "ppoll": 271, "pread64": 17, "prlimit64": 302,
    "pselect6": 270, "pwrite64": 18, "read": 0, "readlink": 89, "readlinkat": 267, "readv": 19,
    "rename": 82, "renameat": 264, "renameat2": 316, "restart_syscall": 219, "rmdir": 84, "rseq": 334,
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "sched_getaffinity": 204,
    "sched_yield": 24, "select": 23, "sendfile": 40, "set_robust_list": 273, "set_tid_address": 218,
    "sigaltstack": 131, "stat": 4, "statfs": 137, "statx": 332, "symlink": 88, "symlinkat": 266,
    "sysinfo": 99, "time": 201, "times": 100, "truncate": 76, "umask": 95, "uname": 63, "unlink": 87,
    "unlinkat": 263, "write": 1, "writev": 20,
}  # fmt: skip
_AARCH64: Mapping[str, int] = {
    "brk": 214, "chdir": 49, "clock_getres": 114, "clock_gettime": 113, "clock_nanosleep": 115,
    "clone": 220, "close": 57, "copy_file_range": 285, "dup": 23, "dup3": 24, "eventfd2": 19, "execve": 221,
    "exit": 93, "exit_group": 94, "faccessat": 48, "faccessat2": 439, "fadvise64": 223, "fallocate": 47,
    "fchdir": 50, "fcntl": 25, "fdatasync": 83, "flock": 32, "fstat": 80, "fstatfs": 44, "fsync": 82,
    "ftruncate": 46, "futex": 98, "getcwd": 17, "getdents64": 61, "getegid": 177, "geteuid": 175,
    "getgid": 176, "getgroups": 158, "getpid": 172, "getppid": 173, "getrandom": 278, "getrlimit": 163,
    "getrusage": 165, "gettid": 178, "gettimeofday": 169, "getuid": 174, "lseek": 62, "madvise": 233,
    "mkdirat": 34, "mmap": 222, "mprotect": 226, "mremap": 216, "munmap": 215, "nanosleep": 101,
    "newfstatat": 79, "openat": 56, "pipe2": 59, "ppoll": 73, "pread64": 67, "prlimit64": 261,
    "pselect6": 72, "pwrite64": 68, "read": 63, "readlinkat": 78, "readv": 65, "renameat": 38,
    "renameat2": 276, "restart_syscall": 128, "rseq": 293, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "sched_getaffinity": 123, "sched_yield": 124, "sendfile": 71,
    "set_robust_list": 99, "set_tid_address": 96, "sigaltstack": 132, "statfs": 43, "statx": 291,
    "symlinkat": 36, "sysinfo": 179, "times": 153, "truncate": 45, "umask": 166, "uname": 160,
    "unlinkat": 35, "write": 64, "writev": 66,
}  # fmt: skip


class _Argument(Row):
    """An argument that has to be one of some values, for a call to be allowed."""

    number: int
    values: tuple[int, ...]


# linux/sched.h: what pthread_create of glibc and musl asks for, a thread and no process. fcntl.h:
# descriptors, flags and locks; other commands send signals to any process of the user. Limits are of this
# process alone.
_ONLY: Mapping[str, _Argument] = {
    "clone": _Argument(0, (0x3D0F00, 0x7D0F00)),
    "fcntl": _Argument(1, (0, 1, 2, 3, 4, 5, 6, 7, 1030)),
    "prlimit64": _Argument(0, (0,)),
}
# By AUDIT_ARCH_* (linux/audit.h).
_CALLS: Mapping[int, Mapping[str, int]] = {0xC000003E: _X86_64, 0xC00000B7: _AARCH64}


def confines(machine: str) -> bool:
    """Return whether tools can be confined on this machine (`uname -m`), as far as that depends on it."""
    return _architecture(machine) in _CALLS


def confinement(readable: Sequence[bytes], writable: Sequence[bytes], machine: str) -> tuple[bytes, ...]:
    """Return the operations that confine a tool.

    Args:
        readable: directories in which it reads and executes files.
        writable: directories in which it writes too.
        machine: this machine (`uname -m`), which `confines` knows.
    """
    places = (b"%d" % len(readable), *readable, b"%d" % len(writable), *writable)
    return (b"weaken", b"confine", *places, b"filter", tool_filter(machine).hex().encode())


def tool_filter(machine: str) -> bytes:
    """Return the seccomp filter of confined tools on this machine (`uname -m`)."""
    architecture = _architecture(machine)
    program: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
    ]
    for name, number in _CALLS[architecture].items():
        body = list(_body(_ONLY.get(name)))
        program += [(EQUAL, 0, len(body), number), *body]
    program.append((RETURN, 0, 0, ERRNO | _ENOSYS))
    return filter_bytes(program)


def _architecture(machine: str) -> int:
    row = by_kernel(machine)
    return row.audit_number if row is not None else 0


def _body(only: _Argument | None) -> Iterator[Instruction]:
    """Yield what decides on a call; a body always returns, as it leaves no number to compare.

    The kernel takes flags, commands and process numbers from the low half of an argument alone.
    """
    if only is not None:
        yield (LOAD, 0, 0, ARGUMENTS_AT + 8 * only.number)
        for at, value in enumerate(only.values):
            yield (EQUAL, len(only.values) - at, 0, value)
        yield (RETURN, 0, 0, ERRNO | _ENOSYS)
    yield (RETURN, 0, 0, ALLOW)
