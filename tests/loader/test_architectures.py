"""The other architectures: i386 runs here, aarch64 under qemu-user."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.elf.constants import PT_LOAD
from denizen.elf.image import read
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import TIMEOUT, LoaderSysroot, compile_loader, output_of, run
from tests.support.kept_files import kept_by_tests
from tests.support.peers import require

_SOURCE = """
#include <stdio.h>
const char *answer(void);
int main(int argc, char **argv) {
    printf("%s %s %d\\n", answer(), argv[argc - 1], (int)sizeof(long));
    return argc;
}
"""
_ANSWER = 'const char *answer(void) { return "ours"; }'


_SHOWN = """
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) {
    char path[4096];
    if (count > 1) return execl("/proc/self/exe", "again", (char *)0);
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0;
    return puts(path) < 0;
}
"""


def answered(sysroot: LoaderSysroot, *compiler: str) -> Path:
    """A program that the library answers for, which knows itself by /proc/self/exe."""
    inside = compile_loader(sysroot.root / "denizen-inside", *compiler)
    sysroot.configure(
        LoaderSettings(directories=(os.fsencode(sysroot.decisions),), inside=os.fsencode(inside))
    )
    program = sysroot.compile("shown", _SHOWN, interpreter=False)
    sysroot.decide(program, sysroot.system("libc.so.6"))
    return program


def decided(sysroot: LoaderSysroot) -> Path:
    answer = sysroot.library("libanswer.so", _ANSWER)
    program = sysroot.compile("ask", _SOURCE, str(answer))
    sysroot.decide(program, [answer, *sysroot.system("libc.so.6")])
    return program


def pages(program: Path) -> set[tuple[int, int]]:
    """Return of each loaded segment the size of a page, and where in a page the segment ends, in bytes."""
    return {
        (segment.alignment, (segment.address + segment.file_size) % segment.alignment)
        for segment in read(program.read_bytes()).segments
        if segment.type == PT_LOAD
    }


class TestPages:
    """Linux before 6.7 kills a program whose interpreter ends within a page that cannot be written to."""

    @pytest.mark.parametrize("compiler", [("gcc",), ("gcc", "-m32")], ids=["x86-64", "i386"])
    def test_the_loader_ends_with_a_page(self, tmp_path: Path, compiler: tuple[str, ...]) -> None:
        loader = compile_loader(tmp_path / "loader", *compiler)
        assert pages(loader) == {(0x1000, 0)}

    @pytest.mark.parametrize("name", ["attach", "bundle", "enter", "front", "ldconfig"])
    def test_each_static_companion_ends_with_a_page(self, tmp_path: Path, name: str) -> None:
        assert pages(compile_loader(tmp_path / f"denizen-{name}")) == {(0x1000, 0)}

    def test_where_pages_of_64_kib_are_to_be_had_the_loader_ends_with_one(self, tmp_path: Path) -> None:
        require("qemu-aarch64-static", _aarch64_compiler())
        loader = compile_loader(tmp_path / "loader", _aarch64_compiler())
        assert pages(loader) == {(0x10000, 0)}


class TestI386:
    @pytest.fixture
    def sysroot(self, tmp_path: Path) -> LoaderSysroot:
        require("gcc")
        if not Path("/lib/ld-linux.so.2").exists():
            pytest.skip("no 32-bit C library (gcc-multilib) here")
        loader = compile_loader(tmp_path / "loader-i386", "gcc", "-m32")
        return LoaderSysroot(tmp_path, loader, host_ldso=Path("/lib/ld-linux.so.2"), cc=("gcc", "-m32"))

    def test_as_interpreter(self, sysroot: LoaderSysroot) -> None:
        done = run(decided(sysroot), "x")
        assert (done.stdout, done.returncode) == ("ours x 4\n", 2)

    def test_as_program(self, sysroot: LoaderSysroot) -> None:
        done = run(sysroot.loader, str(decided(sysroot)), "x")
        assert (done.stdout, done.returncode) == ("ours x 4\n", 2)

    def test_the_users_libraries_come_first(self, sysroot: LoaderSysroot) -> None:
        program = decided(sysroot)
        other = _ANSWER.replace("ours", "theirs")
        sysroot.compile("users/libanswer.so", other, "-shared", "-fPIC", "-Wl,-soname,libanswer.so")
        done = run(program, "x", env={"LD_LIBRARY_PATH": str(sysroot.root / "users")})
        assert done.stdout == "theirs x 4\n"

    def test_without_a_decision(self, sysroot: LoaderSysroot) -> None:
        program = sysroot.compile("say", "int main() { return 0; }")
        assert "no decision yet; it needs libc.so.6" in run(program).stderr

    def test_a_decision_for_the_other_word_size_is_not_followed(self, sysroot: LoaderSysroot) -> None:
        program = sysroot.compile("say", "int main() { return 0; }")
        sysroot.decide(program, sysroot.system("libc.so.6"), machine=64 << 16 | 62)
        assert "about another program" in run(program).stderr

    def test_it_is_answered_from_inside(self, sysroot: LoaderSysroot) -> None:
        program = answered(sysroot, "gcc", "-m32")
        assert output_of(sysroot.loader, str(program)) == f"{program}\n"
        assert output_of(sysroot.loader, str(program), "again") == f"{program}\n"


@pytest.mark.parametrize("name", ["denizen-loader", "denizen-inside"])
def test_a_compiler_without_headers_for_its_other_word_size_will_do(tmp_path: Path, name: str) -> None:
    """Debian's gcc makes 32-bit code; the C library's headers for that are in another package."""
    require("gcc")
    own = subprocess.run(["gcc", "-print-file-name=include"], check=True, capture_output=True, text=True)
    made = compile_loader(tmp_path / name, "gcc", "-m32", "-nostdinc", "-isystem", own.stdout.strip())
    assert made.read_bytes()[:5] == b"\x7fELF\x01"


class TestAarch64:
    """By a compiler that is unpacked and not installed: Debian's package excludes gcc-multilib."""

    @pytest.fixture
    def sysroot(self, tmp_path: Path) -> LoaderSysroot:
        compiler = _aarch64_compiler()
        require("qemu-aarch64-static", compiler)
        asked = [compiler, "-print-file-name=ld-linux-aarch64.so.1"]
        ldso = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
        loader = compile_loader(tmp_path / "loader-aarch64", compiler)
        return LoaderSysroot(tmp_path, loader, host_ldso=ldso, cc=(compiler,))

    def test_as_program(self, sysroot: LoaderSysroot) -> None:
        done = run(_qemu(), str(sysroot.loader), str(decided(sysroot)), "x")
        assert (done.stdout, done.returncode) == ("ours x 8\n", 2)

    def test_it_is_answered_from_inside(self, sysroot: LoaderSysroot) -> None:
        program = answered(sysroot, _aarch64_compiler())
        assert output_of(_qemu(), str(sysroot.loader), str(program)) == f"{program}\n"

    def test_as_interpreter(self, sysroot: LoaderSysroot) -> None:
        program = decided(sysroot)
        # qemu-user does not imitate stat("/proc/self/exe"): what is identified is qemu itself.
        qemu = identity_of(DiskView().stat(os.fsencode(_qemu())))
        sysroot.decide(program, [sysroot.lib / "libanswer.so", *sysroot.system("libc.so.6")], identity=qemu)
        done = run(_qemu(), str(program), "x")
        assert (done.stdout, done.returncode) == ("ours x 8\n", 2)

    def test_without_a_decision(self, sysroot: LoaderSysroot) -> None:
        program = sysroot.compile("say", "int main() { return 0; }")
        done = subprocess.run(
            [_qemu(), program], capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        assert "no decision yet; it needs libc.so.6" in done.stderr


def _aarch64_compiler() -> str:
    return os.environ.get("AARCH64_CC", str(kept_by_tests() / "aarch64" / "cc"))


def _qemu() -> str:
    found = shutil.which("qemu-aarch64-static")
    assert found is not None
    assert output_of(found, "--version").startswith("qemu-aarch64")
    return os.path.realpath(found)
