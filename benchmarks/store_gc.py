"""20,000 small objects that nothing needs: adding them, finding that out, and deleting them.

Claims (issue 3): marking at least 5 times as fast as nix-store --gc --print-dead, deleting at least twice
as fast as nix-store --gc. Both stores are made anew each round by the commands that are timed, so that
files lie on the disk as each lays them; who begins changes from round to round; all that was written is on
the disk before anything is timed. rm -rf of as many trees is what the file system takes, whoever asks.
TMPDIR says on which.
"""

import os
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.stores import clean_environment, denizen, nix_environment, run, seconds, show

OBJECTS, ROUNDS = 20_000, 3
# So many arguments fit a command line (execve(2), a quarter of the stack's limit).
AT_ONCE = 5_000
STEPS = {
    f"adding {OBJECTS:,} trees of one file, durable each time a command returns": "add",
    "marking: gc --dry-run, nix-store --gc --print-dead": "mark",
    "deleting all": "delete",
}


def main() -> None:
    taken: dict[str, dict[str, list[float]]] = {step: {} for step in STEPS.values()}
    with tempfile.TemporaryDirectory() as directory:
        for number in range(ROUNDS):
            top = Path(directory) / str(number)
            sources = [_tree(top / "sources", tree) for tree in range(OBJECTS)]
            users = _users(top)
            for step, times in taken.items():
                for name in list(users)[:: -1 if number % 2 else 1]:
                    command, environment, words = users[name]
                    if step in words:
                        shares = _shares(sources) if step == "add" else [[]]
                        commands = [[*command, *words[step], *share] for share in shares]
                        times.setdefault(name, []).append(_together(commands, environment))
            shutil.rmtree(top)
    for heading, step in STEPS.items():
        print(heading)
        show({name: statistics.median(times) for name, times in taken[step].items()}, "objects", OBJECTS)


def _users(top: Path) -> dict[str, tuple[list[str], dict[str, str], dict[str, list[str]]]]:
    """Whom to compare: command, environment, and the words for each step."""
    (top / "nix").mkdir()
    ours = {"add": ["store", "add"], "mark": ["gc", "--dry-run"], "delete": ["gc"]}
    nix = {"add": ["--add"], "mark": ["--gc", "--print-dead"], "delete": ["--gc"]}
    return {
        "denizen": (denizen(top), clean_environment(), ours),
        "nix-store": (["nix-store"], nix_environment(top / "nix"), nix),
        "rm -rf": (["rm", "-rf"], clean_environment(), {"delete": [str(top / "sources")]}),
    }


def _shares(sources: Sequence[str]) -> list[Sequence[str]]:
    return [sources[start : start + AT_ONCE] for start in range(0, len(sources), AT_ONCE)]


def _together(commands: Sequence[Sequence[str]], environment: dict[str, str]) -> float:
    """How long all take, one after the other, from a disk that has nothing left to write."""
    os.sync()
    return sum([seconds(lambda command=command: run(command, environment)) for command in commands])  # type: ignore[misc]  # bound now


def _tree(top: Path, number: int) -> str:
    tree = top / f"tree{number:05d}"
    tree.mkdir(parents=True)
    (tree / "doc").write_text(f"the words of {number}\n" * 20)
    return str(tree)
