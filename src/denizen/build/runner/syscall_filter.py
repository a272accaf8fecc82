"""The seccomp filter of builders (pure).

Nix's rules (libstore/build/local-derivation-goal.cc, setupSeccomp): the set-user-ID and set-group-ID
bits cannot be set (EPERM), nor extended attributes and ACLs (ENOTSUP), which no NAR can hold. Beyond Nix's:
the same bits when a file is made, and no calls that would bring either past a filter, as they take their
arguments from memory (openat2, io_uring: ENOSYS, for which their users have another way). No keys: for one
that is not there, the kernel starts /sbin/request-key as root, outside of the sandbox and with this machine's
network (request_key(2)). A call of an architecture that is not listed ends the process.
"""

from __future__ import annotations

from denizen.formats.sock_filter import (
    ALLOW,
    AND,
    ARCHITECTURE_AT,
    ARGUMENTS_AT,
    BITS,
    EQUAL,
    ERRNO,
    KILL,
    LOAD,
    NUMBER_AT,
    RETURN,
    filter_bytes,
)
from denizen.machines import MACHINES, Machine
from denizen.value import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from denizen.formats.sock_filter import Instruction

# asm/unistd.h: x32 calls are those of x86-64 with this bit, the ones that matter here under the same numbers.
_NOT_X32 = 0xBFFFFFFF
EPERM, ENOSYS, ENOTSUP = 1, 38, 95
SET_ID = 0o6000
# asm-generic/fcntl.h; alike on all architectures here. Without either a mode is not an argument.
_MAKES = 0o100 | 0o20000000

_ANYWHERE = {"fchmodat2": 452, "openat2": 437, "io_uring_setup": 425, "setxattrat": 463}
_OLD_32_BIT = {
    "chmod": 15, "fchmod": 94, "creat": 8, "open": 5, "mknod": 14,
    "setxattr": 226, "lsetxattr": 227, "fsetxattr": 228,
}  # fmt: skip
_I386_KEYS = {"add_key": 286, "request_key": 287, "keyctl": 288}
_ARM_KEYS = {"add_key": 309, "request_key": 310, "keyctl": 311}
# By AUDIT_ARCH_* (linux/audit.h).
NUMBERS: Mapping[int, Mapping[str, int]] = {
    0xC000003E: _ANYWHERE
    | {
        "chmod": 90, "fchmod": 91, "fchmodat": 268, "creat": 85, "open": 2, "openat": 257, "mknod": 133,
        "mknodat": 259, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "add_key": 248,
        "request_key": 249, "keyctl": 250,
    },
    0x40000003: _ANYWHERE | _OLD_32_BIT | _I386_KEYS | {"fchmodat": 306, "openat": 295, "mknodat": 297},
    0xC00000B7: _ANYWHERE
    | {
        "fchmod": 52, "fchmodat": 53, "openat": 56, "mknodat": 33, "setxattr": 5, "lsetxattr": 6,
        "fsetxattr": 7, "add_key": 217, "request_key": 218, "keyctl": 219,
    },
    0x40000028: _ANYWHERE | _OLD_32_BIT | _ARM_KEYS | {"fchmodat": 333, "openat": 322, "mknodat": 324},
}  # fmt: skip


class Rule(Row):
    """A rule: a call fails with `error`, if a mode argument has a set-ID bit.

    Attributes:
        call: its name.
        mode: number of the argument that is a mode; -1 if the call always fails.
        flags: number of the argument whose flags say that there is a mode; -1 for always.
        error: errno.
    """

    call: str
    mode: int
    flags: int
    error: int


RULES: tuple[Rule, ...] = (
    Rule("chmod", 1, -1, EPERM),
    Rule("fchmod", 1, -1, EPERM),
    Rule("fchmodat", 2, -1, EPERM),
    Rule("fchmodat2", 2, -1, EPERM),
    Rule("creat", 1, -1, EPERM),
    Rule("open", 2, 1, EPERM),
    Rule("openat", 3, 2, EPERM),
    Rule("mknod", 1, -1, EPERM),
    Rule("mknodat", 2, -1, EPERM),
    Rule("setxattr", -1, -1, ENOTSUP),
    Rule("lsetxattr", -1, -1, ENOTSUP),
    Rule("fsetxattr", -1, -1, ENOTSUP),
    Rule("setxattrat", -1, -1, ENOTSUP),
    Rule("openat2", -1, -1, ENOSYS),
    Rule("io_uring_setup", -1, -1, ENOSYS),
    Rule("add_key", -1, -1, ENOSYS),
    Rule("request_key", -1, -1, ENOSYS),
    Rule("keyctl", -1, -1, ENOSYS),
)


def knows(machine: str) -> bool:
    """Return whether there is a filter for this machine (`uname -m`)."""
    return bool(_architectures(machine))


def syscall_filter(machine: str) -> bytes:
    """Return the filter of builders on this machine (`uname -m`)."""
    program: list[Instruction] = [(LOAD, 0, 0, ARCHITECTURE_AT)]
    for architecture in _architectures(machine):
        block = list(_block(architecture))
        # A jump reaches 255 instructions at most, a block fewer.
        program += [(EQUAL, 0, len(block), architecture), *block]
    program.append((RETURN, 0, 0, KILL))
    return filter_bytes(program)


def _architectures(machine: str) -> tuple[int, ...]:
    """Return the AUDIT_ARCH (linux/audit.h) of programs that a kernel starts, the machine's own first.

    A kernel that says i686 can be an x86-64 one with a personality, whose programs start as well.
    """
    own = [row for row in MACHINES if machine in row.kernels]
    beside = [row for row in MACHINES if any(row.starts_on(name) for one in own for name in _kernels(one))]
    numbers = dict.fromkeys(row.audit_number for row in (*own, *beside))
    return tuple(number for number in numbers if number in NUMBERS)


def _kernels(row: Machine) -> tuple[str, ...]:
    return (*row.kernels, *row.also_on)


def _block(architecture: int) -> Iterator[Instruction]:
    numbers = NUMBERS[architecture]
    yield (LOAD, 0, 0, NUMBER_AT)
    if architecture == 0xC000003E:
        yield (AND, 0, 0, _NOT_X32)
    for rule in RULES:
        if rule.call in numbers:
            body = list(_body(rule))
            yield (EQUAL, 0, len(body), numbers[rule.call])
            yield from body
    yield (RETURN, 0, 0, ALLOW)


def _body(rule: Rule) -> Iterator[Instruction]:
    """Yield what decides on a call; a body always returns, as it leaves no number to compare."""
    if rule.flags >= 0:
        yield (LOAD, 0, 0, ARGUMENTS_AT + 8 * rule.flags)
        yield (BITS, 1, 0, _MAKES)
        yield (RETURN, 0, 0, ALLOW)
    if rule.mode >= 0:
        yield (LOAD, 0, 0, ARGUMENTS_AT + 8 * rule.mode)
        yield (BITS, 1, 0, SET_ID)
        yield (RETURN, 0, 0, ALLOW)
    yield (RETURN, 0, 0, ERRNO | rule.error)
