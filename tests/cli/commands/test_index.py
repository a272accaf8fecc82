"""`denizen index` as a process of its own: what it says, and that nothing that happens harms the index."""

import json
import re
import resource
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.debian_archive import package_paragraph, sample
from tests.support.faulty_server import Fault
from tests.support.processes import PATIENCE
from tests.support.served_archives import ServedArchive, interrupt, served

LATER = "Sun, 12 Jul 2026 10:16:37 UTC"
MANY = [package_paragraph(f"p{number}", Depends="libc6 (>= 2.38)") for number in range(3000)]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ServedArchive]:
    with served(tmp_path) as made:
        yield made


def owner(here: ServedArchive) -> str:
    found = json.loads(here.run("find", "--json", "--offline", "--arch", "amd64", "libssl.so.3")[0])
    return str(found[0]["package"]) + " " + str(found[0]["version"])


def update(here: ServedArchive, *options: str, status: int = 0) -> tuple[str, str]:
    return here.run("index", "update", "--arch", "amd64", *options, status=status)


def test_an_update_tells_what_it_fetches_and_what_it_found(here: ServedArchive) -> None:
    stdout, stderr = update(here)
    assert stdout == "debian/trixie for amd64: of 2026-07-11\n"
    assert "to fetch:" in stderr
    assert "for trixie" in stderr
    assert update(here)[0] == "debian/trixie for amd64: nothing new since 2026-07-11\n"
    sample(here.archive, date=LATER, packages=[package_paragraph("libc6", "2.41-13")])
    assert update(here)[0] == "debian/trixie for amd64: of 2026-07-12; packages: 1 changed, 3 gone\n"


def test_json_has_the_documented_fields(here: ServedArchive) -> None:
    (outcome,) = json.loads(update(here, "--json")[0])
    assert set(outcome) == {
        "source", "asked", "suite", "arch", "snapshot", "changed", "packages", "failure", "notes",
    }  # fmt: skip
    assert (outcome["asked"], outcome["suite"], outcome["changed"]) == ("stable", "trixie", True)
    (entry,) = json.loads(here.run("index", "status", "--json")[0])
    assert set(entry) == {
        "source", "asked", "suite", "arch", "snapshot", "date", "checked", "age", "packages", "libraries",
        "paths", "bytes", "used",
    }  # fmt: skip
    assert (entry["asked"], entry["packages"], entry["paths"]) == (["stable"], 4, None)
    assert entry["snapshot"] == outcome["snapshot"]


def test_status_says_what_there_is(here: ServedArchive) -> None:
    assert "no index yet" in here.run("index", "status")[0]
    update(here, "--paths")
    (line,) = here.run("index", "status")[0].splitlines()
    assert line.startswith(
        "debian/trixie amd64 (stable): of 2026-07-11, checked less than a minute ago, 4 packages"
    )
    assert "5 paths" in line


def find(here: ServedArchive, *options: str, status: int = 0) -> tuple[list[object], str]:
    words = ("find", "--json", *options, "--arch", "amd64", "libssl.so.3")
    stdout, stderr = here.run(*words, status=status)
    return json.loads(stdout), stderr


@pytest.mark.parametrize("provenance", ["", "provenance: 0123456789abcdef\n"], ids=["older", "another"])
def test_an_index_is_used_while_its_source_means_the_same_packages(
    here: ServedArchive, provenance: str
) -> None:
    """An older denizen took a vendor's repository for Debian's if its suite was called so."""
    update(here)
    manifest = next(here.root.rglob("manifest"))
    text = "".join(line for line in manifest.read_text().splitlines(True) if "provenance" not in line)
    # A vendor's Release may be newer, which is no reason to refuse the archive's.
    older = re.sub(r"date: \d+", "date: 1999999999", text) + provenance
    manifest.write_text(older)
    assert find(here, "--offline", status=125)[0] == []
    (entry,) = json.loads(here.run("index", "status", "--json")[0])
    assert entry["used"] is False
    assert "not used before 'denizen index update'" in here.run("index", "status")[0]
    found, stderr = find(here)
    assert len(found) == 1
    assert "from an older denizen or another source" in stderr
    (entry,) = json.loads(here.run("index", "status", "--json")[0])
    assert entry["used"] is True
    assert len(find(here, "--offline")[0]) == 1


def test_a_failure_is_told_with_its_remedy_and_the_old_index_answers(here: ServedArchive) -> None:
    update(here)
    sample(here.archive, date=LATER, signer="stranger")
    stdout, stderr = update(here, status=125)
    assert stdout == "debian/trixie for amd64: not updated, still of 2026-07-11\n"
    assert "signature" in stderr
    assert "the previous index stays in force" in stderr
    assert owner(here) == "libssl3t64 3.5-1"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda kind: kind.name)
def test_an_interrupted_update_leaves_the_old_index_and_is_resumed(
    here: ServedArchive, kind: signal.Signals
) -> None:
    update(here)
    before = here.index_files()
    sample(here.archive, date=LATER, packages=[*MANY, package_paragraph("libssl3t64", "3.6-1")])
    fetching = threading.Event()
    here.server.on_request = lambda path: fetching.set() if "by-hash" in path else None
    here.server.always["by-hash"] = Fault()
    here.server.always[""] = Fault(pause=0.02)
    process = here.start("index", "update", "--arch", "amd64")
    assert fetching.wait(PATIENCE)
    wait_for_some(here.root / "cache/lists")
    status, stderr = interrupt(process, kind)
    assert status == {signal.SIGINT: 130}.get(kind, -kind), stderr
    assert "Traceback" not in stderr
    assert here.index_files() == before
    assert owner(here) == "libssl3t64 3.5-1"
    here.server.always.clear()
    here.server.requests.clear()
    update(here)
    assert any(header.startswith("bytes=") for _, header in here.server.requests)
    assert owner(here) == "libssl3t64 3.6-1"


def wait_for_some(lists: Path) -> None:
    """Until some bytes of a transfer are on disk."""
    pause = threading.Event()
    for _ in range(1000):
        if any(path.stat().st_size for path in lists.glob("*/partial/*")):
            return
        pause.wait(0.01)
    pytest.fail("nothing was fetched")


@pytest.mark.slow
@pytest.mark.parametrize("limit", [1000, 50_000], ids=["while it fetches", "while it builds"])
def test_no_room_is_said_and_leaves_the_old_index(here: ServedArchive, limit: int) -> None:
    """A file that may not grow stands for a full disk: no privilege is needed for that."""
    update(here)
    before = here.index_files()
    sample(here.archive, date=LATER, packages=MANY)

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = here.start("index", "update", "--arch", "amd64", prepare=small_files)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 125
    assert "could not be written" in stderr.decode()
    assert "make room" in stderr.decode()
    assert "Traceback" not in stderr.decode()
    assert here.index_files() == before
    assert owner(here) == "libssl3t64 3.5-1"


@pytest.mark.slow
def test_two_updates_at_once_both_succeed(here: ServedArchive) -> None:
    processes = [here.start("index", "update", "--arch", "amd64") for _ in range(2)]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert owner(here) == "libssl3t64 3.5-1"


@pytest.mark.parametrize("rate", ["0", "fast", "-1K"])
def test_a_rate_is_a_number(here: ServedArchive, rate: str) -> None:
    assert "is not a rate" in update(here, "--limit-rate", rate, status=2)[1]
