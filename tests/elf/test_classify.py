import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.elf import ProgramKind, classify, constants
from tests.support.elf_builder import Elf, Note, Symbol, build
from tests.support.peers import require


@pytest.mark.parametrize(
    ("elf", "kind"),
    [
        (Elf(interpreter=b"/lib64/ld.so"), ProgramKind.DYNAMIC),
        (Elf(type=constants.ET_EXEC, interpreter=b"/lib/ld.so"), ProgramKind.DYNAMIC),
        (Elf(soname=b"liba.so"), ProgramKind.LIBRARY),
        (Elf(needed=(b"libc.so.6",), entry=1), ProgramKind.LIBRARY),
        (Elf(symbols=(Symbol(b"plugin_init"),), entry=1), ProgramKind.LIBRARY),
        (Elf(entry=1, flags_1=constants.DF_1_PIE), ProgramKind.STATIC_PIE),
        (Elf(entry=1), ProgramKind.STATIC_PIE),
        (Elf(entry=1, dynamic=False), ProgramKind.STATIC_PIE),
        (Elf(type=constants.ET_EXEC, dynamic=False), ProgramKind.STATIC),
        (Elf(type=constants.ET_EXEC, dynamic=False, notes=(Note(b"Go", 4, b"id"),)), ProgramKind.GO_STATIC),
        (Elf(type=constants.ET_EXEC, segments=((99, b"\xff Go buildinf:\x08\2"),)), ProgramKind.GO_STATIC),
        (Elf(type=constants.ET_REL), ProgramKind.RELOCATABLE),
        (Elf(type=constants.ET_CORE), ProgramKind.CORE),
        (Elf(type=0xFE00), ProgramKind.OTHER_ELF),
    ],
)
def test_elf_files_are_told_apart_by_their_headers(elf: Elf, kind: ProgramKind) -> None:
    found = classify(build(elf))
    assert (found.kind, found.problem) == (kind, None)
    assert found.image is not None


@pytest.mark.parametrize("size", [4, 20, 70])
def test_a_truncated_elf_file_is_broken_with_the_problem(size: int) -> None:
    found = classify(build(Elf())[:size])
    assert found.kind is ProgramKind.BROKEN_ELF
    assert found.problem is not None


def test_a_fault_in_what_decides_makes_a_file_broken() -> None:
    found = classify(build(Elf(segments=((constants.PT_INTERP, b""),))))
    assert found.kind is ProgramKind.BROKEN_ELF
    assert found.image is not None


@pytest.mark.parametrize(
    ("content", "kind", "form"),
    [
        (b"", ProgramKind.EMPTY, None),
        (b"!<arch>\nabc", ProgramKind.ARCHIVE, None),
        (b"!<thin>\nabc", ProgramKind.THIN_ARCHIVE, None),
        (b"!<arch>\ndebian-binary   ", ProgramKind.FORMAT, "Debian package"),
        (b"\x1f\x8b\x08", ProgramKind.FORMAT, "gzip"),
        (b"PK\3\4", ProgramKind.FORMAT, "zip"),
        (b"MZ\x90", ProgramKind.FORMAT, "Windows program"),
        (b"\xca\xfe\xba\xbe\0\0\0\2", ProgramKind.FORMAT, "macOS program"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", ProgramKind.FORMAT, "Java class"),
        (b"\n <!DOCTYPE HTML><p>404", ProgramKind.FORMAT, "web page"),
        (bytes(257) + b"ustar\0", ProgramKind.FORMAT, "tar"),
        ("Grüße\n".encode(), ProgramKind.TEXT, None),
        (b"\0\1\2\3", ProgramKind.UNKNOWN, None),
        (b"#!\n", ProgramKind.TEXT, None),
    ],
)
def test_other_files_are_told_by_their_first_bytes(
    content: bytes, kind: ProgramKind, form: str | None
) -> None:
    found = classify(content)
    assert (found.kind, found.format) == (kind, form)


def test_a_script_comes_with_its_interpreter() -> None:
    found = classify(b"#!/bin/sh\n")
    assert found.kind is ProgramKind.SCRIPT
    assert found.script is not None
    assert found.script.interpreter == b"/bin/sh"


def test_a_script_env_refuses_is_a_script_with_a_problem() -> None:
    found = classify(b"#!/usr/bin/env -S 'x\n")
    assert found.kind is ProgramKind.SCRIPT
    assert found.problem is not None


def test_a_makeself_archive_is_a_script_that_says_so() -> None:
    head = b"#!/bin/sh\n# This script was generated using Makeself 2.4.5\n"
    assert classify(head).format == "makeself"


def test_a_packed_program_names_its_packer() -> None:
    packed = Elf(type=constants.ET_EXEC, dynamic=False, segments=((99, b"UPX!"),))
    assert classify(build(packed)).format == "upx"


@pytest.mark.peer
@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ((), ProgramKind.DYNAMIC),
        (("-no-pie",), ProgramKind.DYNAMIC),
        (("-static",), ProgramKind.STATIC),
        (("-static-pie",), ProgramKind.STATIC_PIE),
        (("-shared", "-fPIC"), ProgramKind.LIBRARY),
        (("-c",), ProgramKind.RELOCATABLE),
    ],
)
def test_what_gcc_makes_is_told_apart(options: tuple[str, ...], kind: ProgramKind, tmp_path: Path) -> None:
    require("gcc")
    source = tmp_path / "main.c"
    source.write_text("int main(void) { return 0; }\n")
    made = tmp_path / "made"
    subprocess.run(["gcc", *options, "-o", str(made), str(source)], check=True)
    assert classify(made.read_bytes()).kind is kind


@pytest.mark.peer
def test_a_kernel_module_is_known_by_its_section(tmp_path: Path) -> None:
    require("gcc")
    source = tmp_path / "module.c"
    source.write_text('__attribute__((section(".gnu.linkonce.this_module"))) int module;\n')
    subprocess.run(["gcc", "-c", "-o", str(tmp_path / "m.ko"), str(source)], check=True)
    assert classify((tmp_path / "m.ko").read_bytes()).kind is ProgramKind.KERNEL_MODULE


@pytest.mark.peer
def test_dlopen_notes_of_a_real_compiler_lie_in_a_segment(tmp_path: Path) -> None:
    require("gcc")
    source = tmp_path / "main.c"
    source.write_text(
        '__attribute__((used, section(".note.dlopen"))) _Alignas(4) static const struct {\n'
        "  unsigned sizes[3]; char name[4]; _Alignas(4) char json[24]; } note = {\n"
        '  {4, 24, 0x407c0c0a}, "FDO", "[{\\"soname\\":[\\"liba.so\\"]}]" };\n'
        "int main(void) { return 0; }\n"
    )
    made = tmp_path / "made"
    subprocess.run(["gcc", "-o", str(made), str(source)], check=True)
    stripped = shutil.copy(made, tmp_path / "stripped")
    subprocess.run(["strip", str(stripped)], check=True)
    for file in (made, Path(stripped)):
        image = classify(file.read_bytes()).image
        assert image is not None
        assert [note.sonames for note in image.notes.dlopen] == [(b"liba.so",)]
