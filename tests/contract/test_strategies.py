"""What every strategy promises a program: it cannot tell that it was not started natively.

What a strategy cannot promise is told in docs/run.md and stands in the tables here. Where the kernel knows
another file than the program (a patched copy, the loader), a library inside the program answers for it.
"""

import hashlib
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.support.compiled_loaders import compile_loader
from tests.support.debs import Item
from tests.support.offline_roots import LDSO, TRIPLET, Home
from tests.support.peers import require

pytestmark = pytest.mark.slow

# The kernel itself maps the program's file, or a copy of it, and so knows its name and its headers.
AS_A_FILE = ("installed", "namespace", "stub")
STRATEGIES = (*AS_A_FILE, "direct")
PATHS = {"unset": None, "empty": "", "set": "/nonexistent/user/libraries"}

_FACTS = """
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/auxv.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
const char *greeting(void);
extern char **environ;
int main(int count, char **words) {
    char path[4096];
    const char *what = words[1];
    if (!what || !greeting()) return 1;
    if (!strcmp(what, "words")) for (int i = 0; i < count; i++) puts(words[i]);
    if (!strcmp(what, "exe")) {
        char own[64], whole[PATH_MAX];
        path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0, puts(path);
        sprintf(own, "/proc/%d/exe", getpid());
        path[readlink(own, path, sizeof path - 1)] = 0, puts(path);
        int self = open("/proc/self", O_PATH | O_CLOEXEC);
        path[readlinkat(self, "exe", path, sizeof path - 1)] = 0, puts(path);
        puts(realpath("/proc/self/exe", whole));
    }
    if (!strcmp(what, "same")) {
        struct stat named, opened, meant;
        int file = open("/proc/self/exe", O_RDONLY);
        stat("/proc/self/exe", &named), fstat(file, &opened), stat(words[2], &meant);
        printf("%d %d\\n", named.st_ino == meant.st_ino, opened.st_ino == meant.st_ino);
    }
    if (!strcmp(what, "cmdline")) {
        FILE *all = fopen("/proc/self/cmdline", "r");
        for (int c; (c = getc(all)) != EOF;) putchar(c ? c : '\\n');
    }
    if (!strcmp(what, "execfn")) puts((const char *)getauxval(AT_EXECFN));
    if (!strcmp(what, "environment")) for (char **each = environ; *each; each++) puts(*each);
    if (!strcmp(what, "child")) return execl("/usr/bin/env", "env", NULL);
    if (!strcmp(what, "again")) return execl("/proc/self/exe", "another name", "words", "x", NULL);
    if (!strcmp(what, "execv")) return execv(words[2], words + 3);
    if (!strcmp(what, "execvp")) return execvp(words[2], words + 3);
    if (!strcmp(what, "vfork")) {
        int status, child = vfork();
        if (!child) execve(words[2], words + 3, environ), _exit(111);
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 112;
    }
    if (!strcmp(what, "spawn") || !strcmp(what, "spawnp")) {
        int child, status;
        int (*how)() = strcmp(what, "spawn") ? (int (*)())posix_spawnp : (int (*)())posix_spawn;
        if (how(&child, words[2], 0, 0, words + 3, environ)) return 113;
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 114;
    }
    if (!strcmp(what, "system")) return WEXITSTATUS(system(words[2]));
    if (!strcmp(what, "popen")) {
        FILE *of = popen(words[2], "r");
        while (fgets(path, 99, of)) fputs(path, stdout);
    }
    if (!strcmp(what, "exit")) return atoi(words[2]);
    if (!strcmp(what, "signal")) return kill(getpid(), atoi(words[2])), pause();
    if (!strcmp(what, "copy")) { int c; while ((c = getchar()) != EOF) putchar(c); }
    if (!strcmp(what, "signals")) {
        FILE *all = fopen("/proc/self/status", "r");
        while (fgets(path, 99, all))
            if (!strncmp(path, "Sig", 3) && strchr("BIC", path[3])) fputs(path, stdout);
    }
    if (!strcmp(what, "terminal"))
        printf("%d %d %d %d\\n", isatty(0), isatty(1), isatty(2), tcgetpgrp(0) == getpgrp());
    if (!strcmp(what, "descriptors")) {
        DIR *all = opendir("/proc/self/fd");
        for (struct dirent *one; (one = readdir(all));)
            if (atoi(one->d_name) != dirfd(all) && *one->d_name != '.') puts(one->d_name);
    }
    if (!strcmp(what, "payload")) {
        FILE *self = fopen("/proc/self/exe", "rb");
        fseek(self, -7, SEEK_END);
        path[fread(path, 1, 7, self)] = 0, puts(path);
    }
    return 0;
}
"""
_CRASH = """
#include <stdlib.h>
const char *greeting(void);
__attribute__((noinline)) void here_it_ends(int depth) { if (depth) here_it_ends(depth - 1); abort(); }
int main(void) { greeting(); here_it_ends(2); }
"""


class Started:
    """Programs under one strategy."""

    def __init__(self, home: Home, strategy: str, prefix: Path) -> None:
        self.home = home
        self.strategy = strategy
        self.interpreter = prefix / LDSO.relative_to("/")

    def compile(self, name: str, source: str, *flags: str) -> Path:
        """One whose interpreter is the installed loader, where that is the strategy."""
        linked = [f"-Wl,--dynamic-linker={self.interpreter}"] if self.strategy == "installed" else []
        return self.home.compile(f"{name}-{self.strategy}", source, *linked, *flags)

    def command(self, program: Path, *words: str) -> list[str]:
        """What starts it; with the loader installed nothing but the program does, once it is decided."""
        if self.strategy == "installed":
            return [os.fspath(program), *words]
        return self.home.command("run", "--strategy", self.strategy, os.fspath(program), *words)

    def run(
        self, program: Path, *words: str, env: dict[str, str] | None = None, stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(program, *words), env=env or {}, input=stdin, capture_output=True, check=False,
            timeout=60,
        )  # fmt: skip

    def lines(self, program: Path, *words: str, env: dict[str, str] | None = None) -> list[str]:
        done = self.run(program, *words, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode().splitlines()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("strategies"))


@pytest.fixture(scope="module")
def prefix(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a loader is installed that finds this home's decisions."""
    place = tmp_path_factory.mktemp("prefix")
    home.denizen("loader", "install", "--prefix", os.fspath(place))
    return place


@pytest.fixture(scope="module", params=STRATEGIES)
def started(request: pytest.FixtureRequest, home: Home, prefix: Path) -> Started:
    return Started(home, request.param, prefix)


@pytest.fixture(scope="module")
def program(started: Started) -> Path:
    made = started.compile("facts", _FACTS)
    # The first start decides, and says so.
    assert started.run(made, "exit", "0").returncode == 0
    return made


def test_it_sees_its_words(started: Started, program: Path) -> None:
    assert started.lines(program, "words", "", "--", "two words", "ü") == [
        os.fspath(program), "words", "", "--", "two words", "ü",
    ]  # fmt: skip


def test_others_see_its_words_as_ps_does(started: Started, program: Path) -> None:
    assert started.lines(program, "cmdline", "two words", "x") == [
        os.fspath(program), "cmdline", "two words", "x",
    ]  # fmt: skip


def test_its_file_is_never_written(started: Started, program: Path) -> None:
    before = hashlib.sha256(program.read_bytes()).digest(), program.stat().st_mtime_ns
    started.lines(program, "words")
    assert (hashlib.sha256(program.read_bytes()).digest(), program.stat().st_mtime_ns) == before


def test_its_own_name_in_proc_is_the_programs(started: Started, program: Path) -> None:
    assert started.lines(program, "exe") == [os.fspath(program)] * 4


def test_its_own_file_in_proc_is_the_programs(started: Started, program: Path) -> None:
    assert started.lines(program, "same", os.fspath(program)) == ["1 1"]


def test_the_kernel_told_it_its_name(started: Started, program: Path) -> None:
    assert started.lines(program, "execfn") == [os.fspath(program)]


def test_it_executes_itself_by_proc(started: Started, program: Path) -> None:
    assert started.lines(program, "again") == ["another name", "words", "x"]


@pytest.fixture(scope="module")
def foreign(started: Started, program: Path) -> Path:
    """Another program that needs what this host has not, first started by one that was started so."""
    made = started.compile(f"child-{program.name}", _FACTS)
    # Its first start decides, and says so.
    assert started.run(program, "execv", os.fspath(made), "x", "exit", "3").returncode == 3
    return made


@pytest.mark.parametrize("how", ["execv", "execvp", "vfork", "spawn", "spawnp"])
def test_a_foreign_child_runs(started: Started, program: Path, foreign: Path, how: str) -> None:
    words = ["called otherwise", "words", "", "two words"]
    assert started.lines(program, how, os.fspath(foreign), *words) == words
    assert started.run(program, how, os.fspath(foreign), "x", "exit", "7").returncode == 7


def test_a_foreign_child_of_a_shell_runs(started: Started, program: Path, foreign: Path) -> None:
    line = f"true && '{foreign}' words \"it's\"; exit 5"
    done = started.run(program, "system", line)
    assert (done.returncode, done.stdout.decode().splitlines()) == (5, [os.fspath(foreign), "words", "it's"])
    assert started.lines(program, "popen", line) == [os.fspath(foreign), "words", "it's"]


@pytest.mark.parametrize(
    "command", ["env {} words x", "find / -maxdepth 0 -exec {} words x ;", "nice {} words x"]
)
def test_a_foreign_child_of_the_hosts_programs_runs(
    started: Started, program: Path, foreign: Path, command: str
) -> None:
    words = command.format(foreign).split()
    assert started.lines(program, "execvp", words[0], *words) == [os.fspath(foreign), "words", "x"]


def test_a_foreign_child_found_along_path_runs(started: Started, program: Path, foreign: Path) -> None:
    env = {"PATH": os.fspath(foreign.parent)}
    for how in ("execvp", "spawnp"):
        assert started.lines(program, how, foreign.name, "x", "words", env=env) == ["x", "words"]


def test_a_script_of_a_foreign_interpreter_runs(started: Started, program: Path, foreign: Path) -> None:
    script = foreign.with_suffix(".script")
    script.write_text(f"#!{foreign} words\n")
    script.chmod(0o755)
    shown = started.lines(program, "execv", os.fspath(script), "x", "y")
    assert shown == [os.fspath(foreign), "words", os.fspath(script), "y"]


@pytest.mark.parametrize("tree", ["nix", "gnu"])
def test_a_child_whose_interpreter_is_in_another_systems_tree_runs(started: Started, tree: str) -> None:
    if started.strategy == "installed":
        pytest.skip("the kernel takes an interpreter by its path, and one path is what was installed")
    linker = f"/{tree}/store/0c5vdxlp40vdr1sxq2kr1xvxzkjqj6cf-glibc-2.40/lib/{LDSO.name}"
    child = started.home.compile(f"{tree}-{started.strategy}", _FACTS, f"-Wl,--dynamic-linker={linker}")
    # Decided now: what lies beside it is seen when a program is decided about.
    parent = started.compile(f"parent-{tree}", _FACTS)
    assert started.run(parent, "execv", os.fspath(child), "x", "exit", "4").returncode == 4
    assert started.lines(parent, "execv", os.fspath(child), "x", "words") == ["x", "words"]
    assert started.lines(parent, "popen", f"{child} words y") == [os.fspath(child), "words", "y"]
    # Its own children are as its parent's are.
    assert started.lines(parent, "execv", os.fspath(child), "x", "execv", "/bin/echo", "e", "z") == ["z"]


@pytest.mark.parametrize("compiler", [("gcc", "-m32"), ("musl-gcc",)])
def test_a_child_of_another_word_size_or_c_library_runs(started: Started, compiler: tuple[str, ...]) -> None:
    """One that the host satisfies; where its interpreter lies, a loader of ours may."""
    require(compiler[0])
    text = started.home.work / "plain.c"
    text.write_text("int main(int count, char **words) { return count; }")
    child = started.home.work / f"plain-{len(compiler)}-{started.strategy}"
    if subprocess.run([*compiler, "-o", child, text], check=False, capture_output=True).returncode:
        pytest.skip(f"{' '.join(compiler)} makes no programs here")
    parent = started.compile(f"parent-{len(compiler)}", _FACTS)
    for _ in range(2):
        assert started.run(parent, "execv", os.fspath(child), "x", "y").returncode == 2


def test_a_foreign_grandchild_runs(started: Started, program: Path, foreign: Path) -> None:
    words = ["execv", os.fspath(foreign), "b", "vfork", os.fspath(program), "c", "exe"]
    assert started.lines(program, *words) == [os.fspath(program)] * 4


@pytest.mark.parametrize("state", PATHS)
def test_it_and_its_children_see_exactly_the_environment_given(
    started: Started, program: Path, state: str
) -> None:
    path = PATHS[state]
    env = {"ONE": "1", "LANG": "C"} | ({} if path is None else {"LD_LIBRARY_PATH": path})
    expected = sorted(f"{name}={value}" for name, value in env.items())
    assert sorted(started.lines(program, "environment", env=env)) == expected
    assert sorted(started.lines(program, "child", env=env)) == expected


@pytest.mark.parametrize("status", [0, 1, 42, 125, 127, 255])
def test_its_exit_status_is_its_own(started: Started, program: Path, status: int) -> None:
    assert started.run(program, "exit", str(status)).returncode == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_ends_it_and_nothing_hides_that(
    started: Started, program: Path, number: signal.Signals
) -> None:
    assert started.run(program, "signal", str(int(number))).returncode == -number


def test_what_is_given_to_it_arrives_whole(started: Started, program: Path) -> None:
    given = bytes(range(256)) * 1000
    done = started.run(program, "copy", stdin=given)
    assert (done.returncode, done.stdout, done.stderr) == (0, given, b"")


def test_no_descriptor_of_ours_stays_open(started: Started, program: Path) -> None:
    assert started.lines(program, "descriptors") == ["0", "1", "2"]


def test_descriptors_that_are_closed_stay_closed(started: Started) -> None:
    """At its first start, when denizen itself opens files, and at the next."""
    made = started.compile("closed", _FACTS)
    for _ in range(2):
        command = ["/bin/sh", "-c", 'exec "$0" "$@" 0<&- 2>&-', *started.command(made, "descriptors")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={})
        assert (done.returncode, done.stdout) == (0, "1\n")


# As a caller: ignores these signals and no others, blocks two, and becomes the rest of its words.
_CALLER = """
import os, signal, sys
ignored = {int(word) for word in sys.argv[1].split(",") if word}
for number in {signal.SIGPIPE, signal.SIGXFSZ, *ignored}:
    signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2, signal.SIGCHLD})
os.execv(sys.argv[2], sys.argv[2:])
"""


def _called(ignored: tuple[int, ...], *command: str) -> list[str]:
    called = [sys.executable, "-c", _CALLER, ",".join(map(str, ignored)), *command]
    done = subprocess.run(called, capture_output=True, text=True, check=False, timeout=60, env={})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as it is installed: the compiled one, and the script behind it."""
    command = compile_loader(tmp_path_factory.mktemp("bin") / "denizen-front")
    script = command.with_name("denizen-python")
    text = (Path(__file__).parent.parent.parent / "scripts" / "denizen").read_text()
    script.write_text(text.replace("#!python", f"#!{sys.executable}", 1))
    script.chmod(0o755)
    return command


@pytest.mark.parametrize(
    "ignored",
    [
        (),
        (signal.SIGPIPE,),
        (signal.SIGXFSZ,),
        (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGHUP),
    ],
)
def test_its_signals_are_as_its_caller_left_them(
    started: Started, program: Path, front: Path, ignored: tuple[int, ...]
) -> None:
    status = _called(ignored, "/bin/cat", "/proc/self/status")
    natively = [line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
    command = started.command(program, "signals")
    if started.strategy != "installed":
        command = [os.fspath(front), *command[3:]]
    assert _called(ignored, *command) == natively


def test_a_first_start_by_who_ignores_its_children_is_like_any_other(started: Started) -> None:
    made = started.compile("orphan", _FACTS)
    command = started.command(made, "words")
    done = subprocess.run(
        [sys.executable, "-c", _CALLER, str(int(signal.SIGCHLD)), *command],
        capture_output=True, text=True, check=False, timeout=60, env={},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{made}\nwords\n")


def test_the_terminal_is_the_programs(started: Started, program: Path) -> None:
    leader, follower = pty.openpty()
    settings = termios.tcgetattr(follower)
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *started.command(program, "terminal")],
            stdin=follower, stdout=follower, stderr=follower, env={"PATH": os.defpath},
        )  # fmt: skip
        assert process.wait(60) == 0
        assert termios.tcgetattr(follower) == settings
        os.close(follower)
        assert terminal.read(100).decode().split() == ["1", "1", "1", "1"]


def test_what_is_appended_to_its_file_is_found(started: Started) -> None:
    """As bun, deno, pkg and PyInstaller find theirs: at the end of /proc/self/exe."""
    single = started.compile("single", _FACTS)
    with single.open("ab") as stream:
        stream.write(b"payload")
    started.run(single, "exit", "0")
    assert started.lines(single, "payload") == ["payload"]


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
        ["gdb", "-nx", "--batch", "-ex", "backtrace", os.fspath(_file_of(started, crash)), os.fspath(core)],
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
    return [*valgrind, os.fspath(_file_of(started, program)), "x"]


def test_valgrind_runs_it_and_names_what_it_finds(started: Started) -> None:
    """It maps the program itself; the kernel's facts for /proc/self/exe are valgrind's there."""
    require("valgrind")
    source = (
        "#include <stdlib.h>\nconst char *greeting(void);\nint main(int count, char **words) {\n"
        "    greeting();\n    char *room = malloc(3);\n    return room[count + 2] ? 6 : 5;\n}\n"
    )
    made = started.compile("overrun", source, "-g")
    started.run(made)
    command = _under_valgrind(started, made)
    env = {"PATH": os.environ.get("PATH", os.defpath)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=env)
    assert done.returncode in (5, 6), done.stderr
    assert "Invalid read of size 1" in done.stderr
    assert "main (overrun" in done.stderr


def test_a_plugin_with_a_run_path_of_its_own_finds_what_it_needs(started: Started) -> None:
    """ld.so does not search the program's DT_RPATH for it, which is where the loader shows libraries."""
    # A language runtime, which comes along for whatever lies beside a program.
    runtime = started.home.add_library("gomp", "int threads(void) { return 4; }")
    started.home.denizen("index", "update", "--suite", "debian")
    text = started.home.work / "plugin.c"
    text.write_text("int threads(void); int plugged(void) { return threads(); }")
    plugin = started.home.work / "plugin.so"
    linked = ["-shared", "-fPIC", "-Wl,--enable-new-dtags,-rpath,$ORIGIN", "-o", os.fspath(plugin)]
    subprocess.run(["gcc", *linked, text, runtime], check=True)
    host = started.compile(
        "opens",
        "#include <dlfcn.h>\nconst char *greeting(void);\nint main(int count, char **words) {\n"
        "    greeting();\n    void *plugin = dlopen(words[1], RTLD_NOW);\n"
        '    return plugin ? ((int (*)(void))dlsym(plugin, "plugged"))() : 1;\n}\n',
    )
    assert started.run(host, os.fspath(plugin)).returncode == 4
    plugin.unlink()


def test_origin_in_what_it_opens_is_its_own_directory(started: Started) -> None:
    """ld.so asks /proc/self/exe by a system call of its own, which names the loader under `direct`."""
    text = started.home.work / "beside.c"
    text.write_text("int plugged(void) { return 6; }")
    place = started.home.work / f"beside-{started.strategy}"
    place.mkdir()
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", place / "beside.so", text], check=True)
    opening = started.compile(
        "opening",
        "#include <dlfcn.h>\nint greeting();\nint main(int count, char **words) {\n    greeting();\n"
        "    void *plugin = dlopen(words[1], RTLD_NOW);\n"
        '    return plugin ? ((int (*)(void))dlsym(plugin, "plugged"))() : 1;\n}\n',
    )
    for origin in ("$ORIGIN", "${ORIGIN}"):
        assert started.run(opening, f"{origin}/{place.name}/beside.so").returncode == 6
    assert started.run(opening, f"$ORIGINAL/{place.name}/beside.so").returncode == 1


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
    started.home.denizen("index", "update", "--suite", "debian")
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


@pytest.mark.parametrize("limit", ["6:6", "6:4096"])
def test_a_low_limit_on_descriptors_is_the_programs_affair(
    started: Started, program: Path, foreign: Path, limit: str
) -> None:
    require("prlimit")
    command = started.command(program, "execv", os.fspath(foreign), "x", "words", "y")
    done = subprocess.run(
        ["prlimit", f"--nofile={limit}", *command],
        capture_output=True,
        text=True,
        check=False,
        env={},
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "x\nwords\ny\n", "")


def test_a_child_of_one_with_a_low_limit_on_descriptors_is_decided_about(
    started: Started, program: Path
) -> None:
    require("prlimit")
    child = started.compile("limited", "int greeting(); int main() { greeting(); return 5; }")
    command = started.command(program, "execv", os.fspath(child), "x")
    assert subprocess.run(["prlimit", "--nofile=6:4096", *command], check=False, env={}).returncode == 5


def test_the_personality_of_a_small_machine_changes_nothing(started: Started, program: Path) -> None:
    """`setarch i386`: uname says i686 to a program for x86-64 too, and to what decides about its child."""
    require("setarch")
    child = started.compile("personal", "int greeting(); int main() { greeting(); return 5; }")
    for made, words in ((program, ["execv", os.fspath(child), "x"]), (child, [])):
        command = ["setarch", "i386", *started.command(made, *words)]
        assert subprocess.run(command, check=False, env={}, timeout=60).returncode == 5
    name = ["setarch", "i386", *started.command(program, "execvp", "uname", "uname", "-m")]
    assert subprocess.run(name, capture_output=True, text=True, check=True, env={}).stdout == "i686\n"


@pytest.fixture(scope="module")
def late(home: Home) -> Path:
    """A library that a package has, and nothing that is decided about needs."""
    made = home.add_library("late", "int late(void) { return 6; }")
    home.denizen("index", "update", "--suite", "debian")
    return made


def test_a_name_put_together_while_it_runs_is_brought(started: Started, late: Path) -> None:
    opens = started.compile(
        "made-up",
        "#include <dlfcn.h>\n#include <stdio.h>\nconst char *greeting(void);\n"
        "int main(int count, char **words) {\n    char name[99];\n    greeting();\n"
        '    snprintf(name, sizeof name, "lib%s.so.%d", words[1], count - 1);\n'
        "    void *found = dlopen(name, RTLD_NOW);\n"
        '    return found ? ((int (*)(void))dlsym(found, "late"))() : 1;\n}\n',
    )
    assert late.exists()
    for _ in range(2):
        done = started.run(opens, "late")
        assert (done.returncode, done.stdout, done.stderr) == (6, b"", b"")
    assert started.run(opens, "nobody").returncode == 1


@pytest.mark.parametrize("dtags", ["none", "new", "old"])
def test_what_a_plugin_on_the_command_line_needs_is_brought(
    started: Started, late: Path, tmp_path: Path, dtags: str
) -> None:
    """Whatever its run path, and where no sign leads from the program to it."""
    (tmp_path / "plugin.c").write_text("int late(void); int plugged(void) { return late() + 1; }")
    path = (
        []
        if dtags == "none"
        else [f"-Wl,--{'enable' if dtags == 'new' else 'disable'}-new-dtags,-rpath,$ORIGIN"]
    )
    output = ["-o", os.fspath(tmp_path / "plugin.so"), os.fspath(tmp_path / "plugin.c"), os.fspath(late)]
    subprocess.run(["gcc", "-shared", "-fPIC", *path, *output], check=True)
    host = started.compile(
        f"plugs-{dtags}",
        "#include <dlfcn.h>\nconst char *greeting(void);\nint main(int count, char **words) {\n"
        "    greeting();\n    void *plugin = dlopen(words[1], RTLD_NOW);\n"
        '    return plugin ? ((int (*)(void))dlsym(plugin, "plugged"))() : 1;\n}\n',
    )
    assert started.run(host, os.fspath(tmp_path / "plugin.so")).returncode == 7


def _file_of(started: Started, program: Path) -> Path:
    """What runs: of a patched copy the copy, whose entry point is another."""
    if started.strategy != "stub":
        return program
    copies = (started.home.decisions / "copies").rglob(program.name)
    (copy,) = (one for one in copies if not one.is_symlink())
    return copy


def test_a_newer_version_in_its_place_is_resolved_again(started: Started) -> None:
    first = started.compile("replaced", "int greeting(); int main() { greeting(); return 3; }")
    assert started.run(first).returncode == 3
    newer = started.compile("newer", "int greeting(); int main() { greeting(); return 4; }")
    shutil.move(newer, first)
    assert started.run(first).returncode == 4


def test_a_moved_program_is_found_again(started: Started) -> None:
    here = started.compile("moved", "int greeting(); int main() { greeting(); return 5; }")
    assert started.run(here).returncode == 5
    there = here.with_name(f"{here.name}-elsewhere")
    here.rename(there)
    assert started.run(there).returncode == 5


def test_collecting_garbage_leaves_what_it_needs(started: Started, program: Path) -> None:
    started.home.denizen("gc")
    assert started.lines(program, "words") == [os.fspath(program), "words"]
