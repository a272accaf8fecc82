"""Static programs that start others are told by their code, with the compilers' real output."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen import elf
from denizen.disk_view import DiskView
from denizen.fileview import MemoryView
from denizen.launch.program import open_program
from denizen.launch.strategies.static_children import lacking_linker, unstarted_words
from tests.support.elf_builder import Elf, build
from tests.support.kept_files import kept_by_tests
from tests.support.peers import require

STARTS = {
    "execve": "#include <unistd.h>\nint main(int n, char **w) { return execve(w[1], w + 1, 0); }\n",
    "execvp": "#include <unistd.h>\nint main(int n, char **w) { return execvp(w[1], w + 1); }\n",
    "system": "#include <stdlib.h>\nint main(int n, char **w) { return system(w[1]); }\n",
    "posix_spawn": "#include <spawn.h>\nint main(int n, char **w) {\n"
    "    int child; return posix_spawn(&child, w[1], 0, 0, w + 1, 0); }\n",
}
STARTS_NONE = '#include <stdio.h>\nint main(int n, char **w) { return printf("%s %d\\n", w[0], n); }\n'
COMPILERS = [("gcc",), ("musl-gcc",), ("gcc", "-m32")]


def compiled(directory: Path, source: str, *command: str) -> bytes:
    require(command[0])
    (directory / "program.c").write_text(source)
    program = directory / "program"
    subprocess.run([*command, "-static", "-O2", "-s", "-o", program, directory / "program.c"], check=True)
    return os.fsencode(program)


def busybox() -> bytes:
    require("busybox")
    return Path(shutil.which("busybox") or "").read_bytes()


def told(path: bytes) -> bool:
    return elf.read(DiskView().read(path)).starts_others


@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
def test_what_a_compiler_links_for_starting_programs_is_seen(
    tmp_path: Path, compiler: tuple[str, ...]
) -> None:
    assert {
        name: told(compiled(tmp_path, text, *compiler)) for name, text in STARTS.items()
    } == dict.fromkeys(STARTS, True)
    assert not told(compiled(tmp_path, STARTS_NONE, *compiler))


def test_what_a_compiler_links_for_aarch64_is_seen(tmp_path: Path) -> None:
    compiler = os.environ.get("AARCH64_CC", str(kept_by_tests() / "aarch64" / "cc"))
    for name, text in STARTS.items():
        assert told(compiled(tmp_path, text, compiler)), name
    assert not told(compiled(tmp_path, STARTS_NONE, compiler))


# "mov x8, #n; svc #0" (execve is 221, execveat 281, exit_group 94), "mov eax, n; syscall" (59, 322, 231),
# "mov eax, n; int 0x80" (11, 252): as `objdump -d` shows them in Debian's static busybox and bash.
ASSEMBLED = [
    (183, "a81b80d2010000d4", "execve"),
    (183, "282380d2010000d4", "execveat"),
    (183, "c80b80d2010000d4", ""),
    (62, "b83b0000000f05", "execve"),
    (62, "b8420100000f05", "execveat"),
    (62, "b8e70000000f05", ""),
    (62, "a81b80d2010000d4", ""),
    (3, "b80b000000cd80", "execve"),
    (3, "b8fc000000cd80", ""),
]


@pytest.mark.parametrize(("machine", "code", "call"), ASSEMBLED)
def test_the_call_is_seen_in_the_code_of_each_machine(machine: int, code: str, call: str) -> None:
    bits = 32 if machine == 3 else 64
    content = build(Elf(machine=machine, bits=bits)) + bytes.fromhex(code)
    assert elf.read(content).starts_others is bool(call)


def test_busybox_starts_programs() -> None:
    assert elf.read(busybox()).starts_others


def test_go_is_told_by_the_names_it_keeps() -> None:
    for name, expected in (
        (b"syscall.forkExec\0", True),
        (b"syscall.Exec\0", True),
        (b"os.Executable\0", False),
    ):
        assert elf.read(bytes(build(Elf())) + name).starts_others is expected


def test_a_linker_is_lacking_for_static_programs_that_start_others_alone(tmp_path: Path) -> None:
    linker = b"/lib64/ld-linux-x86-64.so.2"
    other = Path(os.fsdecode(compiled(tmp_path, STARTS_NONE, "gcc"))).read_bytes()
    dynamic = Path(shutil.which("env") or "/usr/bin/env").read_bytes()

    def lacking(files: dict[bytes, bytes]) -> bool:
        found = lacking_linker(open_program(MemoryView(files), b"/p"))
        return found.startswith(b"/lib")

    assert lacking({b"/p": busybox()})
    # That of the machine the tests run on.
    own = open_program(MemoryView({b"/p": busybox()}), b"/p").interpreter
    assert not lacking({b"/p": busybox(), own: b""})
    assert not lacking({b"/p": other})
    assert not lacking({b"/p": dynamic})
    assert not lacking({b"/p": b"#!/bin/sh\n"})
    assert "not here: no namespace" in unstarted_words(linker, "no namespace: so")
    assert "--strategy namespace" in unstarted_words(linker, "")
