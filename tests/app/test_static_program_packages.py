"""What comes for a static program that looks for files, and what stays away."""

import os
from pathlib import Path

import pytest

from denizen.app.session import Session
from denizen.app.start_request import RunRequest
from denizen.app.static_program_packages import with_files
from denizen.disk_view import DiskView
from denizen.elf.constants import ET_EXEC, PT_LOAD
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.program import open_program
from denizen.resolve.rule_packs import Resource
from denizen.sources.base import Progress, SilentTransfer
from tests.support.debs import Item
from tests.support.elf_builder import Elf, build
from tests.support.offline_roots import LDSO, DenizenHome

_LARGE = 1_200_000


def rule(*packages: bytes) -> Resource:
    return Resource("made", frozenset(), (b"/etc/made",), frozenset(), (), packages, "so", (b"/etc/made",))


@pytest.fixture(autouse=True)
def has_few_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the host be one for which an index is made."""
    monkeypatch.setattr("denizen.app.static_program_packages.brings_commands", lambda _view: True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    made = DenizenHome(tmp_path_factory.mktemp("home"))
    made.write("small", [Item("./etc/made", content=b"x")], architecture="all")
    # Does not compress.
    made.write("large", [Item("./etc/large", content=os.urandom(_LARGE))], architecture="all")
    (made.root / "config").mkdir(exist_ok=True)
    (made.root / "config" / "budget").write_text("1")
    return made


class Listening:
    """A reporter that keeps the sentences."""

    is_verbose = False

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, text: str) -> None:
        self.sentences.append(text)

    def transfers(self) -> Progress:
        return SilentTransfer()

    def leave(self) -> None:
        """Nothing is left."""

    def quieter(self) -> "Listening":
        return self


class Bringing:
    """One program and what is brought for it."""

    def __init__(self, home: DenizenHome) -> None:
        self.told = Listening()
        self.session = Session(dict(os.environ), os.fspath(home.root), self.told)
        path = home.work / "static"
        path.write_bytes(Path("/proc/self/exe").read_bytes())
        self.before = decision_of_host(open_program(DiskView(), os.fsencode(path)))

    def decision(self, *packages: bytes, wanted: RunRequest | None = None) -> Decision:
        decision_store = variant(self.session.paths.decisions, b"")
        return with_files(
            self.session, wanted or RunRequest(), decision_store, self.before, (rule(*packages),)
        )


@pytest.fixture
def bringing(home: DenizenHome) -> Bringing:
    return Bringing(home)


def test_the_tree_of_a_package_is_in_the_store_and_kept(home: DenizenHome, bringing: Bringing) -> None:
    (tree,) = bringing.decision(b"small", b"nobody").objects
    assert Path(os.fsdecode(tree), "etc/made").read_bytes() == b"x"
    home.denizen("gc")
    assert os.path.exists(tree)


def test_what_exceeds_the_budget_stays_away_and_is_told(bringing: Bringing) -> None:
    assert len(bringing.decision(b"large", b"small").objects) == 1
    assert "denizen: large is not brought: it is 1 MB, of a budget of 1 MB" in bringing.told.sentences


def test_with_a_lock_what_it_has_comes_and_nothing_else(home: DenizenHome, bringing: Bringing) -> None:
    home.write("tzdata", [Item("./usr/share/zoneinfo/UTC", content=b"x")], architecture="all")
    home.denizen("index", "update")
    path, lock = home.work / "static", home.work / "lock"
    path.write_bytes(build(Elf(type=ET_EXEC, dynamic=False, segments=((PT_LOAD, b"/usr/share/zoneinfo/"),))))
    said = home.denizen("lock", os.fspath(path), "-o", os.fspath(lock)).stderr
    assert "1 package, of files alone: " in said
    (tree,) = bringing.decision(b"small", wanted=RunRequest(lock=os.fspath(lock))).objects
    assert tree.endswith(b"-tzdata-1.0-1")
    for other in (
        Elf(type=ET_EXEC, dynamic=False),
        Elf(interpreter=os.fsencode(LDSO), needed=(b"libgreet.so.1",)),
    ):
        path.write_bytes(build(other))
        home.denizen("lock", os.fspath(path), "-o", os.fspath(lock))
        assert bringing.decision(b"small", wanted=RunRequest(lock=os.fspath(lock))) == bringing.before
    assert bringing.told.sentences[-1].endswith(f"the lock file is not for {path}")


def test_where_there_is_no_index_it_starts_without_and_the_next_does_not_ask(tmp_path: Path) -> None:
    home = DenizenHome(tmp_path)
    home.write("small", [Item("./etc/made", content=b"x")], architecture="all")
    away = home.debs.rename(tmp_path / "away")
    bringing = Bringing(home)
    assert bringing.decision(b"small") == bringing.before
    assert bringing.told.sentences[-1].startswith("denizen: it starts without /etc/made: ")
    away.rename(home.debs)
    assert bringing.decision(b"small") == bringing.before
    assert bringing.told.sentences[-1].endswith("could not be reached a while ago")
    os.utime(home.root / "cache" / "unreached", (0, 0))
    assert len(bringing.decision(b"small").objects) == 1


def test_on_a_host_with_commands_of_its_own_no_index_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bringing = Bringing(DenizenHome(tmp_path))
    monkeypatch.setattr("denizen.app.static_program_packages.brings_commands", lambda _view: False)
    assert bringing.decision(b"small") == bringing.before
    assert bringing.told.sentences == []
    assert not (tmp_path / "root" / "cache" / "index").exists()
