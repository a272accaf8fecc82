"""Debuggers, core dumps, valgrind and sanitizers show the program."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.contract.strategies.started import Started, file_of
from tests.support.debs import Item
from tests.support.offline_roots import TRIPLET
from tests.support.peers import require

pytestmark = pytest.mark.slow

_CRASH = """
#include <stdlib.h>
const char *greeting(void);
__attribute__((noinline)) void here_it_ends(int depth) { if (depth) here_it_ends(depth - 1); abort(); }
int main(void) { greeting(); here_it_ends(2); }
"""


def test_a_core_dump_names_what_ended(started: Started, tmp_path: Path) -> None:
    require("gdb", "prlimit")
    if Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core":
        pytest.skip("this machine gives core dumps to a program")
    crash = started.compile("crash", _CRASH)
    if started.strategy != "installed":
        started.home.denizen("run", "--strategy", started.strategy, os.fspath(crash), status=None)
    done = subprocess.run(
        ["prlimit", "--core=unlimited", *started.command(crash)],
        cwd=tmp_path, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGABRT
    (core,) = tmp_path.glob("core*")
    shown = subprocess.run(
        ["gdb", "-nx", "--batch", "-ex", "backtrace", os.fspath(file_of(started, crash)), os.fspath(core)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "here_it_ends" in shown.stdout
    assert "main" in shown.stdout


_WAITING = """
#include <stdio.h>
#include <unistd.h>
const char *greeting(void);
__attribute__((noinline)) void here_it_waits(void) { for (;;) pause(); }
int main(void) { puts(greeting()), fflush(stdout), here_it_waits(); }
"""


def test_a_debugger_that_attaches_shows_what_runs(started: Started) -> None:
    """Under `direct` it must be told which program: the kernel names the loader as what was executed."""
    require("gdb")
    waiting = started.compile("waiting", _WAITING, "-g")
    named = [os.fspath(waiting)] if started.strategy == "direct" else []
    with subprocess.Popen(started.command(waiting), stdout=subprocess.PIPE, env={}) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"hello from the store\n"
            gdb = ["gdb", "-nx", "--batch", "-ex", "backtrace", "-p", str(process.pid), *named]
            shown = subprocess.run(gdb, capture_output=True, text=True, check=False, timeout=60)
        finally:
            process.kill()
    if "Operation not permitted" in shown.stderr:
        pytest.skip("this machine allows nobody to attach")
    assert "here_it_waits" in shown.stdout
    assert "main" in shown.stdout


def _under_valgrind(started: Started, program: Path) -> list[str]:
    valgrind = ["valgrind", "-q"]
    if started.strategy == "namespace":
        started.home.denizen("run", os.fspath(program), status=None)
        return started.home.command("run", *valgrind, os.fspath(program), "x")
    if started.strategy == "direct":
        loader = os.path.realpath(next(started.home.decisions.rglob("loader")))
        return [*valgrind, loader, os.fspath(program), "x"]
    return [*valgrind, os.fspath(file_of(started, program)), "x"]


_OVERRUN = """
#include <stdlib.h>
const char *greeting(void);
int main(int count, char **words) {
    greeting();
    char *room = malloc(3);
    return room[count + 2] ? 6 : 5;
}
"""


@pytest.mark.parametrize("how", ["execvp", "spawnp", "system"])
def test_valgrind_started_by_a_program_runs_a_foreign_one(started: Started, program: Path, how: str) -> None:
    """It maps that one itself, so no dynamic linker of ours is asked for by the kernel."""
    require("valgrind")
    made = started.compile(f"overrun-{how}", _OVERRUN, "-g")
    words = ["valgrind", "-q", os.fspath(made), "x"]
    given = [" ".join(words)] if how == "system" else [words[0], *words]
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    for _ in range(2):  # undecided, and decided
        done = started.run(program, how, *given, env=env)
        shown = done.stderr.decode()
        assert done.returncode in (5, 6), shown
        assert "Invalid read of size 1" in shown
        assert "main (overrun" in shown


def test_valgrind_runs_it_and_names_what_it_finds(started: Started) -> None:
    """It maps the program itself; the kernel's facts for /proc/self/exe are valgrind's there."""
    require("valgrind")
    made = started.compile("overrun", _OVERRUN, "-g")
    started.run(made)
    command = _under_valgrind(started, made)
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=env)
    assert done.returncode in (5, 6), done.stderr
    assert "Invalid read of size 1" in done.stderr
    assert "main (overrun" in done.stderr


def test_address_sanitizer_finds_its_runtime_first(started: Started) -> None:
    files = {
        name: subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
        for name in ("libasan.so", "libgcc_s.so.1")
    }
    real = {name: Path(done.stdout.strip()).resolve() for name, done in files.items()}
    if not real["libasan.so"].exists():
        pytest.skip("this gcc has no AddressSanitizer")
    soname = real["libasan.so"].name.rsplit(".so", 1)[0] + ".so." + real["libasan.so"].name.split(".")[2]
    for package, name, path in (
        ("libasan", soname, real["libasan.so"]),
        ("libgcc-s1", "libgcc_s.so.1", real["libgcc_s.so.1"]),
    ):
        started.home.write(package, [Item(f"./{TRIPLET}/{name}", content=path.read_bytes())])
    started.home.set_up("index", "update", "--suite", "debian")
    made = started.home.work / f"sanitized-{started.strategy}"
    source = started.home.work / "sanitized.c"
    source.write_text(
        "#include <stdlib.h>\nint greeting();\nint main(int count, char **words) {\n    greeting();\n"
        "    char *room = malloc(9); free(room);\n    return count > 1 ? room[1] : 7;\n}\n"
    )
    flags = ["-fsanitize=address", "-w"]
    if started.strategy == "installed":
        flags.append(f"-Wl,--dynamic-linker={started.interpreter}")
    library = started.home.library("greet")
    subprocess.run(["gcc", *flags, "-o", made, source, library], check=True)
    assert started.run(made).returncode == 7
    done = started.run(made, "x")
    assert done.returncode != 7
    assert b"heap-use-after-free" in done.stderr
