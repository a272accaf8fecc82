"""A small glibc system in memory with a program, for tests of the diagnosis."""

from __future__ import annotations

from dataclasses import dataclass, field

from denizen.diagnose.examine import examine
from denizen.diagnose.problem import Problem
from denizen.diagnose.program_facts import HostContext
from denizen.diagnose.report import Report
from denizen.elf import constants as c
from denizen.file_placement import Placement
from denizen.fileview import Executable, MemoryView, ViewLink
from denizen.host import Host
from denizen.linker import Environment
from tests.support.elf_builder import Elf, Symbol, build
from tests.support.processors import LEVEL_3

INTERPRETER = b"/lib64/ld-linux-x86-64.so.2"
HOST = Host(machine="x86_64", kernel=(6, 1, 0), uid=1000, gids=frozenset({1000}), cpu_flags=LEVEL_3)
FREE = Placement(noexec=False, nosuid=False, executable=True, readable=True)

# What read_interpreter looks for in a real one: its directories, its banner.
LD_SO = build(Elf(soname=b"ld-linux-x86-64.so.2")) + (
    b"\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0"
    b"lib/x86_64-linux-gnu\0/etc/ld.so.cache\0stable release version 2.36.\0"
)
LIBC = build(
    Elf(
        soname=b"libc.so.6",
        symbols=(
            Symbol(b"puts", version=b"GLIBC_2.2.5"),
            Symbol(b"fresh", version=b"GLIBC_2.36"),
        ),
    )
)
SYSTEM: dict[bytes, bytes | Executable | ViewLink] = {
    INTERPRETER: Executable(LD_SO),
    b"/lib/x86_64-linux-gnu/libc.so.6": LIBC,
    b"/bin/sh": Executable(build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",)))),
    b"/usr/bin/env": Executable(build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",)))),
}

PUTS = Symbol(b"puts", defined=False, version=b"GLIBC_2.2.5", file=b"libc.so.6")


def program(
    *needed: bytes,
    symbols: tuple[Symbol, ...] = (PUTS,),
    machine: int = 62,
    stack: int | None = c.PF_R | c.PF_W,
    runpath: bytes | None = None,
    appended: bytes = b"",
    interpreter: bytes | None = INTERPRETER,
    flags: int = 0,
) -> bytes:
    """Return a dynamic program that needs the C library and `needed`."""
    return build(
        Elf(
            interpreter=interpreter,
            needed=(*needed, b"libc.so.6"),
            symbols=symbols,
            relocated=tuple(symbol.name for symbol in symbols if not symbol.defined),
            machine=machine,
            stack=stack,
            runpath=runpath,
            appended=appended,
            flags=flags,
            flags_1=c.DF_1_PIE,
        )
    )


@dataclass
class Case:
    """One program at /opt/app/bin/program in the system above, changed as a test needs it."""

    content: bytes
    files: dict[bytes, bytes | Executable | ViewLink] = field(default_factory=dict)
    without: tuple[bytes, ...] = ()
    placement: Placement = FREE
    host: Host = HOST
    path: bytes = b"/opt/app/bin/program"
    search_path: tuple[bytes, ...] = (b"/usr/bin", b"/bin")
    environment: Environment = field(default_factory=Environment)

    def report(self) -> Report:
        system = {name: entry for name, entry in SYSTEM.items() if name not in self.without}
        view = MemoryView({**system, self.path: Executable(self.content), **self.files})
        return examine(
            view, self.path, self.placement, HostContext(self.host, self.environment, self.search_path)
        )

    def problem(self, code: str) -> Problem:
        """The one problem with this code."""
        (found,) = [problem for problem in self.report().problems if problem.code == code]
        return found

    def codes(self) -> list[str]:
        return [problem.code for problem in self.report().problems]
