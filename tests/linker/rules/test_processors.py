"""Processors this machine does not have: what the real ld.so of each glibc says on them, and the model."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.linker import Cpu, Interpreter, read_interpreter
from denizen.linker.hwcaps import (
    EM_X86_64,
    LEGACY_UNTIL,
    NAMED_SINCE,
    capabilities,
    named,
    platform,
    subdirectories,
)
from tests.support import dynamic_linkers, linker_cases
from tests.support.debian_linkers import linker_of
from tests.support.linker_cases import lib, prog, runpath
from tests.support.other_processors import Answered, Emulated, Processor, read_cpu
from tests.support.peers import require
from tests.support.processors import CORE2, EPYC, HASWELL, KNIGHTS_LANDING, SKYLAKE_X, ZEN4

pytestmark = [pytest.mark.slow, pytest.mark.peer]

_OF_INTEL = ("haswell", "xeon_phi")
_HOSTS = "this machine's"
# glibc 2.31 has legacy directories alone, 2.36 both generations, 2.41 glibc-hwcaps alone.
_LINKERS = [
    _HOSTS,
    *(pytest.param(suite, marks=pytest.mark.network) for suite in ("bullseye", "bookworm", "trixie")),
]
# qemu's processors of both makers, without AVX2 and with it, beside what denizen must take them for.
_EMULATED = (
    ("core2duo", "GenuineIntel", 1, b"x86_64"),
    ("Nehalem", "GenuineIntel", 2, b"x86_64"),
    ("SandyBridge", "GenuineIntel", 2, b"x86_64"),
    ("Haswell", "GenuineIntel", 3, b"haswell"),
    ("Icelake-Server", "GenuineIntel", 3, b"haswell"),
    ("Opteron_G5", "AuthenticAMD", 2, b"x86_64"),
    ("EPYC", "AuthenticAMD", 3, b"x86_64"),
)

_ANSWERED = {
    "a Core 2": CORE2,
    "a Haswell": HASWELL,
    "a Skylake-X": SKYLAKE_X,
    "a Knights Landing": KNIGHTS_LANDING,
    "an EPYC": EPYC,
    "a Zen 4": ZEN4,
}
_PROCESSORS: list[Processor] = [
    *(Emulated(model) for model, *_ in _EMULATED),
    *(Answered(name, cpu) for name, cpu in _ANSWERED.items()),
]


@pytest.fixture(params=_LINKERS)
def linker(request: pytest.FixtureRequest) -> str:
    """A real dynamic linker's path."""
    require("gcc", "qemu-x86_64-static", dynamic_linkers.GLIBC_64)
    return dynamic_linkers.GLIBC_64 if request.param == _HOSTS else str(linker_of(request.param))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a program, whose library is to be found below a directory named like the platform."""
    require("gcc", "qemu-x86_64-static")
    made = tmp_path_factory.mktemp("program")
    case = linker_cases.Case(
        "platform",
        (lib("x86_64/libx.so"), prog("x86_64/libx.so", flags=runpath("$ROOT/dir:$ROOT/$PLATFORM"))),
        {},
        then=tuple(
            linker_cases.copy("x86_64/libx.so", f"{name}/libx.so") for name in ("haswell", "xeon_phi")
        ),
    )
    linker_cases.build(case, made, "-m64")
    return made


@pytest.mark.parametrize(("model", "vendor", "level", "name"), _EMULATED)
def test_the_facts_of_a_processor_are_read_as_they_are_there(
    model: str, vendor: str, level: int, name: bytes
) -> None:
    require("gcc", "qemu-x86_64-static")
    cpu = read_cpu(Emulated(model))
    assert (cpu.vendor, cpu.level, platform(EM_X86_64, cpu, LEGACY_UNTIL)) == (vendor, level, name)


@pytest.mark.parametrize("name", _ANSWERED)
def test_a_processor_that_is_answered_for_is_the_one_meant(name: str) -> None:
    require("gcc")
    assert read_cpu(Answered(name, _ANSWERED[name])).flags >= _ANSWERED[name].flags


@pytest.mark.parametrize("processor", _PROCESSORS, ids=lambda processor: processor.name)
def test_it_searches_the_directories_and_the_platform_of_that_processor(
    processor: Processor, linker: str, root: Path
) -> None:
    facts = EM_X86_64, read_cpu(processor), _interpreter(linker).version
    searched, found = _searches(processor.command(linker, str(root / "prog")), root)
    assert searched == [os.fsdecode(b"dir/" + subdir).rstrip("/") for subdir in subdirectories(*facts)]
    assert found == os.fsdecode(platform(*facts) or b"")


@pytest.mark.parametrize("processor", _PROCESSORS, ids=lambda processor: processor.name)
def test_it_tells_which_directories_are_for_that_processor(processor: Processor, linker: str) -> None:
    interpreter = _interpreter(linker)
    if interpreter.version < NAMED_SINCE:
        assert "glibc-hwcaps" not in _help(processor, linker)
        return
    assert _told(processor, linker) == _expected(read_cpu(processor), interpreter)


def _interpreter(linker: str) -> Interpreter:
    found = read_interpreter(DiskView(), linker.encode())
    assert found is not None
    return found


def _searches(command: list[str], root: Path) -> tuple[list[str], str]:
    """(what it puts before a name in the first directory, the platform below which libx.so was found)."""
    done = subprocess.run(
        command, env={"LD_DEBUG": "libs", "LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    path = re.search(r"search path=(.*?)(?:\t|$)", done.stderr, re.MULTILINE)
    found = re.search(rf"libx\.so => {re.escape(str(root))}/(\w+)/libx\.so", done.stdout)
    assert path is not None, done
    assert found is not None, done
    within = [directory.removeprefix(f"{root}/") for directory in path[1].split(":")]
    return list(dict.fromkeys(name for name in within if name.split("/")[0] == "dir")), found[1]


def _help(processor: Processor, linker: str) -> str:
    words = processor.command(linker, "--help")
    return subprocess.run(words, capture_output=True, text=True, check=False, env={}).stdout


def _told(processor: Processor, linker: str) -> list[str]:
    """Return the subdirectories that it says it searches, in its order."""
    return re.findall(
        r"^  (\S+) \((?:AT_PLATFORM; )?supported, searched\)", _help(processor, linker), re.MULTILINE
    )


def _expected(cpu: Cpu, interpreter: Interpreter) -> list[str]:
    names = list(named(EM_X86_64, cpu))
    if interpreter.version <= LEGACY_UNTIL:
        facts = EM_X86_64, cpu, interpreter.version
        names += [platform(*facts) or b"", b"tls", *reversed(capabilities(*facts))]
    return list(map(os.fsdecode, names))
