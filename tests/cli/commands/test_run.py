"""`denizen run`, with packages made here: what is not on this host is brought, and the program starts."""

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.offline_roots import PROGRAM, DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.slow


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


def test_a_library_beside_the_program_that_gives_way_is_told_with_the_reason(home: DenizenHome) -> None:
    """By each command that says what would be chosen."""
    top = home.work / "gives-way"
    (top / "bin").mkdir(parents=True)
    (top / "lib").mkdir()
    absent, own = top / "libnobody-has.so.9", top / "lib" / "libgreet.so.1"
    shared = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-Wl,--no-as-needed"]
    words = ["-Wl,-soname,libnobody-has.so.9", "-o", os.fspath(absent)]
    subprocess.run([*shared, *words], input=b"int nobody;", check=True)
    words = ["-x", "none", os.fspath(absent), "-Wl,-soname,libgreet.so.1", "-o", os.fspath(own)]
    subprocess.run([*shared, *words], input=b'const char *greeting(void) { return "bundled"; }', check=True)
    absent.unlink()
    program = os.fspath(home.compile("gives-way/bin/program"))
    assert home.denizen("run", program).stdout.splitlines()[0] == "hello from the store"
    for words in (["run", "--plan", program], ["why", program]):
        (line,) = [one for one in home.denizen(*words).stdout.splitlines() if "left out" in one]
        assert "libgreet.so.1" in line
        assert "libnobody-has.so.9" in line
        (told,) = json.loads(home.denizen(*words[:-1], "--json", program).stdout)["resolution"]["left_out"]
        assert (told["soname"], told["needed_by"]) == ("libgreet.so.1", "../lib/libgreet.so.1")
        assert "libnobody-has.so.9" in told["reason"]


def test_a_place_that_a_dynamic_linker_takes_for_another_one_is_told(
    home: DenizenHome, tmp_path: Path
) -> None:
    """By itself a program runs there: what its own $ORIGIN becomes is not looked through again."""
    top = tmp_path / "x$ORIGIN"
    shutil.copytree(home.root, top / "root")
    command = [sys.executable, "-m", "denizen", "--root", os.fspath(top / "root"), "run"]
    done = subprocess.run(
        [*command, os.fspath(home.compile("in-a-token"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 126
    assert "cannot be loaded from where it is" in done.stderr
    assert "$ORIGIN" in done.stderr


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
    assert alone.stdout.splitlines()[-1].endswith(
        f"denizen may bring what is missing: denizen run {shlex.quote(str(program))}"
    )
    lost = home.compile("lost-library", PROGRAM, f"-Wl,-soname,x,{home.library('greet')}")
    lost.chmod(0o644)
    assert "denizen run" not in home.denizen("why", os.fspath(lost), status=1).stdout.splitlines()[-1]


def test_why_ends_in_red_only_with_its_status(home: DenizenHome, program: Path) -> None:
    library = home.add_library("unpacked", "int unpacked;")
    (home.debs / "libunpacked1_1.0-1_amd64.deb").unlink()
    source = "extern int unpacked; int main() { return unpacked; }\n"
    nobodys = home.compile("nobodys", source, os.fspath(library))
    for path, status, colour in (
        (program, 0, "1;33m"),
        (Path("/bin/echo"), 0, "1;32m"),
        (nobodys, 1, "1;31m"),
    ):
        shown = home.denizen("why", "--color", "always", os.fspath(path), status=status).stdout
        ends = shown.splitlines()[-1]
        assert [one for one in ("1;31m", "1;32m", "1;33m") if one in ends] == [colour]


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


def test_programs_start_from_a_copy_of_everything_at_a_long_path_and_read_only(tmp_path: Path) -> None:
    """As rsync makes one for a node that mounts it: no path is in what was copied, and nothing is fetched."""
    require("bwrap")
    home = DenizenHome(tmp_path / "first")
    program = home.compile("copied")
    home.denizen("run", os.fspath(program))
    place = tmp_path / "second"
    place /= "x" * (200 - len(os.fspath(place)))
    shutil.copytree(home.root, place, symlinks=True)
    home.root.rename(home.root.with_name("gone"))
    home.debs.rename(home.debs.with_name("gone-too"))
    command = [sys.executable, "-m", "denizen", "--root", str(place), "run", "--offline", str(program)]
    mounted = ("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(place), str(place))
    for around in ((), mounted):
        done = subprocess.run([*around, *command], capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stdout) == (0, f"hello from the store\n[{program}]\n"), done.stderr


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


_CALLS_NEWER = (
    "int brand_new(void); int main(int count, char **words) { return count > 1 ? brand_new() : 3; }\n"
)


@pytest.mark.parametrize("binding", ["-Wl,-z,now", "-Wl,-z,lazy"])
def test_a_library_of_the_host_that_lacks_a_function_gives_way_to_a_packages(
    tmp_path: Path, binding: str
) -> None:
    """The host has a libz.so.1, of another release than the program was linked with."""
    home = DenizenHome(tmp_path)
    newer = home.add_library("z", "int brand_new(void) { return 6; }\n")
    home.set_up("index", "update")
    program = home.compile("newer", _CALLS_NEWER, os.fspath(newer), "-Wl,--as-needed", binding)
    home.denizen("run", os.fspath(program), "x", status=6)


def test_a_function_that_no_package_has_keeps_no_program_from_starting_that_may_never_call_it(
    tmp_path: Path,
) -> None:
    home = DenizenHome(tmp_path)
    newer = home.add_library("z", "int brand_new(void) { return 6; }\n")
    lazy, now = (
        home.compile(name, _CALLS_NEWER, os.fspath(newer), "-Wl,--as-needed", f"-Wl,-z,{name}")
        for name in ("lazy", "now")
    )
    home.add_library("z", "int other(void) { return 6; }\n")
    home.set_up("index", "update")
    home.denizen("run", os.fspath(lazy), status=3)
    refused = home.denizen("run", os.fspath(now), status=None)
    assert refused.returncode != 3
    assert "brand_new" in refused.stderr
