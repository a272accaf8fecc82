"""The script that activates without denizen does as denizen does: compared file by file."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from denizen.app.system.system_switch import built
from denizen.system.system_scripts import init_script
from tests.support.peers import require
from tests.support.read_only_trees import delete
from tests.support.syscall_faults import directory_in_memory
from tests.support.system_profiles import REQUEST, SystemHome

FIRST = """
[etc.motd]
text = "one"
[etc."app/app.conf"]
text = "answer"
mode = "0600"
[etc.hosts]
text = "ours"
"""
SECOND = '[etc.motd]\ntext = "two"\n[etc."ne w/x"]\ntext = "y"\n'


@pytest.fixture
def home() -> Iterator[SystemHome]:
    with directory_in_memory() as directory:
        home = SystemHome(directory)
        home.etc.mkdir(parents=True)
        (home.etc / "hosts").write_text("theirs")
        yield home
        delete(directory)
        directory.mkdir()


def activate(home: SystemHome, text: str, *shell: str) -> None:
    tree = os.fsdecode(built(home.access, home.spec(text), REQUEST))
    words = [*shell, f"{tree}/activate", str(home.target)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if os.geteuid() == 0 or "you are not root" not in line]
    assert (done.returncode, said) == (0, [])


def state(home: SystemHome) -> dict[str, str | int]:
    """Links, contents and modes of /etc without the names of views."""
    found: dict[str, str | int] = {}
    for path in sorted(home.etc.rglob("*")):
        name = str(path.relative_to(home.etc))
        parts = name.split("/")
        if parts[:2] == [".denizen", "views"] and len(parts) > 2:
            parts[2] = "V" + parts[2].partition(".")[1] + parts[2].partition(".")[2]
            name = "/".join(parts)
        if path.is_symlink():
            found[name] = os.readlink(path) if name != "static" else "V"
        elif path.is_file():
            found[name] = "".join(sorted(path.read_text().splitlines(keepends=True)))
            found[name + " mode"] = path.stat().st_mode
    return found


@pytest.mark.peer
@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh")], ids=["dash", "busybox"])
def test_the_script_makes_what_a_switch_makes(home: SystemHome, shell: tuple[str, ...]) -> None:
    require(shell[0])
    home.switch(FIRST)
    by_denizen = state(home)
    home.switch("")
    activate(home, FIRST, *shell)
    assert state(home) == by_denizen
    # From one to another, by the script, then by denizen from what the script left.
    activate(home, SECOND, *shell)
    assert home.seen() == {"motd": "two", "ne w/x": "y", "hosts": "theirs"}
    after_script = state(home)
    assert home.switch(SECOND).plan.etc.added == ()
    assert state(home) == after_script
    home.switch("")
    assert home.seen() == {"hosts": "theirs"}


def test_an_interrupted_activation_is_ended_by_the_script(home: SystemHome) -> None:
    home.switch(FIRST)
    record = next((home.etc / ".denizen/views").glob("*.record"))
    record.write_text(record.read_text() + "added gone\n")
    (home.etc / "gone").symlink_to("static/gone")
    (home.etc / ".denizen/kept/gone").write_text("kept")
    activate(home, SECOND, "sh")
    assert home.seen() == {"motd": "two", "ne w/x": "y", "hosts": "theirs", "gone": "kept"}


def test_a_static_of_another_program_is_left_alone(home: SystemHome) -> None:
    tree = os.fsdecode(built(home.access, home.spec(FIRST), REQUEST))
    (home.etc / "static").symlink_to("/nix/store/x")
    done = subprocess.run(
        ["sh", f"{tree}/activate", str(home.target)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "is not denizen's" in done.stderr


def test_init_ends_in_the_first_process_or_a_shell() -> None:
    assert init_script("/bin/sh", "/sbin/init").endswith(b"exec /sbin/init\n")
    script = init_script("/store/busybox sh", "")
    assert script.startswith(b"#!/store/busybox sh\n")
    assert b"--install -s /run/denizen/bin" in script
    assert script.endswith(b"exec /store/busybox sh\n")
