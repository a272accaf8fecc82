"""The table of processor architectures, one row each (pure).

Everything that depends on the architecture of a program, a package or this machine is read from here. A new
architecture needs a row here; docs/where-to-change.md, "How to add", says what else it needs.

Sources: e_machine from the gABI's registry; names of packages and directories from dpkg-architecture(1) and
https://wiki.debian.org/Multiarch/Tuples; kernel names from uname(1); interpreters from glibc's
sysdeps/unix/sysv/linux/*/shlib-versions and ldd-rewrite.sed; flags of ld.so.cache from
sysdeps/**/dl-cache.h (_DL_CACHE_DEFAULT_ID); names of the kernel's own object from vdso(7); page sizes from
binutils' bfd/elf*-*.c.
"""

from __future__ import annotations

import sys

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# The flags of ld.so.cache entries on machines without flags of their own: ELF and glibc.
CACHE_FLAGS_OTHER = 3
VDSO_NAME = b"linux-vdso.so.1"
# The word size of this process.
BITS = 64 if sys.maxsize > 2**32 else 32


class Machine(Value):
    """One architecture: an ABI of a processor, for programs and libraries linked with glibc.

    Attributes:
        debian: Debian's name ("amd64"); "" where Debian has no packages for it.
        name: the processor's name in messages ("x86-64").
        e_machine, bits, little: from the ELF header; `little` is the byte order.
        kernels: `uname -m` of kernels whose native programs these are, the usual name first.
        also_on: `uname -m` of other kernels that start these programs.
        triplet: the directory below /usr/lib that holds its libraries.
        interpreter: the dynamic linker that its programs name; b"" where none is fixed.
        cache_flags: the flags word of its libraries in ld.so.cache.
        vdso: the name of the kernel's own object in a process.
        qemu: the suffix of qemu-user's program for it.
        go: its name in images of containers (GOARCH), with the variant behind a slash; "" for Debian's name.
        loader: the suffix of denizen's compiled programs for it; "" where there are none.
        max_page: the largest size of pages that linkers lay programs out for (binutils' ELF_MAXPAGESIZE).
    """

    debian: str
    name: str
    e_machine: int
    bits: int
    little: bool = True
    kernels: tuple[str, ...] = ()
    also_on: tuple[str, ...] = ()
    triplet: bytes = b""
    interpreter: bytes = b""
    cache_flags: int = CACHE_FLAGS_OTHER
    vdso: bytes = VDSO_NAME
    qemu: str = ""
    go: str = ""
    loader: str = ""
    max_page: int = 0x1000

    @property
    def audit_number(self) -> int:
        """Return its AUDIT_ARCH (linux/audit.h), by which seccomp filters know it."""
        return self.e_machine | (self.bits == 64) << 31 | self.little << 30

    def starts_on(self, kernel: str) -> bool:
        """Return whether a kernel (as `uname -m` names it) starts its programs without an emulator."""
        return kernel in self.kernels or kernel in self.also_on

    def is_emulated_on(self, kernel: str) -> bool:
        """Return whether qemu-user starts its programs there and packages have libraries for them."""
        return bool(self.qemu and self.debian) and not self.starts_on(kernel)


# Of rows with the same ELF header the first is used unless something else distinguishes them.
MACHINES: tuple[Machine, ...] = (
    Machine(
        "amd64", "x86-64", 62, 64, kernels=("x86_64",), triplet=b"x86_64-linux-gnu",
        interpreter=b"/lib64/ld-linux-x86-64.so.2", cache_flags=0x303, qemu="x86_64", loader="x86_64",
    ),
    Machine(
        "", "x86-64", 62, 32, also_on=("x86_64",), triplet=b"x86_64-linux-gnux32",
        interpreter=b"/libx32/ld-linux-x32.so.2", cache_flags=0x803,
    ),
    Machine(
        "i386", "i386", 3, 32, kernels=("i686", "i386", "i486", "i586"), also_on=("x86_64",),
        triplet=b"i386-linux-gnu", interpreter=b"/lib/ld-linux.so.2", vdso=b"linux-gate.so.1",
        qemu="i386", go="386", loader="i386",
    ),
    Machine(
        "arm64", "aarch64", 183, 64, kernels=("aarch64",), triplet=b"aarch64-linux-gnu",
        interpreter=b"/lib/ld-linux-aarch64.so.1", cache_flags=0xA03, qemu="aarch64", loader="aarch64",
        max_page=0x10000,
    ),
    Machine(
        "armhf", "arm", 40, 32, kernels=("armv7l", "armv8l"), also_on=("aarch64",),
        triplet=b"arm-linux-gnueabihf", interpreter=b"/lib/ld-linux-armhf.so.3", cache_flags=0x903,
        qemu="arm", go="arm/v7", max_page=0x10000,
    ),
    Machine(
        "armel", "arm", 40, 32, kernels=("armv6l",), also_on=("armv7l", "armv8l", "aarch64"),
        triplet=b"arm-linux-gnueabi", interpreter=b"/lib/ld-linux.so.3", cache_flags=0xB03, qemu="arm",
        go="arm/v5", max_page=0x10000,
    ),
    Machine(
        "riscv64", "riscv", 243, 64, kernels=("riscv64",), triplet=b"riscv64-linux-gnu",
        interpreter=b"/lib/ld-linux-riscv64-lp64d.so.1", cache_flags=0x1003, qemu="riscv64",
    ),
    Machine("", "riscv", 243, 32, also_on=("riscv64",), qemu="riscv32"),
    Machine(
        "ppc64el", "ppc64", 21, 64, kernels=("ppc64le",), triplet=b"powerpc64le-linux-gnu",
        interpreter=b"/lib64/ld64.so.2", cache_flags=0x503, vdso=b"linux-vdso64.so.1", qemu="ppc64le",
        go="ppc64le", max_page=0x10000,
    ),
    Machine(
        "", "ppc64", 21, 64, little=False, kernels=("ppc64",), interpreter=b"/lib64/ld64.so.1",
        cache_flags=0x503, vdso=b"linux-vdso64.so.1", qemu="ppc64", max_page=0x10000,
    ),
    Machine(
        "", "ppc", 20, 32, little=False, kernels=("ppc",), also_on=("ppc64",), vdso=b"linux-vdso32.so.1",
        max_page=0x10000,
    ),
    Machine(
        "s390x", "s390", 22, 64, little=False, kernels=("s390x",), triplet=b"s390x-linux-gnu",
        interpreter=b"/lib/ld64.so.1", cache_flags=0x403, vdso=b"linux-vdso64.so.1", qemu="s390x",
    ),
    Machine("", "s390", 22, 32, little=False, also_on=("s390x",), vdso=b"linux-vdso32.so.1"),
    Machine(
        "loong64", "loongarch", 258, 64, kernels=("loongarch64",), triplet=b"loongarch64-linux-gnu",
        interpreter=b"/lib64/ld-linux-loongarch-lp64d.so.1", qemu="loongarch64", max_page=0x10000,
    ),
    Machine(
        "mips64el", "mips", 8, 64, kernels=("mips64",), triplet=b"mips64el-linux-gnuabi64",
        interpreter=b"/lib64/ld.so.1", cache_flags=0x703, qemu="mips64el", max_page=0x10000,
    ),
    Machine(
        "mipsel", "mips", 8, 32, triplet=b"mipsel-linux-gnu", interpreter=b"/lib/ld.so.1", qemu="mipsel",
        max_page=0x10000,
    ),
    Machine("", "mips", 8, 32, little=False, interpreter=b"/lib/ld.so.1", qemu="mips", max_page=0x10000),
    Machine("", "sparc64", 43, 64, little=False, cache_flags=0x103, max_page=0x100000),
    Machine("", "ia64", 50, 64, cache_flags=0x203, max_page=0x10000),
)  # fmt: skip

# How the ELF header of the row (62, 32) begins, and its e_machine: the class of 32 bits with x86-64's number.
_X32_IDENT, _X32_MACHINE = b"\x7fELF\1\1", (62).to_bytes(2, "little")

TRIPLETS = frozenset({machine.triplet for machine in MACHINES if machine.triplet})

# Names of other processors, for messages: e_machine to name.
OTHER_NAMES = {2: "sparc", 4: "m68k", 15: "parisc", 42: "sh", 247: "bpf", 0x9026: "alpha"}


def by_elf(e_machine: int, bits: int, *, little: bool = True) -> Machine | None:
    """Return the architecture of an ELF header, or None if it is unknown."""
    return next(_of_elf(e_machine, bits, little=little), None)


def is_x32(header: bytes) -> bool:
    """Return whether a file begins with the ELF header of a little-endian x32 program."""
    return header.startswith(_X32_IDENT) and header[18:20] == _X32_MACHINE


def cache_flags(e_machine: int, bits: int, *, little: bool) -> int:
    """Return the flags word of a library in ld.so.cache."""
    machine = by_elf(e_machine, bits, little=little)
    return machine.cache_flags if machine is not None else CACHE_FLAGS_OTHER


def vdso_name(e_machine: int, bits: int, *, little: bool) -> bytes:
    """Return the name of the kernel's own object in processes of these programs."""
    machine = by_elf(e_machine, bits, little=little)
    return machine.vdso if machine is not None else VDSO_NAME


def by_debian(name: str) -> Machine | None:
    """Return the architecture with Debian's name `name`, or None."""
    return next((machine for machine in MACHINES if name and machine.debian == name), None)


def by_kernel(name: str) -> Machine | None:
    """Return the architecture of a kernel's native programs; `name` is its `uname -m`. None if unknown."""
    return next((machine for machine in MACHINES if name in machine.kernels), None)


def kernel_behind(name: str, *, bits: int) -> str:
    """Return the kernel's own name where it gives a process of this word size the name `name`.

    A personality (setarch(8), linux32) makes a 64-bit kernel give a 32-bit name, to 64-bit processes too.
    """
    machine = by_kernel(name)
    if machine is None or bits <= machine.bits:
        return name
    wide = (by_kernel(other) for other in machine.also_on)
    return next((one.kernels[0] for one in wide if one is not None and one.bits == bits), name)


def other_loader(loader: str, kernel: str) -> str:
    """Return the loader's machine for programs of the other word size that a kernel starts; "" for none."""
    ours = (one.loader for one in MACHINES if one.loader and one.starts_on(kernel))
    return next((one for one in ours if one != loader), "")


def interpreter_of_kernel(name: str) -> bytes:
    """Return the dynamic linker of a kernel's native programs; /lib/ld.so where it is unknown."""
    machine = by_kernel(name)
    return machine.interpreter if machine is not None else b"/lib/ld.so"


def name_of(e_machine: int) -> str:
    """Return the processor's name for messages; "machine" and the number where it is unknown."""
    for machine in MACHINES:
        if machine.e_machine == e_machine:
            return machine.name
    return OTHER_NAMES.get(e_machine, f"machine {e_machine}")


def debian_name(machine: Machine | None) -> str:
    """Return Debian's name of an architecture; "" where it has no packages for it."""
    return machine.debian if machine is not None else ""


def debian_names() -> tuple[str, ...]:
    """Return the names of all architectures that Debian has packages for, sorted."""
    return tuple(sorted(machine.debian for machine in MACHINES if machine.debian))


def triplet_of(debian: str) -> bytes:
    """Return the library directory's name of an architecture; b"" where it is unknown."""
    machine = by_debian(debian)
    return machine.triplet if machine is not None else b""


def _of_elf(e_machine: int, bits: int, *, little: bool) -> Iterator[Machine]:
    wanted = (e_machine, bits, little)
    return (one for one in MACHINES if (one.e_machine, one.bits, one.little) == wanted)
