"""Look at processes, threads and open files, on a machine where others come and go meanwhile."""

import gc
import os
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

# Of a machine on which everything else runs too; where all is well nobody waits for so long.
PATIENCE = 120.0


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what happens by itself; what does not happen is a failure."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_ended(process: int | str) -> bool:
    """Return whether a process has ended, also where its parent has not taken note, and it is a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in b"ZX"


def is_in_a_command(word: str) -> bool:
    """Return whether a running process has the word in its command line."""
    return any(word.encode() in _command(place) for place in Path("/proc").glob("[0-9]*/cmdline"))


def _command(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:  # it ended, or is somebody's who shows nothing
        return b""


def open_files() -> set[tuple[str, str]]:
    """Return number and target of this process's open files, without those that only wait for the collector.

    What is there later and not now was left open meanwhile. Their number alone says less: another file of an
    earlier test may be closed at any moment.
    """
    gc.collect()
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
        except FileNotFoundError:  # the directory that was listed
            continue
    return found


def new_threads(before: Collection[threading.Thread]) -> list[threading.Thread]:
    """Return the threads of this process that were not there before."""
    return [thread for thread in threading.enumerate() if thread not in before]
