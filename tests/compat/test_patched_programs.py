"""Programs of many forms, patched as patchelf's users reported: they run as before, and stripped too."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.app.relocate.patch_program import PatchRequest, patch
from denizen.elf import read
from denizen.relocate.patch_changes import Changes
from tests.support.kept_files import kept_by_tests
from tests.support.patch_cases import EXPECTED, FORMS, Bench, Form
from tests.support.peers import require

CASES = ("run path", "interpreter", "all at once")


def changes_of(case: str, bench: Bench, program: Path) -> Changes:
    other, linker = os.fsencode(bench.other), os.fsencode(bench.linker(program))
    match case:
        case "run path":
            return Changes(run_path=b"/nowhere:" + other)
        case "interpreter":
            return Changes(interpreter=linker)
        case _:
            # Several at once (NixOS/patchelf#193), in any order (XinShuichen/sopacker#1).
            shutil.copy(bench.other / "libcalled.so", bench.other / "libcalled-by-another-name.so")
            replaced = ((b"libcalled.so", b"libcalled-by-another-name.so"),)
            return Changes(linker, other, replace_needed=replaced, soname=b"program.so", force_rpath=True)


@pytest.mark.parametrize("form", FORMS, ids=[form.name for form in FORMS])
def test_a_patched_program_runs_as_before(form: Form, tmp_path: Path) -> None:
    """And again after strip(1) (NixOS/patchelf#10, #371), and patched once more."""
    require("gcc", "strip")
    bench = Bench(tmp_path)
    program = bench.build(form)
    if program is None or bench.run(program) != EXPECTED:
        pytest.skip("it cannot be compiled or does not run here")
    content = program.read_bytes()
    for case in CASES:
        target = tmp_path / "patched"
        changes = changes_of(case, bench, program)
        patch(PatchRequest(os.fsencode(program), os.fsencode(target), changes))
        assert program.read_bytes() == content
        assert bench.run(target) == EXPECTED, case
        once = target.read_bytes()
        patch(PatchRequest(os.fsencode(target), os.fsencode(target), changes))
        assert target.read_bytes() == once
        if read(content).header.shnum:
            subprocess.run(["strip", target], check=True)
            assert bench.run(target) == EXPECTED, case


@pytest.mark.parametrize("length", [10, 5000])
def test_a_patched_library_can_be_stripped(length: int, tmp_path: Path) -> None:
    """A library's run path is where patchelf broke it (NixOS/patchelf#239).

    strip(1) silently breaks a file whose program headers have moved: code refers to moved sections.
    """
    require("gcc", "strip")
    bench = Bench(tmp_path)
    program = bench.build(FORMS[0])
    assert program is not None
    library = os.fsencode(bench.first / "libcalled.so")
    wanted = Changes(run_path=b"/nowhere/" + b"x" * length, add_needed=(b"libdl.so.2",))
    patch(PatchRequest(library, library, wanted))
    assert bench.run(program) == EXPECTED
    done = subprocess.run(["strip", library], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert bench.run(program) == EXPECTED


def test_a_program_patched_many_times_runs(tmp_path: Path) -> None:
    """patchelf's did not start any more after 64 times (NixOS/patchelf#96)."""
    require("gcc")
    bench = Bench(tmp_path)
    program = bench.build(FORMS[0])
    assert program is not None
    sizes = []
    for number in range(20):
        path = b"/nowhere%d:" % number + os.fsencode(bench.other)
        patch(PatchRequest(os.fsencode(program), os.fsencode(program), Changes(run_path=path)))
        sizes.append(program.stat().st_size)
    assert bench.run(program) == EXPECTED
    assert len(set(sizes)) <= 2


def test_a_library_that_is_no_longer_needed_leaves_no_versions_behind(tmp_path: Path) -> None:
    """ld.so ends with an assertion in dl-version.c else; the symbols are found in another library."""
    require("gcc")
    (tmp_path / "v.map").write_text("V_1 { global: answer; };\n")
    (tmp_path / "lib.c").write_text("int answer(void) { return 42; }\n")
    (tmp_path / "main.c").write_text("int answer(void); int main(void) { return answer(); }\n")
    shared = ["gcc", "-shared", "-fPIC", "lib.c"]
    for command in (
        [*shared, "-Wl,--version-script=v.map,-soname,libversioned.so", "-o", "libversioned.so"],
        [*shared, "-Wl,-soname,libplain.so", "-o", "libplain.so"],
        ["gcc", "main.c", "-o", "main", "-L.", "-lversioned", f"-Wl,-rpath,{tmp_path}"],
    ):
        subprocess.run(command, cwd=tmp_path, check=True)
    path = os.fsencode(tmp_path / "main")
    patch(
        PatchRequest(path, path, Changes(remove_needed=(b"libversioned.so",), add_needed=(b"libplain.so",)))
    )
    (tmp_path / "libversioned.so").unlink()
    assert subprocess.run([path], check=False).returncode == 42


@pytest.mark.slow
@pytest.mark.parametrize("page", ["4096", "65536"])
def test_a_patched_program_for_aarch64_runs_on_pages_of_every_size(page: str, tmp_path: Path) -> None:
    """Kernels of that architecture have pages of 4, 16 or 64 KiB (NixOS/patchelf#79)."""
    compiler = os.environ.get("AARCH64_CC", str(kept_by_tests() / "aarch64" / "cc"))
    require("qemu-aarch64-static", compiler)
    bench = Bench(tmp_path)
    program = bench.build(Form("aarch64", compiler=compiler))
    assert program is not None
    asked = [compiler, "-print-file-name=ld-linux-aarch64.so.1"]
    linker = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    emulator = ["qemu-aarch64-static", "-p", page, "-L", str(linker.resolve().parent.parent)]

    def run(path: Path) -> str:
        words = [*emulator, str(path)]
        return subprocess.run(words, env={}, capture_output=True, text=True, check=False).stdout

    assert run(program) == EXPECTED
    target = tmp_path / "patched"
    link = tmp_path / ("interpreter-" * 8)
    link.symlink_to(linker.resolve())
    path = b"/nowhere/" + b"directory/" * 50 + b":" + os.fsencode(bench.other)
    changes = Changes(os.fsencode(link), path, add_needed=(b"libm.so.6",), soname=b"program.so")
    patch(PatchRequest(os.fsencode(program), os.fsencode(target), changes))
    assert run(target) == EXPECTED
