"""Checks of the program's requirements on processor and kernel (pure)."""

from __future__ import annotations

from denizen.diagnose.problem import error, note
from denizen.errors import shell_word
from denizen.linker.hwcaps import x86_64_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.program_facts import ProgramFacts


def architecture(subject: ProgramFacts) -> Iterator[Problem]:
    """Check the machine: execve returns ENOEXEC, for which shells say "cannot execute binary file"."""
    image, host = subject.image, subject.host
    if image is None:
        return
    header = image.header
    machine = header.architecture
    if subject.placement.refused_abi:
        yield error(
            "wrong-machine",
            "it is built for x86-64's x32 ABI, and this kernel is compiled without (CONFIG_X86_X32_ABI)",
            "get the build for amd64 (64-bit)",
        )
        return
    if machine is not None and machine.starts_on(host.machine):
        return
    message = f"it is built for {header.machine_name} ({header.bits}-bit), and this machine is {host.machine}"
    # A script's interpreter is named to the kernel by its first line, where no emulator can stand.
    if machine is not None and machine.is_emulated_on(host.machine) and not subject.steps:
        yield note("wrong-machine", f"{message}: denizen runs it emulated, by qemu-{machine.qemu}")
        return
    hint = "get the build for this machine"
    if machine is not None and machine.qemu:
        hint += f", or run it emulated: qemu-{machine.qemu} {shell_word(subject.path)}"
    yield error("wrong-machine", message, hint)


def processor_level(subject: ProgramFacts) -> Iterator[Problem]:
    """Check GNU_PROPERTY_X86_ISA_1_NEEDED, the x86-64 level that the program needs.

    glibc's ld.so refuses with "CPU ISA level is lower than required".
    """
    wanted = subject.isa_level
    level = x86_64_level(subject.host.machine, subject.host.cpu_flags) if wanted else 0
    if level and wanted > level:
        yield error(
            "processor-too-old",
            f"it needs a processor of level x86-64-v{wanted}; this one has x86-64-v{level}",
            "get a build for the x86-64 baseline",
        )


def kernel_release(subject: ProgramFacts) -> Iterator[Problem]:
    """Check NT_GNU_ABI_TAG: until 2.35 glibc refuses with "FATAL: kernel too old"."""
    wanted = subject.kernel_wanted
    if wanted is not None and wanted > subject.host.kernel:
        shown = ".".join(map(str, wanted))
        yield error(
            "kernel-too-old",
            f"it needs Linux {shown} or newer, and this is {'.'.join(map(str, subject.host.kernel))}",
            "run it on a newer kernel: no library can stand in for one",
        )
