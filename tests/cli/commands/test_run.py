"""`denizen run`, with packages made here: what is not on this host is brought, and the program starts."""

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from denizen.disk import DiskView
from denizen.launch.decisions.decision import GENERATION, file_name, identity_of
from denizen.launch.decisions.decision_codec import decode, encode
from denizen.value import replace
from tests.support.debs import Item
from tests.support.hosts import namespace_filter
from tests.support.offline_roots import PROGRAM, DenizenHome
from tests.support.peers import require
from tests.support.seccomp import under_filter
from tests.support.untraced import environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def program(home: DenizenHome) -> Path:
    return home.compile("greet")


def test_it_dies_without_denizen(program: Path) -> None:
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert "libgreet.so.1" in done.stderr


@pytest.mark.parametrize("strategy", ["auto", "namespace", "stub", "direct"])
def test_it_runs_with_its_arguments_and_the_file_stays(
    home: DenizenHome, program: Path, strategy: str
) -> None:
    before = hashlib.sha256(program.read_bytes()).digest()
    done = home.denizen("run", "--strategy", strategy, os.fspath(program), "--plan", "-x", "two words")
    assert done.stdout.splitlines() == [
        "hello from the store",
        f"[{program}]",
        "[--plan]",
        "[-x]",
        "[two words]",
    ]
    assert hashlib.sha256(program.read_bytes()).digest() == before


@pytest.mark.parametrize("strategy", ["auto", "namespace", "stub", "direct"])
def test_its_exit_status_is_the_commands(home: DenizenHome, program: Path, strategy: str) -> None:
    env = {**os.environ, "STATUS": "42"}
    home.denizen("run", "--strategy", strategy, os.fspath(program), env=env, status=42)


def test_the_old_word_for_direct_is_taken_and_told_of(home: DenizenHome, program: Path) -> None:
    home.denizen("run", "--strategy", "direct", os.fspath(program))
    done = home.denizen("run", "--strategy", "program", os.fspath(program), "x")
    assert done.stdout == "hello from the store\n" + f"[{program}]\n[x]\n"
    assert done.stderr == "denizen: --strategy program is called direct now; the old word will go\n"


@pytest.mark.parametrize("strategy", ["auto", "stub", "direct"])
def test_a_signal_ends_the_program_and_the_command_alike(home: DenizenHome, strategy: str) -> None:
    source = "#include <signal.h>\nint greeting(); int main() { greeting(); raise(SIGTERM); return 0; }\n"
    program = home.compile(f"raises-{strategy}", source)
    done = home.denizen("run", "--strategy", strategy, os.fspath(program), status=None)
    assert done.returncode == -signal.SIGTERM


def test_the_second_start_asks_neither_sources_nor_store(home: DenizenHome, tmp_path: Path) -> None:
    program = home.compile("twice")
    home.denizen("run", os.fspath(program))
    hidden = home.debs.rename(tmp_path / "debs")
    index = (home.root / "cache").rename(tmp_path / "cache")
    try:
        assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")
    finally:
        hidden.rename(home.debs)
        index.rename(home.root / "cache")


def test_a_changed_program_is_decided_anew(home: DenizenHome) -> None:
    program = home.compile("changes")
    home.denizen("run", os.fspath(program))
    library = home.add_library("second", "int second(void) { return 2; }\n")
    home.denizen("index", "update", "--suite", "debian")
    newer = home.compile("changes", "int second(void); int main() { return second(); }\n", os.fspath(library))
    home.denizen("run", os.fspath(newer), status=2)


def test_a_moved_program_is_known_by_its_content(home: DenizenHome) -> None:
    program = home.compile("moves", "int greeting(); int main() { greeting(); return 3; }\n")
    home.denizen("run", os.fspath(program), status=3)
    moved = home.work / "elsewhere"
    shutil.copy(program, moved)
    program.unlink()
    shutil.move(home.debs, home.debs.with_name("gone"))
    try:
        home.denizen("run", "--offline", os.fspath(moved), status=3)
    finally:
        shutil.move(home.debs.with_name("gone"), home.debs)


def test_collection_between_two_starts_keeps_what_it_needs(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    home.denizen("gc")
    assert home.denizen("run", "--offline", os.fspath(program)).stdout.startswith("hello from the store")


def test_collection_keeps_packages_that_came_for_their_files(home: DenizenHome) -> None:
    home.pack("libc-bin", [], extra=[Item("./usr/lib/locale/C.utf8/LC_CTYPE", content=b"a locale")])
    home.denizen("index", "update", "--suite", "debian")
    source = (
        "#include <locale.h>\nint greeting();\n"
        'int main() { greeting(); return setlocale(LC_ALL, "C") ? 6 : 7; }\n'
    )
    program = home.compile("speaks", source)
    home.denizen("run", os.fspath(program), status=6)
    (tree,) = [p for p in (home.root / "data" / "store").glob("*-libc-bin-*") if p.is_dir()]
    home.denizen("gc")
    assert tree.is_dir()
    program.unlink()
    home.denizen("gc", "--grace", "0d")
    assert not tree.exists()


def test_collection_keeps_what_a_moved_program_needs(home: DenizenHome) -> None:
    # A library of its own: what other programs need too is kept for them.
    library = home.add_library("wander", "int wander(void) { return 8; }\n")
    home.denizen("index", "update", "--suite", "debian")
    source = "int wander(void); int main() { return wander(); }\n"
    program = home.compile("wanders", source, os.fspath(library))
    home.denizen("run", os.fspath(program), status=8)
    moved = program.rename(home.work / "wandered")
    home.denizen("run", "--offline", os.fspath(moved), status=8)
    home.denizen("gc")
    shutil.move(home.debs, home.debs.with_name("gone"))
    try:
        home.denizen("run", "--offline", os.fspath(moved), status=8)
    finally:
        shutil.move(home.debs.with_name("gone"), home.debs)


def test_collection_forgets_programs_that_are_gone(home: DenizenHome) -> None:
    program = home.compile("goes", "int greeting(); int main() { greeting(); return 0; }\n")
    home.denizen("run", os.fspath(program))
    before = len(list(home.decisions.iterdir()))
    program.unlink()
    assert "decisions forgotten" in home.denizen("gc", "--grace", "0d").stderr
    assert len(list(home.decisions.iterdir())) < before


def test_half_a_store_is_made_whole(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    store = home.root / "data" / "store"
    for found in store.glob("*-libgreet1-*"):
        if not found.name.endswith((".deb", ".drv")):
            subprocess.run(["chmod", "-R", "u+w", found], check=True)
            shutil.rmtree(found)
    home.denizen("store", "verify", "--repair", status=None)
    assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")


@pytest.mark.parametrize("through_loader", [False, True])
@pytest.mark.parametrize("file", ["libgreet.so.1", "ld-linux-x86-64.so.2"])
def test_a_single_file_that_is_gone_from_the_store_is_brought_again(
    home: DenizenHome, program: Path, file: str, *, through_loader: bool
) -> None:
    link = home.root / "link"
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    for found in (home.root / "data" / "store").glob(f"*/usr/lib/*/{file}"):
        found.parent.chmod(0o755)
        found.unlink()
    if through_loader:
        done = subprocess.run([link], capture_output=True, text=True, check=False, timeout=60)
    else:
        done = home.denizen("run", os.fspath(program))
    assert done.stdout.startswith("hello from the store"), done.stderr
    home.denizen("store", "verify", "--contents")


def test_what_older_rules_decided_is_decided_again(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    file = _age(home, program)
    home.denizen("run", os.fspath(program))
    assert decode(file.read_bytes()).generation == GENERATION


def test_what_older_rules_decided_is_followed_where_it_cannot_be_decided_again(
    home: DenizenHome, program: Path
) -> None:
    home.denizen("run", os.fspath(program))
    link = home.root / "aged"
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    _age(home, program)
    places = [home.debs, home.root / "cache", home.root / "data" / "index"]
    moved = [place for place in places if place.exists()]
    for place in moved:
        place.rename(place.with_name(f"{place.name}-away"))
    try:
        done = home.denizen("run", os.fspath(program))
        linked = subprocess.run([link], capture_output=True, text=True, check=False, timeout=60)
    finally:
        for place in moved:
            shutil.rmtree(place, ignore_errors=True)
            place.with_name(f"{place.name}-away").rename(place)
    assert done.stdout.startswith("hello from the store")
    assert "not decided again" in done.stderr
    assert linked.stdout.startswith("hello from the store")


def _age(home: DenizenHome, program: Path) -> Path:
    """The decision about it as an earlier generation made it."""
    file = home.decisions / os.fsdecode(file_name(identity_of(DiskView().stat(os.fsencode(program)))))
    file.write_bytes(encode(replace(decode(file.read_bytes()), generation=GENERATION - 1)))
    for other in home.decisions.glob("b-*"):
        other.unlink()
    return file


@pytest.mark.parametrize("damage", [b"", b"DENIZEN\x01", b"garbage" * 40])
def test_a_damaged_decision_is_made_again(home: DenizenHome, program: Path, damage: bytes) -> None:
    home.denizen("run", os.fspath(program))
    facts = program.stat()
    name = "-".join(
        f"{n:x}" for n in (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    )
    (home.decisions / name).write_bytes(damage)
    assert home.denizen("run", os.fspath(program)).stdout.startswith("hello from the store")


def test_a_decision_others_may_write_is_not_believed(home: DenizenHome, program: Path) -> None:
    home.denizen("run", os.fspath(program))
    for file in home.decisions.iterdir():
        if file.is_file():
            file.chmod(0o666)
    home.denizen("run", os.fspath(program))
    facts = program.stat()
    (file,) = [f for f in home.decisions.iterdir() if f"-{facts.st_ino:x}-" in f.name]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_program_the_host_satisfies_is_just_executed(home: DenizenHome) -> None:
    assert home.denizen("run", "echo", "plain").stdout == "plain\n"
    plan = json.loads(home.denizen("run", "--json", "--plan", "/bin/echo").stdout)
    assert plan["strategy"]["chosen"] == "host"
    assert plan["resolution"] is None


def test_hermetic_takes_nothing_of_the_host(home: DenizenHome) -> None:
    program = home.work / "hermetic"
    (home.work / "hermetic.c").write_text(
        "#include <stdio.h>\n#include <string.h>\n"
        'int main() { char line[4096]; FILE *maps = fopen("/proc/self/maps", "r");\n'
        "while (fgets(line, sizeof line, maps))\n"
        "  if (strstr(line, \"libc.so.6\")) { fputs(strchr(line, '/'), stdout); break; } }\n"
    )
    subprocess.run(["gcc", "-o", program, home.work / "hermetic.c"], check=True)
    done = home.denizen("run", "--hermetic", os.fspath(program))
    assert done.stdout.startswith(os.fspath(home.root / "data" / "store"))


def test_a_plan_does_nothing(home: DenizenHome) -> None:
    program = home.compile("planned", "int greeting(); int main() { greeting(); return 9; }\n")
    plan = json.loads(home.denizen("run", "--json", "--plan", os.fspath(program)).stdout)
    assert [p["name"] for p in plan["resolution"]["packages"]] == ["libc6", "libgreet1"]
    assert plan["strategy"]["chosen"] in {"namespace", "stub"}
    assert not [f for f in home.decisions.iterdir() if f"-{program.stat().st_ino:x}-" in f.name]


def test_a_soname_nobody_has_is_told_with_the_true_reason(home: DenizenHome) -> None:
    library = home.work / "libnobody.so.7"
    subprocess.run(
        ["gcc", "-shared", "-Wl,-soname,libnobody.so.7", "-x", "c", "-", "-o", library],
        input=b"int nobody;",
        check=True,
    )
    program = home.compile("wants", "extern int nobody; int main() { return nobody; }\n", os.fspath(library))
    library.unlink()
    done = home.denizen("run", os.fspath(program), status=126)
    assert "libnobody.so.7" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("word", "status"), [("./nothing-here", 127), ("no-such-command", 127), ("/", 126), ("/etc/passwd", 126)]
)
def test_what_is_no_program_is_said_so(home: DenizenHome, word: str, status: int) -> None:
    done = home.denizen("run", word, status=status)
    assert done.stderr.startswith("denizen: ")
    assert "Traceback" not in done.stderr


def test_a_strategy_that_cannot_be_is_refused_with_its_reason(home: DenizenHome, program: Path) -> None:
    done = home.denizen("run", "--strategy", "host", os.fspath(program), status=126)
    assert "library-missing" in done.stderr


def test_a_lock_is_followed(home: DenizenHome, program: Path, tmp_path: Path) -> None:
    lock = tmp_path / "greet.lock"
    home.denizen("lock", os.fspath(program), "-o", os.fspath(lock))
    done = home.denizen("run", "--lock", os.fspath(lock), os.fspath(program))
    assert done.stdout.startswith("hello from the store")
    edited = tmp_path / "edited.lock"
    edited.write_text(lock.read_text().replace("1.0-1", "1.0-2"))
    assert "edited" in home.denizen("run", "--lock", os.fspath(edited), os.fspath(program), status=125).stderr
    home.denizen("run", "--lock", "/no/such.lock", os.fspath(program), status=127)


def test_a_lock_is_followed_where_the_kernel_refuses_at_the_start(home: DenizenHome, tmp_path: Path) -> None:
    """Decided for a namespace, and then there is none: what decides once more must know of the lock."""
    require("unshare")
    require("setpriv")
    library = home.add_library("age", 'const char *age(void) { return "locked"; }\n')
    source = "#include <stdio.h>\nconst char *age(); int main() { puts(age()); return 0; }\n"
    program = home.compile("aged", source, os.fspath(library))
    lock = tmp_path / "aged.lock"
    home.denizen("index", "update")
    home.denizen("lock", os.fspath(program), "-o", os.fspath(lock))
    locked = home.command("run", "--lock", os.fspath(lock), os.fspath(program))
    subprocess.run(locked, check=True)
    home.add_library("age", 'const char *age(void) { return "newer"; }\n')
    home.denizen("index", "update")
    assert home.denizen("run", os.fspath(program)).stdout == "newer\n"
    room = ["unshare", "--user", "--map-root-user", "sh", "-c", _NO_MORE_NAMESPACES, "sh"]
    done = subprocess.run([*room, *locked], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "locked\n"), done.stderr


def test_what_was_tried_outside_is_not_believed_in_a_container_that_shares_the_root(
    home: DenizenHome,
) -> None:
    """In the same namespaces too: all that differs is a seccomp filter."""
    outside, inside = home.compile("outside"), home.compile("inside")
    assert home.denizen("run", os.fspath(outside)).stderr == ""
    command = under_filter(namespace_filter(), home.command("run", os.fspath(inside)))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    plan = under_filter(namespace_filter(), home.command("run", "--plan", os.fspath(inside)))
    said = subprocess.run(plan, capture_output=True, text=True, check=True).stdout
    assert "no namespace: unshare: this host forbids it (EPERM)" in said
    # What was decided with a namespace says why there is none, and starts.
    command = under_filter(namespace_filter(), home.command("run", os.fspath(outside)))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        0, "denizen: no namespace: unshare: this host forbids it (EPERM); trying otherwise\n"
    )  # fmt: skip


# Root in a namespace needs no further one to mount: the capability goes as well.
_NO_MORE_NAMESPACES = """
echo 0 >/proc/sys/user/max_user_namespaces
exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"
"""


def test_a_lock_of_another_program_is_refused(home: DenizenHome, program: Path, tmp_path: Path) -> None:
    lock = tmp_path / "greet.lock"
    home.denizen("lock", os.fspath(program), "-o", os.fspath(lock))
    library = home.add_library("third", "int third(void) { return 3; }\n")
    other = home.compile("other", "int third(); int main() { return third(); }\n", os.fspath(library))
    done = home.denizen("run", "--lock", os.fspath(lock), os.fspath(other), status=125)
    assert "not for" in done.stderr
    assert "libthird.so.1" in done.stderr


def test_a_foreign_child_runs_too(home: DenizenHome) -> None:
    child = home.compile("child", "int greeting(); int main() { greeting(); return 5; }\n")
    parent = home.compile(
        "parent",
        "#include <stdlib.h>\n#include <sys/wait.h>\nint greeting();\n"
        f'int main() {{ greeting(); return WEXITSTATUS(system("{child}")); }}\n',
    )
    home.denizen("run", os.fspath(parent), status=5)


def test_a_foreign_child_of_a_locked_program_runs_too(home: DenizenHome, tmp_path: Path) -> None:
    """The lock says nothing of the child, which is decided about without it."""
    child = home.compile("locked-child", "int greeting(); int main() { greeting(); return 5; }\n")
    parent = home.compile(
        "locked-parent",
        "#include <stdlib.h>\n#include <sys/wait.h>\nint greeting();\n"
        f'int main() {{ greeting(); return WEXITSTATUS(system("{child}")); }}\n',
    )
    lock = tmp_path / "parent.lock"
    home.denizen("lock", os.fspath(parent), "-o", os.fspath(lock))
    home.denizen("run", "--lock", os.fspath(lock), os.fspath(parent), status=5)


def test_a_library_beside_the_program_is_found_whatever_the_library_path_says(home: DenizenHome) -> None:
    """OpenCV's Python module sets LD_LIBRARY_PATH, and a Python then started has its libpython in ../lib."""
    top = home.work / "bundle"
    (top / "bin").mkdir(parents=True)
    (top / "lib").mkdir()
    own = top / "lib" / "libown.so.1"
    source = 'const char *own(void) { return "own"; }\n'
    shared = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-Wl,-soname,libown.so.1", "-o", os.fspath(own)]
    subprocess.run(shared, input=source.encode(), check=True)
    text = (
        "#include <stdio.h>\nconst char *own(), *greeting(); int main() { puts(own()); puts(greeting()); }\n"
    )
    program = home.compile("bundle/bin/program", text, os.fspath(own))
    for path in ("/no/such", os.fspath(top), ""):
        done = home.denizen("run", os.fspath(program), env={**os.environ, "LD_LIBRARY_PATH": path})
        assert done.stdout == "own\nhello from the store\n"


def test_a_script_starts_foreign_programs(home: DenizenHome, program: Path) -> None:
    script = home.work / "wrapper"
    script.write_text(f'#!/bin/sh\nexec "{program}" "$@"\n')
    script.chmod(0o755)
    done = home.denizen("run", os.fspath(script), "x")
    assert done.stdout.splitlines() == ["hello from the store", f"[{program}]", "[x]"]


def test_a_hundred_first_starts_at_once_decide_once(home: DenizenHome) -> None:
    program = home.compile("hundred", "int greeting(); int main() { greeting(); return 4; }\n")
    command = home.command("-v", "run", os.fspath(program))
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(100)]
    said = [process.communicate(timeout=300)[1] for process in running]
    assert {process.returncode for process in running} == {4}
    assert sum("deciding" in text for text in said) == 1


def test_first_starts_of_different_programs_at_once_all_start(tmp_path: Path) -> None:
    """Nothing is cached, and all want the same packages."""
    home = DenizenHome(tmp_path)
    home.denizen("index", "update")
    programs = [
        home.compile(f"first{number}", f"int greeting(); int main() {{ greeting(); return {number}; }}")
        for number in range(1, 9)
    ]
    crowd = [
        subprocess.Popen(home.command("run", os.fspath(one)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for one in programs
    ]
    said = [one.communicate(timeout=120)[1] for one in crowd]
    assert [one.returncode for one in crowd] == [*range(1, 9)], said


@pytest.mark.parametrize("moment", [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4])
def test_interrupted_anywhere_the_next_start_is_whole(home: DenizenHome, moment: float) -> None:
    name = f"stopped{moment}"
    library = home.add_library(name.replace(".", "-"), f"int own(void) {{ return {int(moment * 100)}; }}\n")
    program = home.compile(name, "int own(void); int main() { own(); return 8; }\n", os.fspath(library))
    home.denizen("index", "update")
    command = home.command("-v", "run", os.fspath(program))
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
    assert process.stderr is not None
    process.stderr.readline()  # from here on it is Python's start that is behind it, and our work before it
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode in (8, 130, -signal.SIGINT)
    assert "Traceback" not in said
    home.denizen("run", os.fspath(program), status=8)
    home.denizen("store", "verify")


def test_what_was_first_started_in_a_namespace_starts_by_itself_too(home: DenizenHome) -> None:
    child = home.compile("first-a-child")
    script = home.work / "starts-a-child"
    script.write_text(f'#!/bin/sh\nexec "{child}"\n')
    script.chmod(0o755)
    home.denizen("run", "--strategy", "namespace", os.fspath(script))
    assert home.denizen("run", os.fspath(child)).stdout.startswith("hello from the store")
    assert home.denizen("run", os.fspath(script)).stdout.startswith("hello from the store")


@pytest.mark.parametrize("first", ["#!/bin/sh", "#!/usr/bin/env -S sh -e", "#!/usr/bin/env bash"])
def test_without_a_namespace_a_script_starts_foreign_programs_too(
    home: DenizenHome, program: Path, first: str
) -> None:
    script = home.work / f"wrapper-{len(first)}"
    script.write_text(f'{first}\n"{program}" "$@"; "{program}" again; exit 3\n')
    script.chmod(0o755)
    done = home.denizen("run", "--strategy", "direct", os.fspath(script), "x", status=3)
    greeting = ["hello from the store", f"[{program}]"]
    assert done.stdout.splitlines() == [*greeting, "[x]", *greeting, "[again]"]


def test_a_script_whose_interpreter_nobody_has_is_told_so(home: DenizenHome) -> None:
    script = home.work / "strange"
    script.write_text("#!/opt/strange/interpreter\n")
    script.chmod(0o755)
    plan = json.loads(home.denizen("run", "--json", "--plan", os.fspath(script)).stdout)
    assert plan["strategy"]["chosen"] == "fhs"
    done = home.denizen("run", os.fspath(script), status=126)
    assert "no package has /opt/strange/interpreter" in done.stderr


def test_a_link_starts_a_program_without_python(home: DenizenHome, program: Path) -> None:
    link = home.work / "bin" / "greet-link"
    link.parent.mkdir()
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    done = subprocess.run([link, "a b"], capture_output=True, text=True, check=True, env={})
    assert done.stdout.splitlines() == ["hello from the store", f"[{program}]", "[a b]"]
    home.denizen("loader", "link", os.fspath(program), os.fspath(link))
    other = home.compile("other")
    assert "starts" in home.denizen("loader", "link", os.fspath(other), os.fspath(link), status=125).stderr
    precious = link.with_name("precious")
    precious.write_text("mine")
    home.denizen("loader", "link", os.fspath(program), os.fspath(precious), status=125)
    assert precious.read_text() == "mine"


def test_what_the_host_has_no_more_is_brought(home: DenizenHome) -> None:
    library = home.add_library("leaves", "int leaves(void) { return 7; }\n")
    own = home.work / "own-lib"
    own.mkdir()
    shutil.copy(library, own / library.name)
    source = "int leaves(void); int main() { return leaves(); }\n"
    program = home.compile("leaver", source, os.fspath(library), f"-Wl,-rpath,{own}", "-Wl,--as-needed")
    home.denizen("index", "update")
    plan = json.loads(home.denizen("run", "--json", "--plan", os.fspath(program)).stdout)
    assert plan["strategy"]["chosen"] == "host"
    home.denizen("run", os.fspath(program), status=7)
    shutil.rmtree(own)
    home.denizen("run", os.fspath(program), status=7)


def test_a_relative_interpreter_is_of_each_starts_directory(home: DenizenHome, tmp_path: Path) -> None:
    """The kernel opens it from the working directory; elsewhere another dynamic linker is brought."""
    relative = "-Wl,--dynamic-linker=lib64/ld-linux-x86-64.so.2"
    plain = home.compile("relative", '#include <stdio.h>\nint main() { puts("here"); }', relative)
    program = home.compile("relative-greet", PROGRAM, relative)
    for directory in (Path("/"), tmp_path, Path("/")):
        for started, said in ((plain, "here"), (program, "hello from the store")):
            done = home.denizen("run", os.fspath(started), directory=directory)
            assert done.stdout.splitlines()[0] == said


@pytest.mark.parametrize("options", [("--hermetic",), ("--with", "libgreet.so.1"), ()])
def test_a_static_program_takes_nothing_from_anywhere(home: DenizenHome, options: tuple[str, ...]) -> None:
    source = '#include <stdio.h>\nint main() { puts("static"); }'
    program = home.work / "static"
    subprocess.run(["gcc", "-static", "-x", "c", "-", "-o", program], input=source.encode(), check=True)
    assert home.denizen("run", *options, os.fspath(program)).stdout == "static\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty", b""), ("text.py", b"print(1)\n"), ("archive.jar", b"PK\3\4" + bytes(60)),
        ("cut", b"\x7fELF\2\1\1"),
        ("long", b"#!/" + b"x" * 300 + b"/sh\n"), ("lost", b"#!/no/such/interpreter\n"),
        ("another", b"\x7fELF\2\1\1" + bytes(9) + b"\2\0\xb7\0" + bytes(44)), ("data", bytes(range(256))),
    ],
)  # fmt: skip
def test_what_cannot_be_started_ends_with_126(home: DenizenHome, name: str, content: bytes) -> None:
    """A shell's 126: found, and not executable."""
    program = home.work / name
    program.write_bytes(content)
    program.chmod(0o755)
    assert "Traceback" not in home.denizen("run", os.fspath(program), status=126).stderr
    program.chmod(0o644)
    home.denizen("run", os.fspath(program), status=126)


@pytest.mark.parametrize("interpreter", ["/home/linuxbrew/lib/ld.so", "/etc/passwd", "/etc"])
def test_a_dynamic_linker_with_a_name_of_its_own_is_the_usual_one(
    home: DenizenHome, interpreter: str
) -> None:
    program = home.compile("own-linker", PROGRAM, f"-Wl,--dynamic-linker={interpreter}")
    assert home.denizen("run", os.fspath(program)).stdout.splitlines()[0] == "hello from the store"


def test_why_ends_with_the_command_that_starts_it(home: DenizenHome, program: Path) -> None:
    done = home.denizen("why", os.fspath(program))
    assert done.stdout.splitlines()[-1].endswith(f"This starts it: denizen run {program}")
    assert json.loads(home.denizen("why", "--json", os.fspath(program)).stdout)["started_by"] == "denizen"
    alone = home.denizen("why", "--host", os.fspath(program), status=1)
    assert alone.stdout.splitlines()[-1].endswith(f"denizen may bring what is missing: denizen run {program}")
    lost = home.compile("lost-library", PROGRAM, f"-Wl,-soname,x,{home.library('greet')}")
    lost.chmod(0o644)
    assert "denizen run" not in home.denizen("why", os.fspath(lost), status=1).stdout.splitlines()[-1]


def test_programs_start_from_a_store_that_was_moved(tmp_path: Path) -> None:
    home = DenizenHome(tmp_path)
    before, after = home.compile("before"), home.compile("after")
    home.denizen("run", os.fspath(before))
    for place in ("one", "two"):
        home.denizen("store", "move", os.fspath(tmp_path / place))
        for program in (before, after):
            assert home.denizen("run", "--offline", os.fspath(program)).stdout.startswith(
                "hello from the store"
            )
        home.denizen("gc")
    assert home.denizen("store", "verify", "--contents").returncode == 0


def test_what_binfmt_misc_takes_is_started_as_it_is(home: DenizenHome) -> None:
    require("unshare")
    program = home.work / "some.denizentest"
    program.write_text("given to cat\n")
    program.chmod(0o755)
    entry = ":denizentest:E::denizentest::/bin/cat:"
    place = "/proc/sys/fs/binfmt_misc"
    register = f"mount -t binfmt_misc none {place} && echo '{entry}' > {place}/register"
    inside = ["unshare", "-Urm", "sh", "-c"]
    # A user namespace has entries of its own since Linux 6.7.
    if subprocess.run([*inside, register], capture_output=True, check=False).returncode:
        pytest.skip("this kernel lets no user namespace have its own binfmt_misc")
    command = shlex.join(home.command("run", os.fspath(program)))
    done = subprocess.run([*inside, f"{register} && {command}"], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("given to cat\n", 0), done.stderr
