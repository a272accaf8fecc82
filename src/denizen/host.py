"""Properties of this machine, read once into a frozen `Host`.

No rules are here: the rules that use these properties take them as values, so that they can
be applied to another machine, and tests can invent one.
"""

from __future__ import annotations

import os

from denizen.machines import BITS, kernel_behind
from denizen.value import value


@value
class Host:
    """The properties of this machine that matter for starting programs.

    Attributes:
        machine: the kernel's name for the processor ("x86_64"), uname -m without a personality.
        kernel: its release as numbers, (6, 1, 0).
        cpu_vendor: the maker of an x86 processor, as cpuid spells it ("GenuineIntel"); "" if unknown.
        cpu_flags: /proc/cpuinfo's flags of an x86 processor: features it has and the kernel enables.
        uid: the effective user.
        gids: its groups.
    """

    machine: str
    kernel: tuple[int, int, int]
    uid: int
    gids: frozenset[int]
    cpu_vendor: str = ""
    cpu_flags: frozenset[str] = frozenset()


@value
class Placement:
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


def processors() -> int:
    """Return the number of processors that this process may use; the machine may have more."""
    return len(os.sched_getaffinity(0))


def machine_name() -> str:
    """Return the kernel's name for the processor, as `uname -m` gives it without a personality."""
    return kernel_behind(os.uname().machine, bits=BITS)


def gather_host() -> Host:
    """Return the properties of this machine; takes under a millisecond."""
    name, machine = os.uname(), machine_name()
    vendor, flags = read_cpuinfo(_cpuinfo())
    release, groups = kernel_release(name.release), frozenset(os.getgroups())
    return Host(machine, release, os.geteuid(), groups, vendor, flags)


def working_directory() -> bytes:
    """Return the working directory; the kernel's link to it where it was removed, below which nothing is."""
    try:
        return os.getcwdb()
    except FileNotFoundError:
        return b"/proc/self/cwd"


def place(path: bytes) -> Placement:
    """Return the restrictions on the file at `path`. Raises OSError."""
    flags = os.statvfs(path).f_flag
    start = _start_of(path)
    executable = os.access(path, os.X_OK, effective_ids=True)
    return Placement(
        noexec=bool(flags & os.ST_NOEXEC),
        nosuid=bool(flags & os.ST_NOSUID),
        # access() fails for noexec too; the two causes have different remedies, so they are kept apart.
        executable=executable or _execute_bit(path),
        readable=os.access(path, os.R_OK, effective_ids=True),
        refused_abi=_is_x32(start) and not _runs_x32(),
        handler=_handler_of(path, start),
    )


def kernel_release(release: str) -> tuple[int, int, int]:
    """Return the release as numbers: (6, 1, 0) of "6.1.0-13-amd64".

    A part that is not a number counts as 0.
    """
    numbers: list[int] = []
    for part in release.split(".", 3)[:3]:
        digits = part[: next((at for at, c in enumerate(part) if not c.isdigit()), len(part))]
        numbers.append(int(digits or "0"))
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


def read_cpuinfo(text: bytes) -> tuple[str, frozenset[str]]:
    """Return the vendor and the flags of the first x86 processor in /proc/cpuinfo's `text`."""
    facts: dict[bytes, str] = {}
    for line in text.split(b"\n"):
        name, _, content = line.partition(b":")
        facts.setdefault(name.strip(), content.decode("ascii", "replace").strip())
    return facts.get(b"vendor_id", ""), frozenset(facts.get(b"flags", "").split())


def _cpuinfo() -> bytes:
    try:
        with open("/proc/cpuinfo", "rb") as stream:
            # The first processor's block is within the first pages; all processors have the same flags.
            return stream.read(16384)
    except OSError:
        return b""  # no /proc: then the baseline is assumed, which every x86-64 has


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


# The beginning of an x32 program's ELF header: 32-bit class, little-endian; e_machine EM_X86_64.
_X32_CLASS, _X32_MACHINE = b"\x7fELF\1\1", b"\x3e\0"


def _start_of(path: bytes, size: int = 256) -> bytes:
    """Return the first `size` bytes of a file, by default as many as the kernel reads; b"" if unreadable."""
    try:
        with open(path, "rb", buffering=0, opener=_without_waiting) as stream:
            return stream.read(size) or b""
    except OSError:
        return b""


def _is_x32(start: bytes) -> bool:
    return start.startswith(_X32_CLASS) and start[18:20] == _X32_MACHINE


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
