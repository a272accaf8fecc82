"""What a program of another architecture misses while it runs, on a root that has nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.launch.fast_path import read_decision
from tests.support.bare_programs import BareProgram
from tests.support.debs import Item
from tests.support.hosts import Outcome
from tests.support.kept_files import kept_by_tests
from tests.support.peers import require
from tests.support.resident_sysroots import MANY

pytestmark = pytest.mark.slow

_DIRECTORY = "usr/lib/aarch64-linux-gnu"
_PROGRAM = (
    r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static int children_ended;
static void count_child(int signal) { children_ended++; }
"""
    + MANY
    + r"""
static int alone(const char *name) {
    int status;
    signal(SIGCHLD, count_child);
    void *found = dlopen(name, RTLD_NOW);
    printf("%d %d %d\n", found != 0, waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD, children_ended);
    return 0;
}
int main(int count, char **words) {
    char line[99];
    if (!strcmp(words[1], "many")) return many(words[2]);
    if (!strcmp(words[1], "reads")) {
        void *found = dlopen(words[2], RTLD_NOW);
        FILE *data = fopen(words[3], "r");
        if (!found) return puts(dlerror()), 0;
        return puts(data && fgets(line, 99, data) ? line : "nothing"), 0;
    }
    if (!strcmp(words[1], "alone")) return alone(words[2]);
    if (!strcmp(words[1], "system")) return WEXITSTATUS(system(words[2]));
    if (!strcmp(words[1], "popen")) {
        FILE *of = popen(words[2], "r");
        while (fgets(line, sizeof line, of)) fputs(line, stdout);
        return WEXITSTATUS(pclose(of));
    }
    if (!strcmp(words[1], "composed")) {
        snprintf(line, 99, "%s-%s", words[2], words[3]);
        return execvp(line, words + 2), printf("%d\n", errno), 115;
    }
    if (!strcmp(words[1], "looked")) {
        for (char *one = strtok(strdup(getenv("PATH")), ":"); one; one = strtok(0, ":")) {
            snprintf(line, 99, "%s/%s", one, words[2]);
            if (!access(line, X_OK)) return puts(line), 0;
        }
        return puts("nowhere"), 0;
    }
    if (!strcmp(words[1], "file")) {
        FILE *file = fopen(words[2], "r");
        return printf("%d %s\n", access(words[2], R_OK), file && fgets(line, 99, file) ? line : "nothing"), 0;
    }
    if (!strcmp(words[1], "built")) {
        snprintf(line, 99, "lib%s.so.%d", words[2], 1);
        return puts(dlopen(line, RTLD_NOW) ? "opened" : dlerror()), 0;
    }
    for (int i = 2; i < count; i++) puts(dlopen(words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""
)
_COMMAND = b'#!/bin/sh\necho "command of $(echo $1)"\nexit 6\n'
_ABSENT = "cannot open shared object file: No such file or directory"


def _compiler() -> str:
    return os.environ.get("AARCH64_CC", str(kept_by_tests() / "aarch64" / "cc"))


def _library(place: Path, name: str, source: str, *flags: str) -> bytes:
    (place / "source.c").write_text(source)
    made = place / f"lib{name}.so.1"
    soname = f"-Wl,-soname,{made.name}"
    command = [_compiler(), "-w", "-shared", "-fPIC", soname, "-o", f"{made}", f"{place}/source.c", *flags]
    subprocess.run(command, check=True)
    return made.read_bytes()


class Emulated(BareProgram):
    """The program for aarch64, on a root with neither an emulator nor a library."""

    def __init__(self, name: str, directory: Path) -> None:
        emulator = Path(shutil.which("qemu-aarch64-static") or "").read_bytes()
        libraries = {
            f"lib{one}1": [Item(f"./{_DIRECTORY}/lib{one}.so.1", content=_library(directory, one, "int x;"))]
            for one in ("data", "comes", "built", "alone", "needed", "away", "whole", "driver")
        }
        driver = libraries["libdriver1"][0]
        libraries["libdriver1"] = [Item(f"./{_DIRECTORY}/drivers/libdriver.so.1", content=driver.content)]
        libraries["media-types"] = [Item("./etc/mime.types", content=b"its types")]
        commands = [Item(f"./usr/bin/{one}", content=_COMMAND, mode=0o755) for one in ("made-up", "other-up")]
        libraries["libdata1"].append(Item("./usr/share/zoneinfo/Data", content=b"its data"))
        parts = ("libc.so.6", "ld-linux-aarch64.so.1")
        libraries["libc6"] = [
            Item(f"./{_DIRECTORY}/{one}", content=_part(one).read_bytes(), mode=0o755) for one in parts
        ]
        super().__init__(
            name, directory, _PROGRAM, *libraries.items(),
            ("tools", commands), ("sought", [Item("./usr/bin/sought", content=_COMMAND, mode=0o755)]),
            ("qemu-user-static", [Item("./usr/bin/qemu-aarch64-static", content=emulator, mode=0o755)]),
            compiler=_compiler(), flags=("-pthread",),
            controls={one: {"architecture": "arm64"} for one in libraries},
        )  # fmt: skip
        flags = ("-Wl,--no-as-needed", f"{directory}/libneeded.so.1")
        plugin = _library(directory, "plugin", "int y;", *flags)
        (self.directories.work / "plugin.so").write_bytes(plugin)

    def lines(self, *words: str, options: tuple[str, ...] = ()) -> list[str]:
        done: Outcome = self.run("emulated", *words, options=options)
        assert done.status == 0, done.err
        return done.out.splitlines()

    @property
    def command(self) -> tuple[bytes, ...]:
        """The command of the program's decision."""
        decisions = self.directories.root / "state" / "decisions"
        found = (read_decision(bytes(one)) for one in decisions.iterdir() if one.is_file())
        (command,) = {one.command for one in found if one is not None and one.program == self.path.encode()}
        return command


def _part(name: str) -> Path:
    done = subprocess.run(
        [_compiler(), f"-print-file-name={name}"], check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Emulated:
    require("qemu-aarch64-static", _compiler())
    made = Emulated("bare root", tmp_path_factory.mktemp("emulated"))
    # The first start decides, and has the indexes.
    assert made.lines("open") == []
    return made


def test_a_name_that_is_built_at_run_time_comes(emulated: Emulated) -> None:
    assert emulated.lines("built", "built") == ["opened"]


def test_what_an_opened_plugin_needs_comes(emulated: Emulated) -> None:
    assert emulated.lines("open", f"{emulated.host.directories.work}/plugin.so") == ["opened"]


def test_files_of_what_comes_are_there_at_once_and_at_the_next_start(emulated: Emulated) -> None:
    """They are below the sysroot, and the emulator's words stay what they are."""
    before = emulated.command
    for _ in range(2):
        assert emulated.lines("reads", "libdata.so.1", "/usr/share/zoneinfo/Data") == ["its data"]
        assert emulated.command == before


def test_two_hundred_misses_of_eight_threads_and_one_that_comes(emulated: Emulated) -> None:
    assert emulated.lines("many", "libcomes.so.1") == ["0 1"]


def test_the_program_had_no_child(emulated: Emulated) -> None:
    assert emulated.lines("alone", "libalone.so.1") == ["1 1 0"]


def test_what_nobody_has_is_missed_as_natively(emulated: Emulated) -> None:
    assert emulated.lines("open", "libnobody.so.1") == [f"libnobody.so.1: {_ABSENT}"]


def test_where_the_package_cannot_be_had_the_error_is_the_programs(emulated: Emulated) -> None:
    package = emulated.directories.programs / "debs" / "libaway1_1_arm64.deb"
    gone = package.rename(package.with_suffix(".gone"))
    assert emulated.lines("open", "libaway.so.1") == [f"libaway.so.1: {_ABSENT}"]
    gone.rename(package)
    assert emulated.lines("open", "libaway.so.1") == ["opened"]


def test_a_shell_that_this_root_lacks_comes(emulated: Emulated) -> None:
    done = emulated.run("emulated", "system", "echo from $(echo the shell); exit 7")
    assert (done.status, done.out) == (7, "from the shell\n"), done.err
    assert emulated.lines("popen", "echo piped") == ["piped"]


def test_it_starts_and_gets_what_it_opens_in_a_container(tmp_path: Path) -> None:
    """Which refuses unshare, whatever is to be unshared."""
    require("qemu-aarch64-static", _compiler())
    made = Emulated("container", tmp_path)
    for _ in range(2):
        assert made.lines("built", "built") == ["opened"]


def test_a_command_comes_whose_name_is_put_together_at_run_time(emulated: Emulated) -> None:
    for _ in range(2):
        done = emulated.run("emulated", "composed", "made", "up")
        assert (done.status, done.out) == (6, "command of up\n"), done.err


def test_who_executes_what_nobody_has_gets_the_kernels_error(emulated: Emulated) -> None:
    done = emulated.run("emulated", "composed", "nobody", "has")
    assert (done.status, done.out) == (115, "2\n"), done.err


def test_a_script_gets_the_interpreter_that_this_root_lacks(emulated: Emulated) -> None:
    script = emulated.directories.work / "a-script"
    script.write_bytes(b"#!/usr/bin/other-up\n")
    script.chmod(0o755)
    place = str(emulated.host.directories.work)
    done = emulated.run("emulated", "composed", "a", "script", env={"PATH": place})
    assert (done.status, done.out) == (6, f"command of {place}/a-script\n"), done.err


def test_a_file_at_a_place_that_is_looked_at_comes(emulated: Emulated) -> None:
    assert emulated.lines("file", "/etc/mime.types") == ["0 its types"]


def test_a_library_comes_that_is_opened_by_its_path(emulated: Emulated) -> None:
    path = f"/{_DIRECTORY}/drivers/libdriver.so.1"
    assert emulated.lines("open", f"/{_DIRECTORY}/libwhole.so.1", path) == ["opened", "opened"]


def test_a_program_that_looks_along_path_sees_what_it_was_asked_for(emulated: Emulated) -> None:
    assert emulated.lines("looked", "sought") == ["/usr/bin/sought"]
    assert emulated.lines("looked", "nobody") == ["nowhere"]
