"""Commands about what could be installed, or upgraded; and a profile by a file."""

import json
import os
import pty
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.profile_home import ProfileHome

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ProfileHome:
    home = ProfileHome(tmp_path_factory.mktemp("upgrades"))
    for name in ("moo-one", "moo-two"):
        tool = Item("./usr/bin/moo", content=f"#!/bin/sh\necho {name}\n".encode(), mode=0o755)
        home.add(name, [tool], depends="dash")
    # What is in which package is looked up by the first command that asks; an installation does not.
    home.denizen("find", "/usr/bin/moo")
    home.denizen("install", "greet", "cow")
    return home


@pytest.fixture
def home(made: ProfileHome) -> Iterator[ProfileHome]:
    yield made
    made.denizen("install", "greet", "cow")


@pytest.fixture
def newer(home: ProfileHome) -> Iterator[ProfileHome]:
    """With version 2.0 of `greet` in the index."""
    home.add_greet("2.0", "good day")
    home.set_up("index", "update")
    yield home
    for path in home.debs.glob("*_2.0_*"):
        path.unlink()
    home.set_up("index", "update")


def test_nothing_is_outdated_where_nothing_is_newer(home: ProfileHome) -> None:
    assert home.denizen("outdated").stdout == ""
    before = os.readlink(home.profile)
    assert "the newest there is" in home.denizen("upgrade").stdout
    assert os.readlink(home.profile) == before


def test_what_is_newer_is_told_and_brought(newer: ProfileHome) -> None:
    lines = newer.denizen("outdated").stdout.splitlines()
    assert lines == ["greet 1.0 -> 2.0", "  libgreet1 1.0 -> 2.0"]
    newer.denizen("pin", "greet")
    assert "(pinned)" in newer.denizen("outdated").stdout
    assert "the newest there is" in newer.denizen("upgrade").stdout
    said = newer.denizen("upgrade", "greet", status=125).stderr
    assert f"denizen --root {newer.root} unpin greet" in said
    newer.denizen("unpin", "greet")
    assert newer.denizen("upgrade").stdout.splitlines()[0] == "^ greet 1.0 -> 2.0"
    assert newer.runs("greet")[1].startswith("good day")


def test_a_newer_library_alone_is_an_upgrade_too(home: ProfileHome) -> None:
    home.add("libgreet1", version="1.0+fixed")
    home.set_up("index", "update")
    (home.debs / "libgreet1_1.0+fixed_amd64.deb").unlink()
    home.set_up("index", "update")
    assert home.denizen("outdated").stdout == ""


def test_a_search_finds_by_name_description_and_command(home: ProfileHome) -> None:
    rows = json.loads(home.denizen("search", "moo", "--json").stdout)
    assert {row["name"] for row in rows} == {"moo-one", "moo-two", "mooing"}
    assert rows[0]["summary"] == "made for a test"
    assert home.denizen("search", "gree", "test").stdout.splitlines()[0].startswith("greet ")
    assert home.denizen("search", "nonsense-word", status=127).stdout == ""


def test_words_that_are_no_text_name_no_package(home: ProfileHome) -> None:
    """A name of a file in another encoding, which a shell's pattern put there."""
    assert "internal error" not in home.denizen("search", "\udcff", status=127).stderr
    for words in (
        ("install", "\udcff"),
        ("x", "--from", "\udcff", "greet"),
        ("fhs", "create", "a", "\udcff"),
    ):
        assert "no package" in home.denizen(*words, status=125).stderr


def test_a_command_runs_without_being_installed(home: ProfileHome) -> None:
    home.denizen("remove", "cow")
    before = os.readlink(home.profile)
    done = home.denizen("x", "cow", "a", "b", status=2)
    assert done.stdout == "moo\n/usr/bin/cow: a b\n"
    assert home.denizen("x", "--offline", "cow", status=0).stdout == "moo\n/usr/bin/cow: \n"
    assert os.readlink(home.profile) == before
    home.denizen("gc")
    assert home.denizen("x", "cow", "again", status=1).stdout.endswith("again\n")


@pytest.mark.parametrize(("options", "directory"), [((), "tried"), (("--offline",), "tried-offline")])
def test_what_was_tried_goes_when_it_is_not_used(
    home: ProfileHome, options: tuple[str, ...], directory: str
) -> None:
    home.denizen("x", *options, "--from", "moo-one", "moo")
    home.denizen("gc")
    assert any(name.startswith("moo-one") for name in home.objects())
    os.utime(home.root / "state" / directory / "moo", (1, 1), follow_symlinks=False)
    home.denizen("gc")
    assert not any(name.startswith("moo-one") for name in home.objects())


def test_the_time_after_which_what_was_tried_goes_can_be_said(home: ProfileHome) -> None:
    home.denizen("x", "--from", "moo-one", "moo")
    two_days_ago = time.time() - 2 * 86400
    os.utime(home.root / "state" / "tried" / "moo", (two_days_ago, two_days_ago), follow_symlinks=False)
    home.denizen("gc", "--older-than", "3d")
    assert (home.root / "state" / "tried" / "moo").is_symlink()
    home.denizen("gc", "--older-than", "1d")
    assert not (home.root / "state" / "tried" / "moo").is_symlink()


def test_a_tie_is_told_with_the_choices(home: ProfileHome) -> None:
    (home.root / "state" / "tried" / "moo").unlink(missing_ok=True)
    said = home.denizen("x", "moo", status=127).stderr
    assert "moo-one, moo-two" in said
    assert f"denizen --root {home.root} x --from moo-one moo" in said
    assert home.denizen("x", "--from", "moo-two", "moo").stdout == "moo-two\n"


def test_a_command_that_only_a_script_links_comes_by_the_package_of_its_name(home: ProfileHome) -> None:
    program = Item("./usr/bin/baa-baa", content=b'#!/bin/sh\necho "baa $*"\n', mode=0o755)
    script = "update-alternatives --install /bin/baa baa /bin/baa-baa 5\n"
    home.add("baa", [program], postinst=script, depends="dash")
    home.set_up("index", "update")
    assert home.denizen("x", "baa", "black", "sheep").stdout == "baa black sheep\n"


def test_a_package_without_commands_has_those_of_what_it_depends_on(home: ProfileHome) -> None:
    """As default-jre-headless, of whose source java-common has a command that is not Java."""
    java = Item("./usr/lib/jvm/one/bin/neigh", content=b"#!/bin/sh\necho neigh\n", mode=0o755)
    home.add("horse-one", [java], depends="dash")
    tool = Item("./usr/bin/update-horses", content=b"#!/bin/sh\necho updated\n", mode=0o755)
    home.add("horse-common", [tool], source="horses", depends="dash")
    home.add("default-horse", source="horses", depends="horse-common, horse-one")
    home.set_up("index", "update")
    home.denizen("install", "default-horse", "--profile", "horses")
    commands = home.root / "state/profiles/horses/bin"
    assert sorted(os.listdir(commands)) == ["neigh", "update-horses"]
    assert subprocess.check_output([commands / "neigh"], text=True) == "neigh\n"


def test_at_a_terminal_one_is_asked(home: ProfileHome) -> None:
    (home.root / "state" / "tried" / "moo").unlink(missing_ok=True)
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        home.command("x", "moo"), stdin=terminal, stderr=terminal, stdout=subprocess.PIPE, text=True
    ) as running:
        os.close(terminal)
        shown = b""
        while b"which?" not in shown:
            shown += os.read(controller, 1000)
        os.write(controller, b"2\n")
        assert running.communicate()[0] == "moo-two\n"
    os.close(controller)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["x", "cwo"],
            "no package has a command cwo\n  near: cow (cow)\n  try: denizen --root {root} x cow\n",
        ),
        (["x", "moon"], "near: moo (moo-"),
        (["x", "greeter"], "packages with such names: greet"),
        (["command-not-found", "cwo"], "cwo: command not found\nnear: cow (cow)\n"),
        (["x", "--from", "greet", "cow"], "it has greet"),
        (["x", "../../bin/sh"], "no package has a command"),
    ],
)
def test_what_is_no_command_ends_as_in_a_shell(home: ProfileHome, words: list[str], said: str) -> None:
    assert said.format(root=home.root) in home.denizen(*words, status=127).stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_says_who_has_a_command(home: ProfileHome, shell: str, tmp_path: Path) -> None:
    hook = home.denizen("command-not-found", "--hook", shell).stdout
    program = tmp_path / "denizen"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, home.command()))} "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    try:
        done = subprocess.run(
            [shell, "-c", f"{hook}\nmoo"], capture_output=True, text=True, check=False, env=environment
        )
    except FileNotFoundError:
        pytest.skip(f"there is no {shell} here")
    assert done.returncode == 127
    assert "it is in moo-one, moo-two" in done.stderr


def test_env_makes_a_shell_find_commands_and_pages(home: ProfileHome) -> None:
    lines = home.denizen("env", "--shell", "sh").stdout
    done = subprocess.run(
        ["sh", "-c", f'{lines}\ngreet; echo "$MANPATH"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"hello from greet\n{home.profile}/share/man:\n"


def test_a_profile_becomes_what_the_file_says_and_the_lock_repeats_it(
    home: ProfileHome, tmp_path: Path
) -> None:
    (tmp_path / "denizen.toml").write_text('[profile]\nname = "synced"\npackages = ["greet", "moo-one"]\n')
    file = ("--file", tmp_path / "denizen.toml")
    home.denizen("install", "cow", "--profile", "synced")
    said = home.denizen("sync", *file).stdout.splitlines()
    assert [line for line in said if line[0] in "+-"] == ["- cow 1", "+ greet 1.0", "+ moo-one 1"]
    first = (home.root / "state/profiles/synced").resolve()
    assert "what the file says" in home.denizen("sync", *file).stdout
    home.add_greet("2.0", "good day")
    home.set_up("index", "update")
    try:
        home.denizen("profile", "wipe", "--profile", "synced")
        home.denizen("sync", *file)
        assert (home.root / "state/profiles/synced").resolve() == first
        assert "^ greet 1.0 -> 2.0" in home.denizen("sync", "--update", *file).stdout
    finally:
        for path in home.debs.glob("*_2.0_*"):
            path.unlink()
        home.set_up("index", "update")
