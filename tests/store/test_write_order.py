"""What a power cut could show: the order in which things reach the disk, read from the system calls."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.store_operations import DONE, prepare
from tests.support.syscall_faults import CALLS, Operations, finished_calls

pytestmark = pytest.mark.peer


@pytest.fixture
def server() -> Iterator[Operations]:
    served = Operations()
    yield served
    served.close()


def places(calls: list[str], pattern: str) -> list[int]:
    """Where among the calls those like this are."""
    return [number for number, line in enumerate(calls) if re.search(pattern, line)]


def test_a_call_that_strace_tells_in_two_lines_is_one_where_it_returned() -> None:
    log = "7 syncfs(3</x> <unfinished ...>\n8 close(4</y>) = 0\n7 <... syncfs resumed>)  = 0\n"
    assert finished_calls(log) == ["8 close(4</y>) = 0", "7 syncfs(3</x>)  = 0"]


@pytest.mark.parametrize("operation", ["add", "build", "realise"])
def test_content_is_on_the_disk_before_its_name_and_the_name_before_its_registration(
    server: Operations, tmp_path: Path, operation: str
) -> None:
    prepare(tmp_path)
    log = tmp_path / "log"
    options = ("-y", "-s", "200", "-e", f"trace={CALLS}", "-o", str(log))
    assert server.run(operation, tmp_path, *options) == DONE
    calls = finished_calls(log.read_text(errors="replace"))
    written = places(calls, r"\b(write|mkdirat|symlinkat|fchmod|fchmodat|utimensat|link)\(.*\.tmp-")
    renamed = places(calls, r'rename(at)?\(.*\.tmp-[^"]*", .*/[0-9a-z]{32}-')
    synced = places(calls, r"syncfs\(.*= 0")
    logged = places(calls, r"pwrite64\(.*objects\.sqlite-wal")
    committed = places(calls, r"(fsync|fdatasync)\(.*objects\.sqlite-wal.*= 0")
    assert len(renamed) == 2, "the tree and its sidecar"
    first, second = synced
    assert max(written) < first < min(renamed) <= max(renamed) < second < min(logged) < max(committed)


def test_a_collection_forgets_durably_before_it_takes_away(server: Operations, tmp_path: Path) -> None:
    prepare(tmp_path)
    log = tmp_path / "log"
    options = ("-y", "-s", "200", "-e", f"trace={CALLS}", "-o", str(log))
    assert server.run("gc", tmp_path, *options) == DONE
    calls = finished_calls(log.read_text(errors="replace"))
    committed = places(calls, r"(fsync|fdatasync)\(.*objects\.sqlite-wal.*= 0")
    taken = places(calls, r'renameat\(.*"[0-9a-z]{32}-.*\.tmp-')
    unlinked = places(calls, r"unlinkat\(")
    assert min(committed) < min(taken) <= max(taken) < min(unlinked)
