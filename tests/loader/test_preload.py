"""LD_PRELOAD of the host's libraries into a program with libraries of its own."""

import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.elf.image import read
from denizen.launch.decisions.hermetic_edits import hermetic_edits
from tests.support.compiled_loaders import LoaderSysroot, output_of, run

# What it sees itself, what it was preloaded with, where it begins, and what a child of its sees.
_PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>
extern char **environ;
extern int _start();
int answer(void) __attribute__((weak));
int main(int count, char **words) {
    int begun = getauxval(AT_ENTRY) == (unsigned long)_start;
    printf("answer %d, at its entry %d\\n", answer ? answer() : 0, begun);
    for (char **each = environ; *each; each++) puts(*each);
    fflush(stdout);
    return count > 1 ? execv(words[1], words + 1) : 0;
}
"""
_SHOW = """
#include <stdio.h>
extern char **environ;
int main(void) { for (char **each = environ; *each; each++) printf("child %s\\n", *each); }
"""
_ANSWER = "int answer(void) { return %d; }"


class Hermetic(LoaderSysroot):
    """A sysroot whose dynamic linker looks nowhere on the host."""

    def preloadable(self, name: str, *flags: str, interpreter: bool = True) -> Path:
        program = self.compile(name, _PROGRAM, *flags, interpreter=interpreter)
        edits = hermetic_edits(read(self.ldso.read_bytes()), b"")
        self.decide(program, self.system("libc.so.6"), edits=edits)
        return program

    def outside(self, name: str, source: str, *flags: str) -> Path:
        """A library of the host's."""
        return self.compile(f"host/{name}", source, "-shared", "-fPIC", f"-Wl,-soname,{name}", *flags)


@pytest.fixture
def hermetic(short_path: Path, loader: Path) -> Hermetic:
    """In a place without a blank, which ends a name in LD_PRELOAD."""
    return Hermetic(short_path, loader)


@pytest.fixture(params=["interpreter", "program"])
def start(request: pytest.FixtureRequest, hermetic: Hermetic) -> list[Path]:
    """The words that start the program: as the kernel does, or by the loader."""
    if request.param == "interpreter":
        return [hermetic.preloadable("program", "-rdynamic")]
    return [hermetic.loader, hermetic.preloadable("program", "-rdynamic", interpreter=False)]


def started(start: list[Path], preload: str, *words: str) -> subprocess.CompletedProcess[str]:
    return run(start[0], *map(str, start[1:]), *words, env={"A": "1", "LD_PRELOAD": preload, "Z": "2"})


def test_what_it_needs_is_found_in_the_programs_world(hermetic: Hermetic, start: list[Path]) -> None:
    library = hermetic.outside("libgood.so", _ANSWER % 4)
    done = started(start, str(library))
    assert done.stdout == f"answer 4, at its entry 1\nA=1\nLD_PRELOAD={library}\nZ=2\n"
    assert done.stderr == ""


def test_what_it_needs_is_found_on_the_host(hermetic: Hermetic, start: list[Path]) -> None:
    """libm is no part of what the program gets, and of the same C library here."""
    source = (
        "#include <math.h>\nint answer(void) { volatile double x = 25; return (int)sqrt(cbrt(x * x * x)); }"
    )
    library = hermetic.outside("libneeds.so", source, "-lm")
    done = started(start, str(library))
    assert (done.stdout.splitlines()[0], done.stderr) == ("answer 5, at its entry 1", "")


def test_what_lacks_a_library_is_left_out_and_children_see_all(hermetic: Hermetic, start: list[Path]) -> None:
    nowhere = hermetic.outside("libnowhere.so.1", "int nowhere(void) { return 1; }")
    bad = hermetic.outside(
        "libbad.so", "int nowhere(void); int answer(void) { return nowhere(); }", str(nowhere)
    )
    good = hermetic.outside("libgood.so", _ANSWER % 6)
    nowhere.unlink()
    show = hermetic.compile("show", _SHOW, "-static", interpreter=False)
    preload = f"{bad}: {good}"
    done = started(start, preload, str(show))
    environment = ["A=1", f"LD_PRELOAD={preload}", "Z=2"]
    assert done.stdout.splitlines() == [
        "answer 6, at its entry 1", *environment, *[f"child {each}" for each in environment],
    ]  # fmt: skip
    assert done.stderr == (
        f"denizen: {bad} of LD_PRELOAD is left out: it needs libnowhere.so.1, which this program's libraries "
        "have not\n"
    )


def test_what_is_newer_than_the_programs_library_is_left_out(hermetic: Hermetic, start: list[Path]) -> None:
    """As an object that was linked with a newer glibc than the program has."""
    script = hermetic.root / "versions"
    versions = "V_1 { global: old; local: *; };"
    source = "int old(void) { return 1; } int new(void) { return 2; }"
    script.write_text(f"{versions} V_2 {{ global: new; }} V_1;")
    newer = hermetic.outside("libanswer.so.1", source, f"-Wl,--version-script={script}")
    library = hermetic.outside("libnewer.so", "int new(void); int answer(void) { return new(); }", str(newer))
    script.write_text(versions)
    older = hermetic.library("libanswer.so.1", source, f"-Wl,--version-script={script}")
    program = start[-1]
    edits = hermetic_edits(read(hermetic.ldso.read_bytes()), b"")
    hermetic.decide(program, [older, *hermetic.system("libc.so.6")], edits=edits)
    done = started(start, str(library))
    assert done.stdout.splitlines()[0] == "answer 0, at its entry 1"
    assert "it needs V_2 of libanswer.so.1, which this program's libraries have not" in done.stderr


def test_a_name_without_a_path_is_looked_for_on_the_host(start: list[Path]) -> None:
    done = started(start, "libm.so.6")
    assert (done.stdout.splitlines()[2], done.stderr) == ("LD_PRELOAD=libm.so.6", "")


@pytest.mark.parametrize("preload", ["", " : ", "/nowhere/lib.so", "/etc/passwd", "libno-such.so"])
def test_what_is_no_library_is_for_the_dynamic_linker_to_name(start: list[Path], preload: str) -> None:
    done = started(start, preload)
    assert done.stdout == f"answer 0, at its entry 1\nA=1\nLD_PRELOAD={preload}\nZ=2\n"
    assert "denizen" not in done.stderr
    assert ("ignored" in done.stderr) == bool(preload.strip(" :"))


def test_objects_that_ask_for_one_another_are_kept(hermetic: Hermetic, start: list[Path]) -> None:
    first = hermetic.outside("libfirst.so", "int first(void) { return 9; }")
    second = hermetic.outside(
        "libsecond.so", "int first(void); int answer(void) { return first(); }", str(first)
    )
    done = started(start, f"{second} {first}")
    assert (done.stdout.splitlines()[0], done.stderr) == ("answer 9, at its entry 1", "")


@pytest.mark.parametrize("token", ["$ORIGIN", "${ORIGIN}"])
@pytest.mark.parametrize("by", ["interpreter", "program"])
def test_origin_is_the_programs_directory(hermetic: Hermetic, token: str, by: str) -> None:
    """Which /proc/self/exe does not tell where the loader starts the program."""
    as_interpreter = by == "interpreter"
    program = hermetic.preloadable("elsewhere/program", "-rdynamic", interpreter=as_interpreter)
    hermetic.outside("libgood.so", _ANSWER % 4).rename(program.parent / "libgood.so")
    given = f"{token}/libgood.so"
    done = started([program] if as_interpreter else [hermetic.loader, program], given)
    assert (done.stdout.splitlines(), done.stderr) == (
        ["answer 4, at its entry 1", "A=1", f"LD_PRELOAD={given}", "Z=2"], "",
    )  # fmt: skip


def test_a_tab_is_part_of_a_name_as_for_glibc(hermetic: Hermetic) -> None:
    """handle_preload_list divides by blanks and colons; tabs and ends of lines divide ld.so.preload alone."""
    one, other = (hermetic.outside(f"lib{name}.so", _ANSWER % 4) for name in ("one", "other"))
    for separator in "\t\n":
        preload = f"{one}{separator}{other}"
        natively = hermetic.compile("natively", _PROGRAM, "-rdynamic", interpreter=False)
        for words in (
            [natively],
            [hermetic.loader, hermetic.preloadable("program", "-rdynamic", interpreter=False)],
        ):
            done = started(words, preload)
            assert done.stdout.splitlines()[0] == "answer 0, at its entry 1"
            assert f"object '{preload}' from LD_PRELOAD cannot be preloaded" in done.stderr


def test_a_program_of_the_hosts_world_is_left_to_its_linker(hermetic: Hermetic) -> None:
    library = hermetic.outside("libgood.so", _ANSWER % 4)
    program = hermetic.compile("program", _PROGRAM, "-rdynamic")
    hermetic.decide(program, [], host=True)
    assert output_of(program, env={"LD_PRELOAD": str(library)}).splitlines()[0] == "answer 4, at its entry 1"


def test_a_32_bit_program_begins_where_it_would(short_path: Path) -> None:
    from tests.support.compiled_loaders import compile_loader

    linker = Path("/lib/ld-linux.so.2")
    if not linker.exists() or not shutil.which("gcc"):
        pytest.skip("no 32-bit system")
    sysroot = Hermetic(
        short_path,
        compile_loader(short_path / "loader-32", "cc", "-m32"),
        host_ldso=linker,
        cc=("gcc", "-m32"),
    )
    program = sysroot.compile("program", _PROGRAM, "-rdynamic")
    sysroot.decide(program, sysroot.system("libc.so.6"))
    done = started([program], "/nowhere/libx.so libm.so.6")
    assert done.stdout.splitlines()[:1] == ["answer 0, at its entry 1"]
