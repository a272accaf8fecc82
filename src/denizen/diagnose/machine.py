"""Checks on what the program wants of processor and kernel (pure)."""

from __future__ import annotations

from denizen.diagnose.file import quoted
from denizen.diagnose.problem import error
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.subject import Subject

# uname -m -> the (machine, bits) of elf.constants.MACHINES that its kernels can start.
RUNNABLE: dict[str, frozenset[tuple[str, int]]] = {
    "x86_64": frozenset({("x86-64", 64), ("x86-64", 32), ("i386", 32)}),
    "i686": frozenset({("i386", 32)}),
    "aarch64": frozenset({("aarch64", 64), ("arm", 32)}),
    "armv7l": frozenset({("arm", 32)}),
    "riscv64": frozenset({("riscv", 64), ("riscv", 32)}),
    "ppc64le": frozenset({("ppc64", 64)}),
    "s390x": frozenset({("s390", 64), ("s390", 32)}),
    "loongarch64": frozenset({("loongarch", 64)}),
}

# (machine, bits, little-endian) -> the program of qemu-user that runs it.
QEMU: dict[tuple[str, int, bool], str] = {
    ("x86-64", 64, True): "x86_64", ("i386", 32, True): "i386", ("aarch64", 64, True): "aarch64",
    ("arm", 32, True): "arm", ("riscv", 64, True): "riscv64", ("riscv", 32, True): "riscv32",
    ("ppc64", 64, True): "ppc64le", ("ppc64", 64, False): "ppc64", ("s390", 64, False): "s390x",
    ("mips", 32, False): "mips", ("mips", 32, True): "mipsel", ("mips", 64, True): "mips64el",
    ("loongarch", 64, True): "loongarch64",
}  # fmt: skip


def architecture(subject: Subject) -> Iterator[Problem]:
    """A program for another processor: execve says ENOEXEC, shells say "cannot execute binary file"."""
    image, host = subject.image, subject.host
    if image is None:
        return
    machine, bits = image.header.machine_name, image.header.bits
    if (machine, bits) in RUNNABLE.get(host.machine, frozenset({(machine, bits)})):
        return
    emulator = QEMU.get((machine, bits, image.header.little))
    hint = "get the build for this machine"
    if emulator:
        hint += f", or run it emulated: qemu-{emulator} {quoted(display(subject.path))}"
    yield error(
        "wrong-machine",
        f"it is built for {machine} ({bits}-bit), and this machine is {host.machine}",
        hint,
    )


def processor_level(subject: Subject) -> Iterator[Problem]:
    """GNU_PROPERTY_X86_ISA_1_NEEDED: glibc's ld.so refuses with "CPU ISA level is lower than required"."""
    wanted = subject.isa_level
    if wanted and subject.host.cpu_level and wanted > subject.host.cpu_level:
        yield error(
            "processor-too-old",
            f"it needs a processor of level x86-64-v{wanted}; this one has x86-64-v{subject.host.cpu_level}",
            "get a build for the x86-64 baseline",
        )


def kernel_release(subject: Subject) -> Iterator[Problem]:
    """NT_GNU_ABI_TAG: until 2.35 glibc refuses with "FATAL: kernel too old"."""
    wanted = subject.kernel_wanted
    if wanted is not None and wanted > subject.host.kernel:
        shown = ".".join(map(str, wanted))
        yield error(
            "kernel-too-old",
            f"it needs Linux {shown} or newer, and this is {'.'.join(map(str, subject.host.kernel))}",
            "run it on a newer kernel: no library can stand in for one",
        )
