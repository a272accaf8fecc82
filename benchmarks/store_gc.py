"""20,000 small objects that nothing needs: finding that out, and deleting them.

Claims (issue 3): marking at least 5 times as fast as nix-store --gc --print-dead, deleting at least twice
as fast as nix-store --gc. Before, both add them: how many small trees a second.
"""

import os
import statistics
import tempfile
from pathlib import Path

from benchmarks.stores import clean_environment, denizen, in_turns, nix_environment, run, seconds, show

OBJECTS, ROUNDS, DELETIONS = 20_000, 5, 3
# So many arguments fit a command line (execve(2), a quarter of the stack's limit).
AT_ONCE = 5_000


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        sources = [_tree(top / "sources", number) for number in range(OBJECTS)]
        nix, ours = nix_environment(top / "nix"), clean_environment()
        (top / "nix").mkdir()

        def add_all(command: list[str], environment: dict[str, str]) -> None:
            for start in range(0, OBJECTS, AT_ONCE):
                run([*command, *sources[start : start + AT_ONCE]], environment)

        print(f"adding {OBJECTS:,} trees of one file, durable each time a command returns")
        added = {
            "denizen": seconds(lambda: add_all(denizen(top, "store", "add"), ours)),
            "nix-store": seconds(lambda: add_all(["nix-store", "--add"], nix)),
        }
        show(added, "trees", OBJECTS)
        print("marking: gc --dry-run, nix-store --gc --print-dead")
        mark = {
            "denizen": lambda: run(denizen(top, "gc", "--dry-run"), ours),
            "nix-store": lambda: run(["nix-store", "--gc", "--print-dead"], nix),
        }
        show(in_turns(mark, ROUNDS))
        print("deleting all")
        show(_deletions(top), "objects", OBJECTS)


def _deletions(top: Path) -> dict[str, float]:
    """The median of each; every round is on copies of both stores and of the sources, which are emptied.

    The last, rm -rf, is what the file system takes for as many trees like these, whoever asks.
    """
    taken: dict[str, list[float]] = {}
    for number in range(DELETIONS):
        copy = top / f"copy{number}"
        copy.mkdir()
        run(
            ["cp", "-a", *[str(top / name) for name in ("nix", "data", "sources")], str(copy)], {**os.environ}
        )
        commands = {
            "denizen": (denizen(copy, "gc"), clean_environment()),
            "nix-store": (["nix-store", "--gc"], nix_environment(copy / "nix")),
            "rm -rf": (["rm", "-rf", str(copy / "sources")], clean_environment()),
        }
        for name, command in commands.items():
            os.sync()
            taken.setdefault(name, []).append(seconds(lambda command=command: run(*command)))  # type: ignore[misc]  # bound now
    return {name: statistics.median(times) for name, times in taken.items()}


def _tree(top: Path, number: int) -> str:
    tree = top / f"tree{number:05d}"
    tree.mkdir(parents=True)
    (tree / "doc").write_text(f"the words of {number}\n" * 20)
    return str(tree)
