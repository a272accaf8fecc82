"""What bundles unpacked themselves to is collected by the rules of their launcher."""

import os
import re
import secrets
import time
from pathlib import Path

import pytest

from denizen.app.bundles import unpacked_bundles
from denizen.app.bundles.unpacked_bundles import PLACES, collect_unpacked, is_used, unpacked_places
from denizen.app.retention import UNUSED_FOR
from denizen.app.session import Session
from denizen.cli.commands.bundle import COMMANDS
from denizen.disk import make_directories
from tests.support.command_context import context_of

REPOSITORY = Path(__file__).parents[3]
# No process of another test may have such names in its paths.
OLD, NEW, USED = (secrets.token_hex(20) for _ in range(3))
LEFT, FRESH = (f".{secrets.token_hex(20)}.{number}" for number in (123, 124))


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr(unpacked_bundles, "PLACES", PLACES[:3])
    return context_of({"HOME": str(tmp_path)}, None).session


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A place with directories of which two were not used for long, and others."""
    place = tmp_path / ".cache" / "denizen" / "bundles"
    make_directories(bytes(place))  # with modes that the collection believes, whatever the umask
    before = time.time() - UNUSED_FOR - 100
    for name in (OLD, NEW, USED, LEFT, FRESH, "notes", "f" * 41):
        (place / name / "bundle").mkdir(parents=True)
        (place / name).chmod(0o755)
        (place / name / "bundle" / "program").write_bytes(bytes(5000))
        if name not in (NEW, FRESH):
            os.utime(place / name, (before, before))
    return place


def names(place: Path) -> set[str]:
    return {one.name for one in place.iterdir()}


def test_what_no_start_used_for_long_and_no_process_uses_goes(session: Session, place: Path) -> None:
    with open(place / USED / "bundle" / "program", "rb"):
        counted = collect_unpacked(session, UNUSED_FOR, keep=True)
        assert names(place) == {OLD, NEW, USED, LEFT, FRESH, "notes", "f" * 41}
        done = collect_unpacked(session, UNUSED_FOR, keep=False)
    assert names(place) == {NEW, USED, FRESH, "notes", "f" * 41}
    assert counted.count == done.count == 1
    assert counted.size >= done.size > 5000
    collect_unpacked(session, UNUSED_FOR, keep=False)
    assert names(place) == {NEW, FRESH, "notes", "f" * 41}


def test_a_process_that_works_in_a_directory_uses_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_used(os.fsencode(place / OLD))
    monkeypatch.chdir(place / OLD / "bundle")
    assert is_used(os.fsencode(place / OLD))


def test_what_others_may_write_to_is_left_alone(session: Session, place: Path) -> None:
    (place / OLD).chmod(0o777)
    assert collect_unpacked(session, UNUSED_FOR, keep=False).count == 1
    assert OLD in names(place)
    (place / OLD).chmod(0o755)
    place.chmod(0o777)
    assert collect_unpacked(session, UNUSED_FOR, keep=False).count == 0


def test_a_link_is_not_followed(session: Session, place: Path, tmp_path: Path) -> None:
    elsewhere = place.rename(tmp_path / "elsewhere")
    place.symlink_to(elsewhere)
    assert collect_unpacked(session, UNUSED_FOR, keep=False).count == 0


def test_with_a_root_of_its_own_nothing_outside_is_touched(place: Path, tmp_path: Path) -> None:
    apart = context_of({"HOME": str(tmp_path)}, str(tmp_path / "root")).session
    assert collect_unpacked(apart, UNUSED_FOR, keep=False).count == 0
    assert OLD in names(place)


def test_the_launcher_and_the_documents_have_the_same_places() -> None:
    source = (
        (REPOSITORY / "loader/unpack/cache.c").read_text().partition("} PLACES[] = {\n")[2].partition("};")[0]
    )
    assert re.findall(r'\{"(.*)", "(.*)"\},\n', source) == list(PLACES)
    said = [start.replace("$HOME", "~/.cache").lstrip("$") for start, _ in PLACES]
    assert ", ".join(said) in (REPOSITORY / "docs/bundle.md").read_text().replace("\n", " ")
    (command,) = COMMANDS
    assert f"{', '.join(said[:-1])} or {said[-1]}" in command.description


def test_the_launcher_keeps_what_nobody_uses_as_long() -> None:
    source = (REPOSITORY / "loader/unpack/collect.c").read_text()
    (days,) = re.findall(r"UNUSED = (\d+) \* 24 \* 3600;", source)
    assert int(days) * 86_400 == UNUSED_FOR


def test_the_places_are_those_of_the_launcher() -> None:
    environ = {"XDG_CACHE_HOME": "/x", "HOME": "/", "TMPDIR": "relative"}
    own = f"denizen-{os.geteuid()}"
    assert unpacked_places(context_of(environ, None).session) == tuple(
        place.encode() + b"/bundles"
        for place in ("/x/denizen", "/.cache/denizen", f"/var/tmp/{own}", f"/tmp/{own}", f"/dev/shm/{own}")
    )
