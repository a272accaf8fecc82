"""What a user does with a profile, from the first installation to the collection of what was removed."""

import json
import os
import re
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debs import Item, symlink
from tests.support.peers import require
from tests.support.profile_home import ProfileHome

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where root's profile serves others: not in /tmp, where everybody may write."""
    if os.geteuid():
        yield tmp_path_factory.mktemp("profiles")
        return
    with tempfile.TemporaryDirectory(prefix="denizen-test-", dir="/var/lib") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def made(place: Path) -> ProfileHome:
    home = ProfileHome(place)
    home.denizen("install", "greet", "cow")
    return home


@pytest.fixture
def home(made: ProfileHome) -> Iterator[ProfileHome]:
    """With `greet` and `cow` installed, as its only generation."""
    made.denizen("install", "greet", "cow", "--priority", "5")
    yield made
    installed = [one["name"] for one in json.loads(made.denizen("list", "--json").stdout)]
    extra = [name for name in installed if name not in {"greet", "cow"}]
    if extra:
        made.denizen("remove", *extra)
    made.denizen("install", "greet", "cow", "--priority", "5")
    made.denizen("profile", "delete-generations", "old")


def test_a_program_runs_by_its_libraries_and_a_script_in_an_environment(home: ProfileHome) -> None:
    assert home.runs("greet", "one", "two") == (2, f"hello from {home.command_of('greet')}\n")
    assert home.runs("cow", "a", "b c") == (2, "moo\n/usr/bin/cow: a b c\n")
    named = home.root / "state/decisions/with/installed/named"
    commands = {path.name[33:]: path.read_bytes() for path in named.iterdir()}
    assert b"-environment" not in commands["greet"]
    assert b"-fhs" in commands["cow"]


def test_a_start_is_without_python(home: ProfileHome, tmp_path: Path) -> None:
    require("strace")
    for name in ("greet", "cow"):
        log = tmp_path / name
        command: list[str | Path] = ["strace", "-f", "-e", "trace=execve", "-o", log, home.command_of(name)]
        subprocess.run(command, capture_output=True, check=True)
        # Its words may be in an argument: what is executed where the kernel refuses a namespace.
        started = re.findall(r'execve\("([^"]*)"', log.read_text())
        assert 0 < len(started) <= 5
        assert not [path for path in started if "python" in path]


def test_a_command_finds_itself_however_it_is_called(home: ProfileHome, tmp_path: Path) -> None:
    link = tmp_path / "another-name"
    link.symlink_to(home.command_of("greet"))
    script = tmp_path / "script"
    script.write_text(f"#!{home.command_of('greet')}\n")
    script.chmod(0o755)
    for command in ([link], [script]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.startswith("hello from "), done.stderr
    paths = f"{home.profile}/bin:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", "greet"], env={"PATH": paths}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "hello from greet\n"


def test_a_link_to_another_packages_program_is_a_command(home: ProfileHome) -> None:
    home.denizen("install", "mooing")
    assert home.runs("mooing", "x") == (1, "moo\n/usr/bin/mooing: x\n")


@pytest.fixture
def opening(home: ProfileHome) -> ProfileHome:
    """With commands in environments, one of which opens what its package does not depend on."""
    home.add_opener()
    home.set_up("index", "update")
    home.denizen("install", "opener", "opening", "calling")
    return home


def test_what_a_command_opens_and_starts_in_its_environment_comes(opening: ProfileHome) -> None:
    for name, said in (
        ("opener", "42\nbare-name of me\n"),
        ("opening", "42\nbare-name of me\n"),
        ("calling", "bare-name by a shell\n"),
    ):
        for _ in range(2):
            done = subprocess.run(opening.command_of(name), capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, said), done.stderr


def test_what_a_command_could_open_in_its_environment_is_listed(opening: ProfileHome) -> None:
    """Python's ctypes.util.find_library asks so."""
    for name in ("opener", "opening"):
        status, said = opening.runs(name, "list")
        assert status == 0
        assert "libshown.so.1" in said
        assert "libc.so.6" in said


def test_what_came_while_a_command_ran_stays_as_long_as_the_command(opening: ProfileHome) -> None:
    assert opening.runs("opening")[1].startswith("42\n")
    opening.denizen("gc")
    assert any(name.startswith("libshown1") for name in opening.objects())
    assert opening.runs("opening")[1].startswith("42\n")
    opening.denizen("remove", "opener", "opening", "calling")
    opening.denizen("profile", "delete-generations", "old")
    opening.denizen("gc")
    assert not any(name.startswith("libshown1") for name in opening.objects())
    left = opening.root / "state/decisions/with/installed"
    assert not [*(left / "opened").iterdir()]
    assert {path.name[33:] for path in (left / "named").iterdir()} <= {"greet", "cow", "dash", "sh", "cat"}


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_who_may_not_ask_is_not_kept_waiting_for_what_is_not_here(opening: ProfileHome) -> None:
    """What root installed asks root's denizen, whose places others may not use."""
    require("strace")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)  # another user writes into it
        log = Path(name) / "log"
        traced = ("strace", "-f", "-e", "trace=execve", "-o", log)
        # A directory of PATH that may not be entered would end the search.
        words = ("env", "PATH=/usr/bin:/bin", *traced, opening.command_of("calling"))
        done = as_another_user(*words)
        assert (done.returncode, done.stdout) == (127, ""), done.stderr
        assert not [one for one in re.findall(r'execve\("([^"]*)"', log.read_text()) if "python" in one]


def test_a_file_that_a_package_diverts_is_started_as_that_packages_own(home: ProfileHome) -> None:
    own = Item("./usr/bin/cow", content=b"#!/bin/sh\n/usr/bin/cow.plain meow\n", mode=0o755)
    divert = "#!/bin/sh\ndpkg-divert --package cow-ldap --add --rename --divert /bin/cow.plain /usr/bin/cow\n"
    home.add("cow-ldap", [own], preinst=divert, depends="cow")
    home.set_up("index", "update")
    home.set_up("install", "cow-ldap", "--profile", "diverted")
    done = subprocess.run(
        home.profile.with_name("diverted") / "bin/cow", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "moo\n/usr/bin/cow.plain: meow\n"), done.stderr
    home.set_up("profile", "wipe", "--profile", "diverted")


def test_a_configuration_file_that_a_package_installs_by_ucf_is_there(home: ProfileHome) -> None:
    """As R's Renviron: the package has a link to it, and the template."""
    reads = Item("./usr/bin/reader", content=b"#!/bin/sh\ncat /usr/lib/reader/conf\n", mode=0o755)
    template = Item("./usr/lib/reader/conf.ucf", content=b"as shipped\n")
    link = symlink("./usr/lib/reader/conf", "/etc/reader/conf")
    postinst = '#!/bin/sh\nt=$(mktemp)\ncat /usr/lib/reader/conf.ucf > "$t"\nucf "$t" /etc/reader/conf\n'
    home.add("reader", [reads, template, link], postinst=postinst, depends="dash, coreutils")
    home.set_up("index", "update")
    home.set_up("install", "reader", "--profile", "configured")
    done = subprocess.run(
        home.profile.with_name("configured") / "bin/reader", capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "as shipped\n"), done.stderr
    home.set_up("profile", "wipe", "--profile", "configured")


def test_what_a_package_registers_a_program_for_is_started_by_it(home: ProfileHome) -> None:
    """As an executable JAR is by jarwrapper, which binfmt-support registers with a Debian's kernel."""
    declared = b"package oddwrapper\ninterpreter /usr/bin/oddwrapper\nmagic OD\\x44\\x31\n"
    wrapper = b'#!/bin/sh\necho "wrapped $*"\ncat "$1"\n'
    home.add(
        "oddwrapper",
        [
            Item("./usr/bin/oddwrapper", content=wrapper, mode=0o755),
            Item("./usr/share/binfmts/oddwrapper", content=declared),
        ],
        depends="dash, coreutils",
    )
    program = [
        Item("./usr/share/odder/odder.odd", content=b"ODD1 content\n", mode=0o755),
        symlink("./usr/bin/odder", "../share/odder/odder.odd"),
    ]
    home.add("odder", program, depends="oddwrapper")
    home.set_up("index", "update")
    home.set_up("install", "odder")
    assert home.runs("odder", "a", "b") == (0, "wrapped /usr/bin/odder a b\nODD1 content\n")


def test_a_command_whose_libraries_are_not_found_gets_the_packages_themselves(home: ProfileHome) -> None:
    home.add_odd()
    home.set_up("index", "update")
    home.denizen("install", "odd")
    assert home.runs("odd", "x") == (1, f"odd from {home.command_of('odd')}\n")


def test_a_lost_decision_is_made_again_when_the_command_starts(home: ProfileHome) -> None:
    named = home.root / "state/decisions/with/installed/named"
    for path in named.iterdir():
        path.unlink()
    assert home.runs("greet") == (0, f"hello from {home.command_of('greet')}\n")
    assert home.runs("cow") == (0, "moo\n/usr/bin/cow: \n")
    # Of the two commands, and of the shell in the environment of one.
    assert sorted(path.name[33:] for path in named.iterdir()) == ["cow", "dash", "greet"]


def test_the_list_tells_what_is_there_and_where_it_is_from(home: ProfileHome) -> None:
    (cow, greet) = json.loads(home.denizen("list", "--json").stdout)
    assert (cow["name"], greet["name"], greet["version"], greet["commands"]) == (
        "cow",
        "greet",
        "1.0",
        ["greet"],
    )
    assert [one["name"] for one in greet["packages"]][:2] == ["greet", "libgreet1"]
    lines = home.denizen("list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["cow", "1"], ["greet", "1.0"]]


def test_removed_rolled_back_deleted_and_collected(home: ProfileHome) -> None:
    first = home.profile.resolve()
    assert home.denizen("remove", "greet").stdout.splitlines()[0] == "- greet 1.0"
    assert not home.command_of("greet").exists()
    home.denizen("profile", "rollback")
    assert home.profile.resolve() == first
    assert home.runs("greet")[0] == 0
    home.denizen("profile", "rollback", os.readlink(home.profile).split("-")[1])
    home.denizen("remove", "greet")
    home.denizen("gc")
    assert "greet-1.0" in home.objects()
    home.denizen("profile", "delete-generations", "old")
    home.denizen("gc")
    assert not {name for name in home.objects() if name.startswith(("greet", "libgreet"))}
    assert home.runs("cow")[0] == 0


def test_a_running_program_survives_its_removal_and_the_collection(home: ProfileHome) -> None:
    command: list[str | Path] = [home.command_of("greet"), "wait"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stdout.readline().startswith("hello from")
        home.denizen("remove", "greet")
        home.denizen("profile", "delete-generations", "old")
        home.denizen("gc")
        running.stdin.write("\n")
        running.stdin.flush()
        assert running.stdout.readline() == "hello again\n"
    assert running.returncode == 7
    home.denizen("gc")
    assert "greet-1.0" not in home.objects()


def test_installing_again_upgrades(home: ProfileHome) -> None:
    same = home.denizen("install", "greet")
    assert "installed already" in same.stdout
    home.add_greet("2.0", "good day")
    home.set_up("index", "update")
    try:
        assert home.denizen("install", "greet").stdout.splitlines()[0] == "^ greet 1.0 -> 2.0"
        assert home.runs("greet") == (0, f"good day from {home.command_of('greet')}\n")
        history = home.denizen("profile", "diff").stdout
        assert history == "^ greet 1.0 -> 2.0\n"
        home.denizen("profile", "rollback")
        assert home.runs("greet") == (0, f"hello from {home.command_of('greet')}\n")
        assert home.denizen("install", "greet=1.0").returncode == 0
    finally:
        for path in home.debs.glob("*_2.0_*"):
            path.unlink()
        home.set_up("index", "update")


def test_the_command_of_an_appimage_is_named_without_its_suffix(home: ProfileHome, tmp_path: Path) -> None:
    tool = tmp_path / "Tool.AppImage"
    tool.write_text("#!/bin/sh\necho tool\n")  # no program of denizen's own asks what it is
    home.set_up("install", tool, "--profile", "apps")
    said = subprocess.check_output([home.profile.with_name("apps") / "bin/Tool"], text=True)
    assert said == "tool\n"
    assert home.denizen("remove", "Tool.AppImage", "--profile", "apps").stdout.startswith("- Tool.AppImage")
    home.set_up("profile", "wipe", "--profile", "apps")


def test_variables_of_a_named_profile_that_has_nothing_come_with_a_word(home: ProfileHome) -> None:
    said = home.denizen("env", "--profile", "mistyped")
    assert "there is nothing in the profile" in said.stderr
    assert said.stdout.startswith("export PATH=")


def test_a_conflict_is_told_and_settled_by_the_command_that_is_told(
    home: ProfileHome, tmp_path: Path
) -> None:
    rival = tmp_path / "a rival" / "bin" / "greet"
    rival.parent.mkdir(parents=True)
    rival.write_text("#!/bin/sh\necho rival\n")
    rival.chmod(0o755)
    place = os.fspath(rival.parent.parent)
    said = home.denizen("install", place, status=125).stderr
    assert "a rival conflicts with greet, which is installed" in said
    assert "bin/greet" in said
    assert f"install --priority 4 '{place}' takes the files of a rival" in said
    home.denizen("install", "--priority", "4", place)
    assert home.runs("greet") == (0, "rival\n")
    home.denizen("remove", "a rival")
    assert home.runs("greet")[1].startswith("hello")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["install", "gret"], "greet"),
        (["install", "greet=9"], "there are: 1.0"),
        (["remove", "gret"], "perhaps greet"),
        (["install", "./nothing-here"], "there is no such file"),
        (["install", "/etc/passwd"], "neither executable, nor ELF, nor a script"),
        (["install", "https://example.org/tool"], "wants --sha256\n"),
        (["install", "https://example.org/tool", "--sha256", "zz"], "--sha256 wants 64 hexadecimal digits"),
        (["install", "greet", "--sha256", "0" * 64], "--sha256 is for a URL, and greet is none"),
        (["install", "https://example.org/..", "--sha256", "0" * 64], ".. cannot be the name"),
        (
            ["install", "https://example.org/x", "--sha256", "0" * 64, "--name", "../../x"],
            "cannot be the name",
        ),
        (["install", "greet", "--name", "a\nb"], "a\\nb cannot be the name"),
        (["install", "libgreet1"], "nothing that a profile shows"),
        (["profile", "switch", "999"], "there are:"),
        (["profile", "rollback", "--profile", "none"], "no generation yet"),
        (["install", "greet", "--profile", "-x"], "cannot be called"),
        (["profile", "delete-generations", "lately"], "selects no generations"),
    ],
)
def test_a_mistake_changes_nothing_and_is_explained(home: ProfileHome, words: list[str], said: str) -> None:
    before = os.readlink(home.profile)
    done = home.denizen(*words, status=None)
    assert done.returncode == (2 if "--sha256 " in said else 125)
    assert said in done.stderr
    assert "internal error" not in done.stderr
    assert os.readlink(home.profile) == before


def test_profiles_are_apart_and_may_be_anywhere(home: ProfileHome, tmp_path: Path) -> None:
    place = tmp_path / "my" / "tools"
    home.denizen("install", "greet", "--profile", place)
    home.denizen("install", "cow", "--profile", "work")
    assert [path.name for path in (place / "bin").iterdir()] == ["greet"]
    names = {line.split()[0] for line in home.denizen("profile", "list").stdout.splitlines()}
    assert names == {"profile", "work"}
    home.denizen("gc")
    assert subprocess.run([place / "bin" / "greet"], capture_output=True, check=True).stdout.startswith(
        b"hello"
    )
    home.denizen("profile", "wipe", "--profile", place)
    home.denizen("profile", "wipe", "--profile", "work")
    assert not os.path.lexists(place)


def test_a_pinned_package_says_so(home: ProfileHome) -> None:
    pinned = home.denizen("pin", "greet", "--json").stdout
    assert json.loads(pinned) == [{"name": "greet", "pinned": True}]
    assert "pinned" in home.denizen("list").stdout
    home.denizen("unpin", "greet")
    assert "pinned" not in home.denizen("list").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_what_root_installs_in_an_environment_runs_for_everybody(home: ProfileHome) -> None:
    done = as_another_user(home.command_of("cow"))
    assert done.stdout.startswith("moo"), done.stderr


def as_another_user(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        user=12345,
        group=12345,
        extra_groups=[],
        cwd="/",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_what_root_installs_with_packages_libraries_runs_for_everybody(home: ProfileHome) -> None:
    """Inside the user namespace that others need, root's files are nobody's."""
    greet = home.command_of("greet")
    # What another test decided about the other version, which has the same build-id.
    for path in (home.root / "state/decisions/with/installed").rglob("*-*"):
        if path.is_file():
            path.unlink()
    assert home.runs("greet")[0] == 0
    assert as_another_user(greet).stdout == f"hello from {greet}\n"
    # Another link to the program's file, as an environment makes one, changes the file's identity.
    program = (greet.resolve().parent.parent / "programs" / "greet").resolve()
    os.link(program, home.root / "another")
    done = as_another_user(greet)
    assert (done.stdout, done.stderr) == (f"hello from {greet}\n", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_what_root_installs_runs_for_everybody_where_root_ran_programs_before(home: ProfileHome) -> None:
    decisions = home.root / "state" / "decisions"
    for place in (decisions, decisions / "with"):
        place.chmod(0o700)  # as a start makes them
    home.denizen("install", "mooing")
    assert as_another_user(home.command_of("mooing"), "x").stdout == "moo\n/usr/bin/mooing: x\n"
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (decisions, decisions / "with")]
    assert modes == [0o711, 0o711]


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_what_root_installs_runs_where_others_get_no_namespaces(home: ProfileHome) -> None:
    greet = home.command_of("greet")
    require("unshare", "setpriv")
    script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-sys_admin "$@"'
    around = ("unshare", "--user", "--map-root-user", "sh", "-c", script, "sh")
    done = as_another_user(*around, greet, "one")
    assert (done.returncode, done.stdout, done.stderr) == (1, f"hello from {greet}\n", "")
    done = as_another_user(*around, home.command_of("cow"))
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr.startswith("denizen: no namespace: ")
    assert done.stderr.count("\n") == 1


def test_it_works_offline_with_what_is_here(home: ProfileHome) -> None:
    home.denizen("remove", "greet")
    home.denizen("install", "greet", "--offline")
    assert home.runs("greet")[0] == 0


def test_a_moved_store_still_runs(home: ProfileHome, tmp_path: Path) -> None:
    old = home.root / "data" / "store"
    home.denizen("store", "move", tmp_path / "elsewhere")
    try:
        assert home.runs("greet") == (0, f"hello from {home.command_of('greet')}\n")
        assert home.runs("cow")[0] == 0
    finally:
        home.denizen("store", "move", old)
    assert home.runs("greet")[0] == 0
