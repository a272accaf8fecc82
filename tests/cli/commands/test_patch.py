"""`denizen patch`: its words, and a copy that starts with packages' libraries and without denizen."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from denizen.app.relocate.patch_program import NotPatched, NotPut
from denizen.cli.dispatch import dispatch
from denizen.host import machine_name
from denizen.machines import by_kernel, interpreter_of_kernel
from tests.support.elf_builder import Elf, build
from tests.support.offline_roots import DenizenHome


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(build(Elf(interpreter=b"/lib/ld.so.1", needed=(b"liba.so", b"libb.so"), machine=243)))
    return path


def test_without_options_what_can_be_changed_is_shown(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["patch", str(program)]) == 0
    shown = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert shown == {"program": str(program), "interpreter": "/lib/ld.so.1", "needed": "liba.so libb.so"}


def test_every_option_changes_what_it_says(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--interpreter", "/other/ld.so", "--rpath", "$ORIGIN/lib", "--add-needed", "libc.so",
             "--replace-needed", "libb.so=libz.so", "--remove-needed", "liba.so", "--set-soname", "p.so",
             "--no-default-lib"]  # fmt: skip
    assert dispatch(["patch", str(program), "--in-place", *words]) == 0
    capsys.readouterr()
    assert dispatch(["--json", "patch", str(program)]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "program": str(program), "interpreter": "/other/ld.so", "soname": "p.so", "runpath": "$ORIGIN/lib",
        "rpath": None, "needed": ["libc.so", "libz.so"], "no_default_lib": True, "payload": None,
    }  # fmt: skip


def test_an_empty_run_path_is_none_and_an_empty_name_is_refused(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["patch", str(program), "--in-place", "--rpath", "/somewhere"]) == 0
    assert dispatch(["patch", str(program), "--in-place", "--rpath", ""]) == 0
    assert "runpath" not in capsys.readouterr().out
    for words in (["--interpreter", ""], ["--set-soname", ""]):
        assert dispatch(["patch", str(program), "--in-place", *words]) == 2
        assert "is an empty word" in capsys.readouterr().err
    assert dispatch(["patch", str(program), "--in-place", "--add-rpath", "/a:"]) == NotPatched.exit_status
    assert "  an empty " in capsys.readouterr().err


@pytest.mark.parametrize("place", ["directory", "nowhere/file"])
def test_what_cannot_be_written_is_named(
    program: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    program.with_name("directory").mkdir()
    target = program.with_name("directory").parent / place
    words = ["patch", str(program), "--rpath", "/x", "--output", str(target)]
    assert dispatch(words) == NotPut.exit_status
    assert capsys.readouterr().err.startswith(f"denizen: {target} cannot be written\n")
    assert sorted(path.name for path in program.parent.iterdir()) == ["directory", "program"]


def test_names_that_are_not_needed_are_told(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--remove-needed", "libno.so", "--replace-needed", "libnot.so=libx.so", "--replace-needed",
             "liba.so=libz.so", "--interpreter", "/no/such/ld.so"]  # fmt: skip
    told = []
    for _ in range(2):
        assert dispatch(["--json", "patch", str(program), "--in-place", *words]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert [one["changed"] for one in told] == [True, False]
    assert [one["not_needed"] for one in told] == [["libno.so", "libnot.so"]] * 2
    assert [one["no_interpreter"] for one in told] == [None] * 2  # it is for another architecture


@pytest.mark.skipif(not os.path.exists(interpreter_of_kernel(machine_name())), reason="no host of glibc's")
def test_an_interpreter_that_is_absent_is_told(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    host = by_kernel(machine_name())
    assert host is not None
    program.write_bytes(build(Elf(interpreter=b"/lib/ld.so", needed=(b"liba.so",), machine=host.e_machine)))
    words = ["patch", str(program), "--plan", "--interpreter"]
    for path in ("/no/such/ld.so", os.fsdecode(host.interpreter)):
        assert dispatch([*words, path]) == 0
    assert capsys.readouterr().err.count("this host has no /no/such/ld.so") == 1


def test_the_plan_is_a_document(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = program.read_bytes()
    assert dispatch(["--json", "patch", str(program), "--remove-needed", "liba.so", "--plan"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["changed"], plan["written"], plan["grown"]) == (True, False, 0)
    assert [edit["part"] for edit in plan["edits"]] == ["the dynamic section"]
    assert program.read_bytes() == content


def test_of_several_one_that_cannot_be_patched_keeps_no_other_from_it(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, other = program.with_name("text"), program.with_name("other")
    text.write_text("no program\n")
    other.write_bytes(program.read_bytes())
    words = ["--json", "patch", str(program), str(text), str(other)]
    assert dispatch([*words, "--rpath", "/somewhere", "--in-place"]) == NotPatched.exit_status
    told = capsys.readouterr()
    assert [one["program"] for one in json.loads(told.out)] == [str(program), str(other)]
    assert str(text) in told.err
    assert dispatch(words) == NotPatched.exit_status
    assert [one["runpath"] for one in json.loads(capsys.readouterr().out)] == ["/somewhere"] * 2
    assert text.read_text() == "no program\n"


def test_several_programs_have_no_one_output(program: Path) -> None:
    words = [str(program), str(program), "--rpath", "/a", "--output", str(program.with_name("new"))]
    assert dispatch(["patch", *words]) == 2
    assert not program.with_name("new").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--rpath", "/a"],
        ["--rpath", "/a", "--remove-rpath", "--in-place"],
        ["--rpath", "/a", "--in-place", "--output", "x"],
        ["--replace-needed", "liba.so", "--in-place"],
        ["--auto", "--rpath", "/a", "--in-place"],
    ],
)
def test_contradicting_words_are_refused(program: Path, words: list[str]) -> None:
    content = program.read_bytes()
    assert dispatch(["patch", str(program), *words]) == 2
    assert program.read_bytes() == content


def test_an_automatic_copy_starts_without_denizen_and_keeps_its_packages(tmp_path: Path) -> None:
    home = DenizenHome(tmp_path)
    home.set_up("index", "update", "--suite", "debian")
    # A library of a package that needs another one: DT_RUNPATH would not be searched for it.
    inner = home.add_library("inner", "int inner(void) { return 5; }\n")
    outer = home.library("outer")
    text = outer.with_suffix(".c")
    text.write_text("int inner(void); int outer(void) { return inner(); }\n")
    command = [
        "gcc",
        "-shared",
        "-fPIC",
        "-Wl,-soname,libouter.so.1",
        "-o",
        str(outer),
        str(text),
        str(inner),
    ]
    subprocess.run(command, check=True)
    home.pack_library("outer")
    home.set_up("index", "update", "--suite", "debian")
    source = "int outer(void); int main(void) { return outer(); }\n"
    program = home.compile("program", source, str(outer), "-Wl,--allow-shlib-undefined")
    assert subprocess.run([program], capture_output=True, check=False).returncode == 127
    copy = tmp_path / "elsewhere" / "copy"
    copy.parent.mkdir()
    home.denizen("patch", "--auto", str(program), "-o", str(copy))
    assert subprocess.run([copy], env={}, check=False).returncode == 5
    home.denizen("gc", "--grace", "0d")
    assert subprocess.run([copy], env={}, check=False).returncode == 5
    # What was damaged in the store is made again, also what the linker model does not read.
    (damaged,) = home.root.glob("data/store/*libouter1*/usr/lib/*/libouter.so.1")
    content = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(content[:-8] + bytes(8))
    home.denizen("patch", "--auto", str(program), "-o", str(copy))
    assert damaged.read_bytes() == content
    copy.unlink()
    home.denizen("gc", "--grace", "0d")
    left = [path.name for path in (home.root / "data" / "store").iterdir() if "libouter1" in path.name]
    assert left == []
