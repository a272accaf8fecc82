"""What the store's benchmarks share: a Nix of their own, trees to work on, timing of whole commands."""

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.support import table

Step = Callable[[], object]


def nix_environment(root: Path) -> dict[str, str]:
    """Nix with a store below `root`, whatever the machine has."""
    return clean_environment() | {
        "NIX_REMOTE": f"local?root={root}",
        "NIX_CONF_DIR": f"{root}/etc",
        "HOME": f"{root}/home",
        "NIX_CONFIG": "build-users-group =\nexperimental-features = nix-command\nsubstituters =\n",
    }


def clean_environment() -> dict[str, str]:
    """Without PYTHONDONTWRITEBYTECODE, which would make every start pay the compiler."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def denizen(root: Path, *arguments: str) -> list[str]:
    """The command as it is installed."""
    return [os.path.join(os.path.dirname(sys.executable), "denizen"), "--root", str(root), *arguments]


def make_tree(top: Path, *, files: int, size: int) -> None:
    """`files` files of `size` bytes in all, fifty to a directory, lengths spread as in real trees."""
    chance = random.Random(1)
    blob = chance.randbytes(4 << 20)
    for number in range(files):
        directory = top / f"{number // 2500:02d}" / f"{number // 50:04d}"
        directory.mkdir(parents=True, exist_ok=True)
        length = min(int(size / files * chance.expovariate(1)), 2 << 20)
        start = chance.randrange(2 << 20)
        path = directory / f"file{number:05d}"
        path.write_bytes(blob[start : start + length])
        if number % 10 == 0:
            path.chmod(0o755)


def run(command: Sequence[str], environment: Mapping[str, str], stdin: Path | None = None) -> None:
    """To its end; its output is thrown away."""
    with open(stdin or os.devnull, "rb") as stream:
        subprocess.run(
            command,
            env=environment,
            stdin=stream,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )


def seconds(step: Step) -> float:
    """How long one step takes."""
    before = time.perf_counter()
    step()
    return time.perf_counter() - before


def in_turns(steps: Mapping[str, Step], rounds: int, before: Step = lambda: None) -> dict[str, float]:
    """The median of each step; they take turns, with `before` done before each and not timed."""
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            before()
            taken[name].append(seconds(step))
    return {name: statistics.median(times) for name, times in taken.items()}


def show(times: Mapping[str, float], unit: str = "", amount: float = 0) -> None:
    """Seconds, ratio to denizen's, and where `unit` is given, how many of it a second."""
    base = times["denizen"]
    rows = [["", "seconds", "times denizen's", *([f"{unit}/s"] if unit else [])]]
    for name, each in times.items():
        rate = [f"{amount / each:,.0f}"] if unit else []
        rows.append([name, f"{each:.3f}", f"{each / base:.2f}", *rate])
    print(table(rows))
