"""`denizen run` of a program for aarch64: by qemu-user, with libraries from packages of arm64."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from denizen.launch.dlopen_record import Opened
from denizen.launch.fast_path import read_decision
from denizen.launch.loader.binaries import enter_path, loader_path
from denizen.launch.strategies.emulated_children import entries
from tests.support.debs import Item
from tests.support.kept_files import kept_by_tests
from tests.support.offline_roots import DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow

DIRECTORY = "usr/lib/aarch64-linux-gnu"
SOURCE = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <dlfcn.h>
extern char **environ;
const char *greeting(void);
int main(int count, char **words) {
    char path[4096];
    const char *what = count > 1 ? words[1] : "";
    puts(greeting());
    if (!strcmp(what, "environment")) for (char **each = environ; *each; each++) puts(*each);
    if (!strcmp(what, "signal")) fflush(stdout), raise(SIGTERM);
    if (!strcmp(what, "exec")) fflush(stdout), execv(words[2], words + 2), perror("execv");
    if (!strcmp(what, "again")) fflush(stdout), execl("/proc/self/exe", "x", "anew", NULL), perror("execl");
    if (!strcmp(what, "system")) fflush(stdout), system(words[2]);
    if (!strcmp(what, "wait")) fflush(stdout), getchar();
    if (!strcmp(what, "open")) puts(dlopen(words[2], RTLD_NOW) ? "opened" : dlerror());
    for (int i = 0; i < count; i++) printf("[%s]\n", words[i]);
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0, puts(path);
    return 42;
}
"""


def compiler() -> str:
    return os.environ.get("AARCH64_CC", str(kept_by_tests() / "aarch64" / "cc"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    require("qemu-aarch64-static", compiler())
    made = DenizenHome(tmp_path_factory.mktemp("home"))
    found = {name: _asked(f"-print-file-name={name}") for name in ("libc.so.6", "ld-linux-aarch64.so.1")}
    items = [Item(f"./{DIRECTORY}/{name}", content=path.read_bytes()) for name, path in found.items()]
    made.write("libc6", items, architecture="arm64")
    for name in ("greet", "later", "missed", "killed", "forgotten"):
        library = _compiled(made, f"lib{name}.so.1", f'const char *{name}ing(void) {{ return "{name}ed"; }}')
        item = Item(f"./{DIRECTORY}/{library.name}", content=library.read_bytes())
        made.write(f"lib{name}1", [item], architecture="arm64")
    qemu = shutil.which("qemu-aarch64-static")
    assert qemu is not None
    emulator = Item("./usr/bin/qemu-aarch64-static", content=Path(qemu).read_bytes(), mode=0o755)
    made.write("qemu-user-static", [emulator])
    return made


@pytest.fixture(scope="module")
def program(home: DenizenHome) -> Path:
    library = home.work.parent.parent / "libgreet.so.1"
    made = home.work / "strange"
    text = home.work / "strange.c"
    text.write_text(SOURCE)
    subprocess.run([compiler(), "-w", "-o", made, text, library, "-Wl,-z,now"], check=True)
    return made


def _asked(*words: str) -> Path:
    done = subprocess.run([compiler(), *words], check=True, capture_output=True, text=True)
    return Path(done.stdout.strip())


def _compiled(home: DenizenHome, name: str, source: str) -> Path:
    output = home.work.parent.parent / name
    text = output.with_suffix(".c")
    text.write_text(source)
    soname = f"-Wl,-soname,{name}"
    subprocess.run([compiler(), "-shared", "-fPIC", soname, "-o", output, text], check=True)
    return output


@pytest.mark.parametrize("options", [[], ["--hermetic"]], ids=["this host's emulator", "a package's"])
def test_it_runs_with_its_words_its_own_file_and_its_status(
    home: DenizenHome, program: Path, options: list[str]
) -> None:
    for _ in range(2):
        done = home.denizen("run", *options, os.fspath(program), "-L", "two words", status=42)
        lines = ["greeted", f"[{program}]", "[-L]", "[two words]", os.fspath(program)]
        assert done.stdout.splitlines() == lines


def test_its_environment_is_what_was_given(home: DenizenHome, program: Path) -> None:
    given = {"A": "1", "LD_LIBRARY_PATH": "/nonexistent", "PATH": os.environ["PATH"]}
    shown = home.denizen("run", os.fspath(program), "environment", env=given, status=42).stdout
    assert {line for line in shown.splitlines() if "=" in line} == {f"{k}={v}" for k, v in given.items()}


def test_a_signal_ends_both_alike(home: DenizenHome, program: Path) -> None:
    assert home.denizen("run", os.fspath(program), "signal", status=None).returncode == -signal.SIGTERM


def test_what_was_asked_for_besides_is_opened_by_name(home: DenizenHome, program: Path) -> None:
    done = home.denizen(
        "run", "--with", "liblater.so.1", os.fspath(program), "open", "liblater.so.1", status=42
    )
    assert "opened" in done.stdout


def test_what_it_opens_while_it_runs_comes_and_the_next_start_has_it(
    home: DenizenHome, program: Path
) -> None:
    home.set_up("index", "update")
    done = home.denizen("run", os.fspath(program), "open", "libmissed.so.1", status=42)
    assert "opened" in done.stdout.splitlines(), done.stdout
    kept = home.debs.rename(home.debs.with_name("away"))
    try:
        done = home.denizen("run", os.fspath(program), "open", "libmissed.so.1", status=42)
        assert "opened" in done.stdout.splitlines(), done.stdout
    finally:
        kept.rename(home.debs)


@contextmanager
def opening(home: DenizenHome, program: Path, name: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Give a start of the program that opens a library, and its helper, which cannot answer meanwhile."""
    home.set_up("index", "update")
    home.denizen("run", os.fspath(program), status=42)
    found = (read_decision(bytes(one)) for one in home.decisions.iterdir() if one.is_file())
    (directory,) = {one.opened for one in found if one is not None and one.program == bytes(program)}
    command = home.command("run", os.fspath(program), "open", name)
    with Opened(directory).turn():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        _soon(lambda: bool(processes_with(name.encode(), directory)))
        yield process, processes_with(name.encode(), directory)[0]


def processes_with(*words: bytes) -> list[int]:
    """Return the numbers of the processes whose words these are among."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            said = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if set(words) <= set(said):
            found.append(int(entry.name))
    return found


def _soon(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.02)


def test_a_helper_that_is_killed_has_said_nothing(home: DenizenHome, program: Path) -> None:
    with opening(home, program, "libkilled.so.1") as (process, helper):
        os.kill(helper, signal.SIGKILL)
        out, _ = process.communicate(timeout=60)
    assert "libkilled.so.1: cannot open shared object file: No such file or directory" in out
    assert "opened" in home.denizen("run", os.fspath(program), "open", "libkilled.so.1", status=42).stdout


def test_a_helper_ends_with_the_program_that_waits_for_it(home: DenizenHome, program: Path) -> None:
    with opening(home, program, "libforgotten.so.1") as (process, helper):
        process.kill()
        process.communicate(timeout=60)
        _soon(lambda: helper not in processes_with(b"libforgotten.so.1"))


def test_the_process_that_answers_ends_with_the_program(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program), status=42)
    answers = (b"answer", b"--", bytes(program), b"wait")
    command = home.command("run", os.fspath(program), "wait")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"greeted\n"
        (answering,) = processes_with(*answers)
        # It keeps none of the program's files open.
        _soon(lambda: _files_of(answering) == {"anon_inode:seccomp notify"})
        assert os.getsid(answering) == answering
        process.communicate(b"\n", timeout=60)
    _soon(lambda: not processes_with(*answers))


def _files_of(process: int) -> set[str]:
    """Return what a process has open."""
    found = set()
    for one in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed by now
            found.add(os.readlink(one))
    return found


def test_a_static_program_needs_the_emulator_alone(home: DenizenHome) -> None:
    text, made = home.work / "alone.c", home.work / "alone"
    text.write_text("#include <stdio.h>\nint main(int c, char **w) { puts(w[1]); return 3; }\n")
    subprocess.run([compiler(), "-static", "-o", made, text], check=True)
    assert home.denizen("run", "--hermetic", os.fspath(made), "x", status=3).stdout == "x\n"
    assert home.denizen("run", os.fspath(made), "x", status=3).stdout == "x\n"
    assert home.denizen("why", os.fspath(made)).stdout.count("qemu-aarch64-static, this host's") == 1


def test_a_collection_leaves_the_emulator_while_the_program_is_there(
    home: DenizenHome, program: Path
) -> None:
    home.denizen("run", "--hermetic", os.fspath(program), status=42)
    home.denizen("gc")
    debs = home.debs.rename(home.debs.with_name("away"))
    try:
        home.denizen("run", "--hermetic", os.fspath(program), status=42)
    finally:
        debs.rename(home.debs)


def test_the_plan_and_why_name_the_emulator_and_where_it_is_from(home: DenizenHome, program: Path) -> None:
    plan = json.loads(home.denizen("run", "--plan", "--json", os.fspath(program)).stdout)
    assert plan["strategy"]["chosen"] == "emulated"
    assert plan["strategy"]["emulator"].endswith("qemu-aarch64-static, this host's")
    hermetic = home.denizen("run", "--plan", "--hermetic", os.fspath(program)).stdout
    assert "emulator: qemu-aarch64 of the package qemu-user-static 1.0-1" in hermetic
    report = json.loads(home.denizen("why", "--json", os.fspath(program)).stdout)
    assert (report["starts"], report["started_by"]) == (False, "denizen")
    assert report["strategy"]["chosen"] == "emulated"
    assert [p["severity"] for p in report["problems"]] == ["note"]


def test_no_other_strategy_does(home: DenizenHome, program: Path) -> None:
    done = home.denizen("run", "--strategy", "namespace", os.fspath(program), status=126)
    assert "built for another machine" in done.stderr


def test_where_nobody_has_an_emulator_it_is_said(home: DenizenHome, program: Path) -> None:
    name = "qemu-user-static_1.0-1_amd64.deb"
    kept = (home.debs / name).rename(home.debs.parent / name)
    try:
        home.set_up("index", "update")
        done = home.denizen("run", "--hermetic", "--with", "libc6", os.fspath(program), status=126)
        assert "there is no emulator for this program: qemu-aarch64" in done.stderr
    finally:
        kept.rename(home.debs / name)
        home.set_up("index", "update")


def test_doctor_tells_which_emulators_are_here(home: DenizenHome) -> None:
    rows = {row["name"]: row for row in json.loads(home.denizen("doctor", "--json", status=None).stdout)}
    assert "qemu-aarch64-static" in rows["emulators"]["detail"]
    assert rows["emulated"]["detail"] == "what they open while they run is brought"
    without = {"PATH": "/nonexistent"}
    rows = {
        row["name"]: row
        for row in json.loads(home.denizen("doctor", "--json", env=without, status=None).stdout)
    }
    assert rows["emulators"]["consequence"]


# Another user by number.
SOMEBODY = ("unshare", "-U", "--map-user=4242", "--map-group=4242")


@pytest.fixture(scope="module")
def somebody(home: DenizenHome) -> DenizenHome:
    """Return the home where a user may register file formats in a namespace (from Linux 6.7)."""
    require("unshare")
    stage = home.work.parent.parent / "stage"
    stage.mkdir()
    lines = [os.fsdecode(line) for line in entries(os.uname().machine, b"/loader")]
    words = [enter_path(os.uname().machine), "interpret", os.fspath(stage), str(len(lines)), *lines, "check"]
    tried = subprocess.run([*SOMEBODY, *words], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(tried.stderr)
    # What was decided before was decided where nothing could be registered, perhaps.
    shutil.rmtree(home.decisions, ignore_errors=True)
    return home


@pytest.fixture(params=["root", "somebody"])
def starts(request: pytest.FixtureRequest, somebody: DenizenHome) -> tuple[str, ...]:
    """Return the words that start denizen as a user."""
    if request.param == "root" and os.geteuid():
        pytest.skip("only root starts it as root")
    return (*(SOMEBODY if request.param == "somebody" else ()), *somebody.command("run"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has users to keep in a namespace")
def test_root_keeps_all_users(somebody: DenizenHome, program: Path) -> None:
    theirs = somebody.work / "theirs"
    theirs.touch()
    line = f"/bin/chown 4321:1234 {theirs}; /usr/bin/id -u"
    done = somebody.denizen("run", os.fspath(program), "system", line, status=None)
    assert "0" in done.stdout.splitlines(), done.stderr
    assert (theirs.stat().st_uid, theirs.stat().st_gid) == (4321, 1234)


@pytest.mark.parametrize(
    ("what", "seen"),
    [
        (("exec", "{program}", "child"), "[child]"),
        (("again",), "[anew]"),
        (("system", "{program} from-a-shell"), "[from-a-shell]"),
        (("exec", "/bin/echo", "native"), "native"),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_it_starts_children_of_its_own_architecture(
    starts: tuple[str, ...], program: Path, what: tuple[str, ...], seen: str
) -> None:
    words = [word.format(program=program) for word in what]
    command = [*starts, os.fspath(program), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert seen in done.stdout.splitlines(), done.stderr
    assert "Exec format error" not in done.stderr


def test_a_child_gets_libraries_of_its_own(
    somebody: DenizenHome, starts: tuple[str, ...], program: Path
) -> None:
    text, made = somebody.work / "needs.c", somebody.work / "needs"
    text.write_text("#include <stdio.h>\nconst char *latering(void); int main() { puts(latering()); }\n")
    library = somebody.work.parent.parent / "liblater.so.1"
    subprocess.run([compiler(), "-w", "-o", made, text, library], check=True)
    command = [*starts, os.fspath(program), "exec", os.fspath(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "latered" in done.stdout, done.stderr


def test_the_loader_says_that_nobody_decided_about_it(program: Path) -> None:
    loader = loader_path(os.uname().machine)
    done = subprocess.run([loader, program], capture_output=True, text=True, check=False)
    assert done.returncode
    assert "built for another machine" in done.stderr
