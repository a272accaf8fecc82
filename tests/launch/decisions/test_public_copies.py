"""What root decides is for all users where they may use what it names, and no longer than that."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from denizen.disk_view import DiskView
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.decision_codec import decode
from denizen.launch.decisions.program_identity import identity_name, identity_of
from denizen.launch.decisions.public_copies import public_directory, publish


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that all can reach, as pytest's own is not; and root's number."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with TemporaryDirectory(dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


def decision_about(program: Path) -> Decision:
    program.parent.mkdir(exist_ok=True)
    program.parent.chmod(0o755)  # whatever the umask of the tests
    program.write_text("")
    program.chmod(0o755)
    libraries = program.parent.parent / "libraries"
    libraries.mkdir()
    libraries.chmod(0o755)
    return Decision(
        identity=identity_of(DiskView().stat(os.fsencode(program))),
        headers=bytes(16),
        machine=1,
        ldso=b"/ld.so",
        search=os.fsencode(libraries),
        program=os.fsencode(program),
        command=(b"/tools/enter", b"secret"),
        shown=b"/home/me/program",
        resources=b"/root/state/resources",
        opened=b"/root/state/opened",
    )


def copies(place: Path) -> list[str]:
    public = Path(os.fsdecode(public_directory(os.fsencode(place / "decisions"))))
    return sorted(os.listdir(public)) if public.is_dir() else []


def test_a_copy_says_how_to_start_it_and_nothing_of_roots_directories(place: Path) -> None:
    decision = decision_about(place / "bin/program")
    publish(os.fsencode(place / "decisions"), decision, movable=False)
    name = identity_name(decision.identity)
    assert copies(place) == [os.fsdecode(name)]
    (public,) = (place / "public").iterdir()
    copy = decode(public.read_bytes())
    assert (copy.command, copy.shown, copy.resources, copy.opened) == ((), b"", b"", b"")
    assert copy.program == decision.program


@pytest.mark.parametrize("closed", ["bin/program", "bin", "libraries"])
def test_what_others_may_not_use_is_not_told_them_any_more(place: Path, closed: str) -> None:
    decision = decision_about(place / "bin/program")
    directory = os.fsencode(place / "decisions")
    publish(directory, decision, movable=False)
    (place / closed).chmod(0o750)
    publish(directory, decision, movable=False)
    assert copies(place) == []
