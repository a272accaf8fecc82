"""Whole programs: what `why` finds of one in a small system, with libraries that are as hostile as it is."""

from collections.abc import Sequence

from denizen.diagnose.examine import examine
from denizen.diagnose.program_facts import HostContext
from denizen.elf import classify
from denizen.elf import constants as c
from denizen.elf.counted_strings import counted_strings
from denizen.elf.library_strings import library_strings
from denizen.errors import BadInput
from denizen.fileview import Executable, MemoryView
from denizen.linker import Environment, interposed, resolve
from fuzz import elf
from tests.support.elf_builder import Elf, Symbol, build
from tests.support.glibc_systems import FREE, HOST, PUTS, SYSTEM, program
from tests.support.linker_systems import MUSL, musl

# Between the program and the library that it asks for first.
_AND = b"\n=== library ===\n"
_PATH = b"/opt/app/bin/program"
_WORLD = HostContext(HOST, Environment(), (b"/usr/bin", b"/bin"))
TOKENS = (*elf.TOKENS, _AND, b"$ORIGIN", b"${LIB}", b"$PLATFORM/", b"liba.so.1", b"libc.so.6", b":", b"/../")

# Each library that is asked for is searched in eight directories, as ld.so does: 40 us in this view. A
# mutated run path has twice as many.
TIME = 12


def examine_program(data: bytes) -> None:
    own, _, library = data.partition(_AND)
    view = MemoryView(
        {
            **SYSTEM,
            MUSL: Executable(musl()),
            _PATH: Executable(own),
            b"/opt/app/lib/liba.so.1": library,
            b"/usr/lib/x86_64-linux-gnu/libb.so.1": library,
        }
    )
    try:
        report = examine(view, _PATH, FREE, _WORLD)
    except OSError as refusal:
        raise _NotExamined(str(refusal)) from refusal
    for problem in report.problems:
        assert problem.message.isprintable()
    if (image := classify(own).image) is not None:
        list(library_strings(image))
        assert all(len(one) <= 40 for one in counted_strings(image))
        assert image.starts_others in (True, False)
        interposed(resolve(view, _PATH, Environment()))


class _NotExamined(BadInput):
    """The view refuses the path itself."""


def programs() -> Sequence[bytes]:
    needs = (PUTS, Symbol(b"a", defined=False, version=b"A_1", file=b"liba.so.1"))
    one = program(b"liba.so.1", b"libb.so.1", symbols=needs, runpath=b"$ORIGIN/../lib")
    library = build(
        Elf(soname=b"liba.so.1", needed=(b"libb.so.1", b"libc.so.6"), symbols=(Symbol(b"a", version=b"A_1"),))
    )
    return [
        one + _AND + library,
        program() + _AND,
        program(b"liba.so.1", interpreter=MUSL, runpath=b"$ORIGIN/../lib") + _AND + library,
        program(b"liba.so.1", machine=183) + _AND + library,
        build(Elf(dynamic=False, entry=1)) + _AND,
        b"#!/usr/bin/env -S sh -e\n",
        b"#!/opt/app/lib/liba.so.1 x\n" + _AND + b"#!/opt/app/bin/program\n",
    ]


def large_programs() -> Sequence[bytes]:
    """Return programs that ask for many libraries, directories, or symbols of the library."""
    names = [b"libx%05d.so" % number for number in range(4_000)]
    symbols = tuple(
        [Symbol(b"s%05d" % n, defined=False, version=b"A_1", file=b"liba.so.1") for n in range(5_000)]
    )
    asked = program(b"liba.so.1", symbols=symbols, runpath=b"$ORIGIN/../lib")
    exported = tuple([Symbol(symbol.name, version=b"A_1") for symbol in symbols])
    return [
        program(*names) + _AND,
        program(*names[:40], runpath=b":".join([b"/d%04d" % n for n in range(400)])) + _AND,
        program(b"liba.so.1", runpath=b"$ORIGIN/../lib")
        + _AND
        + build(Elf(soname=b"liba.so.1", needed=tuple(names))),
        asked + _AND + build(Elf(soname=b"liba.so.1", symbols=exported)),
        asked + _AND + build(Elf(soname=b"liba.so.1", flags=c.DF_SYMBOLIC)),
        program(b"liba.so.1", runpath=b"$ORIGIN/" * 10_000) + _AND,
    ]
