"""The program in whose namespace a helper runs: the nearest one above it whose start makes mirrors.

A child's loader and the library inside a program do not say by which decision the namespace around them was
made. The processes above tell. Where there is no namespace the program itself has a tree of files.
"""

from __future__ import annotations

import os

from denizen.app.run_time.brought_files import makes_mirrors, shows_files
from denizen.launch.decisions.decision_store import decision_stores
from denizen.launch.fast_path import decided

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore

_MAX_ANCESTORS = 64


def decisions_around(decisions: bytes) -> list[tuple[DecisionStore, Decision]]:
    """Return the decisions about the nearest program around that makes mirrors, with their stores."""
    stores = list(decision_stores(decisions))
    for program in _ancestors():
        found = [(one, known) for one in stores if (known := _decided(one.directory, program)) is not None]
        if found:
            return found
    return []


def decisions_with_tree(decisions: bytes, program: bytes) -> list[tuple[DecisionStore, Decision]]:
    """Return the decisions about a program that looks for files in a tree, with their stores."""
    found = [(one, _known(one.directory, program)) for one in decision_stores(decisions)]
    return [(one, known) for one, known in found if known is not None and shows_files(one, known)]


def _decided(directory: bytes, program: bytes) -> Decision | None:
    found = _known(directory, program)
    return found if found is not None and makes_mirrors(found) else None


def _known(directory: bytes, program: bytes) -> Decision | None:
    try:
        return decided(directory, program)
    except OSError:
        return None


def _ancestors() -> Iterator[bytes]:
    """Yield the programs of the processes above this one, the nearest first, as far as they can be read."""
    process = os.getppid()
    for _ in range(_MAX_ANCESTORS):
        try:
            program = os.readlink(b"/proc/%d/exe" % process)
            parent = int(stat_fields(process)[1])
        except OSError:
            return
        yield program
        process = parent


def stat_fields(process: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat after the name, which may hold blanks (proc_pid_stat(5)).

    Raises OSError.
    """
    with open(f"/proc/{process}/stat", "rb") as stream:
        return stream.read().rpartition(b")")[2].split()
