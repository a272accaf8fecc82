"""What a program misses while it runs: whatever happens to denizen, it sees the error it would have had."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.launch.dlopen_record import Opened
from denizen.launch.fast_path import read_decision
from tests.contract.strategies.started import STRATEGIES, Started
from tests.support.elf_builder import Elf, build
from tests.support.fhs_environments import base_packages
from tests.support.offline_roots import LIBC_FILES, DenizenHome
from tests.support.peers import require
from tests.support.resident_sysroots import MANY

pytestmark = pytest.mark.slow

# GREETS is a call of what this host lacks, or nothing for a program that the host satisfies.
_MISSES = (
    """
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
const char *greeting(void);
extern char **environ;
static void *open_late(void *name) { return dlopen(name, RTLD_NOW); }
"""
    + MANY
    + """
static int forks(char *name) {
    pthread_t thread;
    void *found;
    int status, first, second;
    pthread_create(&thread, 0, open_late, name);
    getchar();
    int child = fork();
    if (!child) _exit(3);
    first = waitpid(-1, &status, 0) == child ? WEXITSTATUS(status) : -1;
    second = waitpid(-1, &status, WNOHANG) == -1 ? errno == ECHILD : -1;
    puts("forked");
    fflush(stdout);
    pthread_join(thread, &found);
    printf("%d %d %d\\n", first, second, found != 0);
    return 0;
}
static int tries(const char *path, char **words) {
    struct stat facts;
    int child, flags = O_RDONLY | O_DIRECTORY;
    printf("open %d ", open(path, O_RDONLY) < 0 ? errno : 0);
    printf("openat %d ", openat(AT_FDCWD, path, flags) < 0 ? errno : 0);
    printf("fopen %d ", fopen(path, "r") ? 0 : errno);
    printf("stat %d ", stat(path, &facts) ? errno : 0);
    printf("access %d ", access(path, R_OK) ? errno : 0);
    printf("opendir %d ", opendir(path) ? 0 : errno);
    printf("realpath %d ", realpath(path, 0) ? 0 : errno);
    printf("execve %d ", execve(path, words, environ) ? errno : 0);
    printf("execvp %d ", execvp(basename(path), words) ? errno : 0);
    printf("posix_spawn %d ", posix_spawn(&child, path, 0, 0, words, environ));
    printf("posix_spawnp %d\\n", posix_spawnp(&child, basename(path), 0, 0, words, environ));
    return 0;
}
static int shell(void) {
    char line[99] = "";
    FILE *of = popen("echo from $(echo the shell); exit 7", "r");
    fgets(line, sizeof line, of);
    printf("%d %s", WEXITSTATUS(pclose(of)), line);
    fflush(stdout);
    return WEXITSTATUS(system("cat /nobody/has-it 2>&- || exit 8"));
}
int main(int count, char **words) {
    int child;
    GREETS;
    if (!strcmp(words[1], "tries")) return tries(words[2], words);
    if (!strcmp(words[1], "shell")) return shell();
    if (!strcmp(words[1], "waits")) puts("ready"), fflush(stdout), getchar();
    if (!strcmp(words[1], "many")) return many(words[2]);
    if (!strcmp(words[1], "forks")) return forks(words[2]);
    if (!strcmp(words[1], "spawn")) return posix_spawn(&child, words[2], 0, 0, words + 2, environ);
    for (int i = 2; i < count; i++) puts(dlopen(words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""
)
_ABSENT = "cannot open shared object file: No such file or directory"
# A file system for denizen's root, with all that is there and no room left, in a namespace of its own.
_NO_ROOM = """
disk=$1 root=$2; shift 2
mount -t tmpfs -o size=24m none "$disk" && cp -a "$root/." "$disk" || exit 99
cat /dev/zero >"$disk/fill" 2>/dev/null
mount --bind "$disk" "$root" || exit 99
exec setpriv --ambient-caps=-all --inh-caps=-all "$@"
"""
# The same, where room is left until the program runs and has said so.
_NO_ROOM_LEFT = """
disk=$1 root=$2; shift 2
size=$(($(du -sk "$root" | cut -f1) * 2 + 16384))k
mount -t tmpfs -o "size=$size" none "$disk" && cp -a "$root/." "$disk" || exit 99
mount --bind "$disk" "$root" && mkfifo "$disk.go" && : >"$disk.out" || exit 99
setpriv --ambient-caps=-all --inh-caps=-all "$@" <"$disk.go" >"$disk.out" &
exec 3>"$disk.go"
until grep -q ready "$disk.out" || ! kill -0 $! 2>&-; do sleep 0.02; done
cat /dev/zero >"$disk/fill" 2>/dev/null
echo >&3
wait $!
status=$?
cat "$disk.out"
exit $status
"""


class Missing:
    """One program that misses libraries, under one strategy."""

    def __init__(self, started: Started) -> None:
        self.started = started
        self.home = started.home
        hosts = started.strategy == "host"
        source = _MISSES.replace("GREETS", "" if hosts else "greeting()")
        self.program = started.compile("misses", source, "-pthread", "-Wl,--as-needed")
        # The first start decides, and says so.
        assert started.run(self.program, "open").returncode == 0
        found = (read_decision(bytes(one)) for one in self.home.decisions.rglob("*-*") if one.is_file())
        named = [one for one in found if one is not None and one.program == os.fsencode(self.program)]
        self.opened = Opened(named[0].opened)

    def lines(self, *words: str) -> list[str]:
        return self.started.lines(self.program, *words)

    def name(self, stem: str) -> str:
        """The soname of a library that this strategy's test alone asks for."""
        return f"lib{stem}{self.started.strategy}.so.1"

    def waits(self, name: str) -> int:
        """The process that answers for a name; there is one soon."""
        while True:
            for entry in Path("/proc").iterdir():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except (OSError, ValueError):
                    continue
                if name.encode() in words and self.opened.directory in words:
                    return int(entry.name)
            time.sleep(0.01)


@pytest.fixture(scope="module", params=(*STRATEGIES, "host", "fhs"))
def missing(request: pytest.FixtureRequest, home: DenizenHome, prefix: Path) -> Missing:
    strategy = request.param
    if strategy == "fhs":
        packages, libraries = base_packages()
        others = [one for one in libraries if Path(one.name).name not in LIBC_FILES]
        for name, items in packages.items():
            home.write(name, [*items, *(others if name == "coreutils" else [])])
    # What one strategy brought is in the store for the next.
    for name in ("comes", "killed", "forked", "away", "full", "filled", "plugged"):
        home.add_library(f"{name}{strategy}", f"int {name}(void) {{ return 6; }}")
    home.set_up("index", "update")
    return Missing(Started(home, strategy, prefix))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as the host starts it."""
    made = tmp_path_factory.mktemp("native") / "misses"
    source = made.with_suffix(".c")
    source.write_text(_MISSES.replace("GREETS", ""))
    subprocess.run(["gcc", "-w", "-pthread", "-o", made, source], check=True)
    return made


@pytest.fixture
def package(missing: Missing) -> Iterator[Path]:
    """The package of a library, which is not where it was."""
    (place,) = missing.home.debs.glob(f"libaway{missing.started.strategy}1_*.deb")
    gone = place.with_suffix(".gone")
    place.rename(gone)
    yield gone
    if gone.exists():
        gone.rename(place)


def test_two_hundred_misses_of_eight_threads_and_one_that_comes(missing: Missing) -> None:
    assert missing.lines("many", missing.name("comes")) == ["0 1"]


@pytest.mark.parametrize("dtags", ["none", "enable-new-dtags"])
def test_what_an_opened_plugin_needs_comes(missing: Missing, tmp_path: Path, dtags: str) -> None:
    """Beside a host's own libraries and in an environment too, whether or not it has a run path."""
    plugin, needed = tmp_path / "plugin.so", missing.home.library(f"plugged{missing.started.strategy}")
    path = [] if dtags == "none" else [f"-Wl,--{dtags},-rpath,$ORIGIN"]
    (tmp_path / "plugin.c").write_text("int plugged(void); int plug(void) { return plugged(); }")
    sources = (tmp_path / "plugin.c", "-Wl,--no-as-needed", needed)
    subprocess.run(["gcc", "-shared", "-fPIC", *path, "-o", plugin, *sources], check=True)
    assert missing.lines("open", os.fspath(plugin)) == ["opened"]


def test_a_helper_that_is_killed_has_said_nothing(missing: Missing) -> None:
    command = missing.started.command(missing.program, "open", missing.name("killed"))
    with missing.opened.turn():
        process = subprocess.Popen(command, env={}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.kill(missing.waits(missing.name("killed")), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    assert missing.started.told(err.encode()) == b""
    assert (out, process.returncode) == (f"{missing.name('killed')}: {_ABSENT}\n", 0)
    assert missing.lines("open", missing.name("killed")) == ["opened"]


def test_a_fork_while_another_thread_waits_is_the_programs_own(missing: Missing) -> None:
    command = missing.started.command(missing.program, "forks", missing.name("forked"))
    with missing.opened.turn():
        process = subprocess.Popen(command, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None
        assert process.stdout is not None
        missing.waits(missing.name("forked"))
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
    assert process.communicate(timeout=60)[0] == "3 1 1\n"


def test_where_the_package_cannot_be_had_the_error_is_the_programs(missing: Missing, package: Path) -> None:
    assert missing.lines("open", missing.name("away")) == [f"{missing.name('away')}: {_ABSENT}"]
    package.rename(package.with_suffix(".deb"))
    assert missing.lines("open", missing.name("away")) == ["opened"]


def test_on_a_full_disk_the_error_is_the_programs(missing: Missing, tmp_path: Path) -> None:
    if missing.started.strategy in ("stub", "fhs"):
        pytest.skip(
            "asked for by its name it makes its copy or decision anew, and says that the disk is full"
        )
    assert _on_disk(missing, tmp_path, _NO_ROOM, "open", missing.name("full")) == [
        f"{missing.name('full')}: {_ABSENT}"
    ]
    assert missing.lines("open", missing.name("full")) == ["opened"]


def test_on_a_disk_that_fills_while_it_runs_the_error_is_the_programs(
    missing: Missing, tmp_path: Path
) -> None:
    name = missing.name("filled")
    assert _on_disk(missing, tmp_path, _NO_ROOM_LEFT, "waits", name) == ["ready", f"{name}: {_ABSENT}"]
    assert missing.lines("open", name) == ["opened"]


def _on_disk(missing: Missing, tmp_path: Path, script: str, *words: str) -> list[str]:
    """Return what the program says whose denizen is on a disk of its own."""
    require("unshare", "setpriv")
    (disk := tmp_path / "disk").mkdir()
    # The same user: what root decided is for another loader than what a user did.
    around = ["unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "sh", "-c", script, "sh"]
    command = missing.started.command(missing.program, *words)
    done = subprocess.run(
        [*around, disk, missing.home.root, *command],
        capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.defpath},
    )  # fmt: skip
    if done.returncode == 99:
        pytest.skip(f"no file system can be mounted here: {done.stderr}")
    assert (missing.started.told(done.stderr.encode()), done.returncode) == (b"", 0)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "path",
    [
        "/usr/share/nobody-has-it/no-command", "/etc/nobody-has-it", "/usr/bin/nobody-has-it",
        "/usr/share/zoneinfo/Nobody/Has-It", "/usr/share/dict/nobody-has-it", "/nobody-has-it",
        "/etc/passwd/nobody-has-it",
    ],
)  # fmt: skip
def test_a_file_that_nobody_has_is_missed_as_natively(missing: Missing, native: Path, path: str) -> None:
    """By every call that would bring one: a file, a directory, a command."""
    env = {"PATH": "/nowhere:/usr/bin:/bin"}
    expected = subprocess.run([native, "tries", path], capture_output=True, text=True, check=True, env=env)
    assert "open 2 " in expected.stdout or "open 20 " in expected.stdout
    assert missing.started.lines(missing.program, "tries", path, env=env) == expected.stdout.splitlines()


def test_its_shell_and_what_that_executes_are_there(missing: Missing) -> None:
    done = missing.started.run(missing.program, "shell")
    assert (done.returncode, done.stdout) == (8, b"7 from the shell\n"), done.stderr


def test_a_child_for_another_machine_fails_as_the_kernel_says(
    missing: Missing, native: Path, tmp_path: Path
) -> None:
    """Nothing here emulates for a program that the kernel itself refuses to start (ENOEXEC)."""
    foreign = tmp_path / "foreign"
    foreign.write_bytes(build(Elf(machine=183, interpreter=b"/lib/ld-linux-aarch64.so.1")))
    foreign.chmod(0o755)
    expected = subprocess.run([native, "spawn", foreign], check=False, capture_output=True)
    done = missing.started.run(missing.program, "spawn", os.fspath(foreign))
    assert (done.returncode, done.stdout, missing.started.told(done.stderr)) == (
        expected.returncode,
        expected.stdout,
        expected.stderr,
    )


@pytest.mark.parametrize("strategy", ["namespace", "direct"])
def test_what_a_program_misses_that_a_script_starts_comes(
    home: DenizenHome, prefix: Path, strategy: str, tmp_path: Path
) -> None:
    """The host satisfies both; the program is decided about when the script starts it."""
    home.add_library(f"scripted{strategy}", "int scripted(void) { return 6; }")
    home.set_up("index", "update")
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n$1 open $2; exit $?\n")
    script.chmod(0o755)
    program = tmp_path / "misses"
    (tmp_path / "misses.c").write_text(_MISSES.replace("GREETS", ""))
    subprocess.run(["gcc", "-w", "-pthread", "-o", program, tmp_path / "misses.c"], check=True)
    started = Started(home, strategy, prefix)
    for _ in range(2):
        done = started.run(script, os.fspath(program), f"libscripted{strategy}.so.1")
        assert (done.returncode, done.stdout) == (0, b"opened\n")
