"""Processors this machine does not have: the real ld.so under qemu's user-mode emulation, and the model."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.linker import Cpu, read_interpreter
from denizen.linker.hwcaps import EM_X86_64, platform, subdirectories
from tests.support import dynamic_linkers, linker_cases
from tests.support.linker_cases import lib, prog, runpath
from tests.support.peers import require
from tests.support.processors import CORE2, EPYC, HASWELL

pytestmark = [pytest.mark.slow, pytest.mark.peer]

QEMU = "qemu-x86_64-static"
# qemu emulates no AVX512.
EMULATED = [("core2duo", CORE2), ("Haswell", HASWELL), ("EPYC", EPYC)]


@pytest.mark.parametrize(("model", "cpu"), EMULATED)
def test_it_searches_the_directories_and_the_platform_of_that_processor(
    model: str, cpu: Cpu, short_path: Path
) -> None:
    # In a place without a blank: ld.so's report has none between a path and what follows.
    require("gcc", QEMU, dynamic_linkers.GLIBC_64)
    interpreter = read_interpreter(DiskView(), dynamic_linkers.GLIBC_64.encode())
    assert interpreter is not None
    case = linker_cases.Case(
        "platform",
        (lib("x86_64/libx.so"), prog("x86_64/libx.so", flags=runpath("$ROOT/dir:$ROOT/$PLATFORM"))),
        {},
        then=(linker_cases.copy("x86_64/libx.so", "haswell/libx.so"),),
    )
    linker_cases.build(case, short_path, "-m64")
    searched, found = _ask(model, short_path)
    processor = EM_X86_64, cpu, interpreter.version
    assert searched == [os.fsdecode(b"dir/" + subdir).rstrip("/") for subdir in subdirectories(*processor)]
    assert found == os.fsdecode(platform(*processor) or b"")


def _ask(model: str, root: Path) -> tuple[list[str], str]:
    """(what it puts before a name in the first directory, the platform below which libx.so was found)."""
    done = subprocess.run(
        [QEMU, "-cpu", model, dynamic_linkers.GLIBC_64, str(root / "prog")],
        env={"LD_DEBUG": "libs", "LD_TRACE_LOADED_OBJECTS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    path = re.search(r"search path=(\S+)", done.stderr)
    found = re.search(rf"libx\.so => {re.escape(str(root))}/(\w+)/libx\.so", done.stdout)
    assert path is not None, done
    assert found is not None, done
    within = [directory.removeprefix(f"{root}/") for directory in path[1].split(":")]
    return list(dict.fromkeys(name for name in within if name.split("/")[0] == "dir")), found[1]
