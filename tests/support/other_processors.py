"""Processors this machine does not have: programs run on them, and what Linux would tell of them.

`Emulated` runs a program under qemu's user-mode emulation, which knows no AVX512. `Answered` runs it on this
machine's processor, step by step, and answers each cpuid and xgetbv: good for as long as the program only
asks what the processor has.
"""

import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from denizen.host import read_cpuinfo
from denizen.linker import Cpu, cpu_of
from tests.support.kept_files import compiler_version, digest_of, kept

QEMU = "qemu-x86_64-static"
_EAX, _EBX, _ECX, _EDX = range(4)
_EXTENDED = 0x80000001
_LEAVES = (0, 1, 7, _EXTENDED)
# Names of /proc/cpuinfo -> leaf of cpuid, register, bit (Linux, arch/x86/include/asm/cpufeatures.h).
_BITS: Mapping[str, tuple[int, int, int]] = {
    **{name: (1, _EDX, bit) for name, bit in (("fpu", 0), ("cx8", 8), ("cmov", 15), ("fxsr", 24))},
    **{name: (1, _EDX, bit) for name, bit in (("mmx", 23), ("sse", 25), ("sse2", 26))},
    **{name: (1, _ECX, bit) for name, bit in (("pni", 0), ("ssse3", 9), ("fma", 12), ("cx16", 13))},
    **{name: (1, _ECX, bit) for name, bit in (("sse4_1", 19), ("sse4_2", 20), ("movbe", 22))},
    **{name: (1, _ECX, bit) for name, bit in (("popcnt", 23), ("xsave", 26), ("avx", 28), ("f16c", 29))},
    **{name: (7, _EBX, bit) for name, bit in (("bmi1", 3), ("avx2", 5), ("bmi2", 8), ("avx512f", 16))},
    **{name: (7, _EBX, bit) for name, bit in (("avx512dq", 17), ("avx512pf", 26), ("avx512er", 27))},
    **{name: (7, _EBX, bit) for name, bit in (("avx512cd", 28), ("avx512bw", 30), ("avx512vl", 31))},
    **{name: (_EXTENDED, _ECX, bit) for name, bit in (("lahf_lm", 0), ("abm", 5))},
    "lm": (_EXTENDED, _EDX, 29),
}
_ALWAYS = frozenset(["fpu", "fxsr", "mmx", "sse", "lm"])
_OSXSAVE = 1, _ECX, 27
# Bits of XCR0: what of the registers the kernel saves.
_XCR0_SSE, _XCR0_AVX, _XCR0_AVX512 = 0x3, 0x4, 0xE0

# Writes the registers of each leaf. Without a C library: nothing but these questions is there to step over.
_ASKING = r"""
#include <cpuid.h>
#include <sys/syscall.h>
static unsigned int said[][4] = {LEAVES};
static long call(long number, long first, const void *second, long third) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}
void _start(void) {
    for (unsigned int *row = said[0]; row < said[sizeof said / sizeof *said]; row += 4) {
        unsigned int leaf = row[0];
        __cpuid_count(leaf, 0, row[0], row[1], row[2], row[3]);
    }
    call(SYS_write, 1, said, sizeof said);
    call(SYS_exit, 0, 0, 0);
}
"""
# ANSWERS PROGRAM WORD...: the file begins with XCR0; each other line is a leaf and four registers. Another
# leaf is 0. Some steps after the last question the rest runs by itself: ld.so asks when it begins.
_ANSWERING = r"""
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
enum { BEFORE = 500000, BETWEEN = 2000, MOST = 32 };
static unsigned int answers[MOST][5], known, xcr0;
static void answer(struct user_regs_struct *r) {
    unsigned int leaf = r->rax, sub = r->rcx;
    r->rax = r->rbx = r->rcx = r->rdx = 0;
    for (unsigned int i = 0; i < known; i++)
        // Leaves without subleaves are asked with anything in ecx.
        if (answers[i][0] == leaf && (sub == 0 || (leaf != 7 && leaf != 13))) {
            r->rax = answers[i][1], r->rbx = answers[i][2], r->rcx = answers[i][3], r->rdx = answers[i][4];
            return;
        }
}
int main(int count, char **words) {
    FILE *file = count > 2 ? fopen(words[1], "r") : 0;
    if (!file || fscanf(file, "%u", &xcr0) != 1) return 99;
    for (unsigned int *a; a = answers[known],
         fscanf(file, "%u %u %u %u %u", a, a + 1, a + 2, a + 3, a + 4) == 5;)
        if (++known == MOST) return 99;
    pid_t child = fork();
    if (!child) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(words[2], words + 2);
        _exit(98);
    }
    int status, left = BEFORE;
    waitpid(child, &status, 0);
    while (WIFSTOPPED(status) && left-- > 0) {
        struct user_regs_struct r;
        ptrace(PTRACE_GETREGS, child, 0, &r);
        unsigned long code = ptrace(PTRACE_PEEKTEXT, child, r.rip, 0);
        int cpuid = (code & 0xffff) == 0xa20f, xgetbv = (code & 0xffffff) == 0xd0010f;
        if (cpuid) {
            answer(&r);
        } else if (xgetbv) {
            r.rax = xcr0, r.rdx = 0;
        }
        if (cpuid || xgetbv) {
            r.rip += cpuid ? 2 : 3;
            ptrace(PTRACE_SETREGS, child, 0, &r);
            left = BETWEEN;
            continue;
        }
        ptrace(PTRACE_SINGLESTEP, child, 0, 0);
        waitpid(child, &status, 0);
    }
    if (WIFSTOPPED(status)) {
        ptrace(PTRACE_DETACH, child, 0, 0);
        waitpid(child, &status, 0);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}
"""


class Processor(Protocol):
    """A processor other than this machine's."""

    @property
    def name(self) -> str:
        """Its name in a test's name."""
        ...

    def command(self, *words: str) -> list[str]:
        """Return the words that start a program on it."""
        ...


class Emulated:
    """A model of qemu's."""

    def __init__(self, model: str) -> None:
        self.name = model

    def command(self, *words: str) -> list[str]:
        return [QEMU, "-cpu", self.name, *words]


class Answered:
    """A processor made of a vendor and the names of /proc/cpuinfo's flags."""

    def __init__(self, name: str, cpu: Cpu) -> None:
        self.name, self._cpu = name, cpu

    def command(self, *words: str) -> list[str]:
        return [str(_compiled(_ANSWERING)), str(_answers(self._cpu)), *words]


def cpuinfo_of(processor: Processor) -> bytes:
    """Return what Linux would say of the processor in /proc/cpuinfo, by what cpuid says there."""
    words = processor.command(str(_compiled(_asking(), "-nostdlib")))
    said = subprocess.run(words, check=True, capture_output=True).stdout
    leaves = dict(zip(_LEAVES, struct.iter_unpack("4I", said), strict=True))
    vendor = b"".join(leaves[0][register].to_bytes(4, "little") for register in (_EBX, _EDX, _ECX))
    flags = [name for name, (leaf, register, bit) in _BITS.items() if leaves[leaf][register] >> bit & 1]
    return b"vendor_id\t: %s\nflags\t\t: %s\n" % (vendor, " ".join(flags).encode())


def _asking() -> str:
    return _ASKING.replace("LEAVES", ", ".join(f"{{{leaf}u}}" for leaf in _LEAVES))


def read_cpu(processor: Processor) -> Cpu:
    """Return the processor as denizen knows it on a machine that has it."""
    return cpu_of("x86_64", *read_cpuinfo(cpuinfo_of(processor)))


@cache
def _answers(cpu: Cpu) -> Path:
    """Return the file of what cpuid answers there."""
    xcr0 = _XCR0_SSE
    xcr0 |= _XCR0_AVX if "avx" in cpu.flags else 0
    xcr0 |= _XCR0_AVX512 if "avx512f" in cpu.flags else 0
    ebx, edx, ecx = (int.from_bytes(cpu.vendor.encode()[at : at + 4], "little") for at in (0, 4, 8))
    # Leaf 2: its lowest byte says that asking once is enough.
    rows: list[tuple[int, ...]] = [(0, 0xD, ebx, ecx, edx), (2, 1, 0, 0, 0), (0xD, xcr0, 2696, 2696, 0)]
    rows += [(leaf, *registers) for leaf, registers in _registers(cpu.flags).items()]
    rows.append((0x80000000, 0x80000008, 0, 0, 0))
    content = "\n".join(" ".join(map(str, row)) for row in ((xcr0,), *rows))
    with tempfile.NamedTemporaryFile("w", prefix="denizen-processor-", delete=False) as file:
        file.write(content)
    return Path(file.name)


def _registers(flags: Iterable[str]) -> dict[int, list[int]]:
    """Return the registers of each leaf that has bits for flags."""
    leaves = {leaf: [0, 0, 0, 0] for leaf in _LEAVES if leaf}
    bits = [_BITS[name] for name in {*flags, *_ALWAYS}]
    for leaf, register, bit in (*bits, *([_OSXSAVE] if "xsave" in flags else [])):
        leaves[leaf][register] |= 1 << bit
    return leaves


@cache
def _compiled(source: str, *flags: str) -> Path:
    """Return the program, static: variables for the dynamic linker that is asked are not for this one's."""

    def make(directory: Path) -> Path:
        (directory / "source.c").write_text(source)
        words = ["gcc", "-O1", "-static", *flags, "-o", str(directory / "made"), str(directory / "source.c")]
        subprocess.run(words, check=True)
        return directory / "made"

    digest = digest_of(Path(), (), source, *flags, compiler_version("gcc"))
    return kept("processors", digest, make, most=8)
