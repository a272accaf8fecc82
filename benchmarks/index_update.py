"""Updating the index of one suite, beside `apt-file update`; both from a mirror on this machine.

Claims (issue 4): libraries within 5 s, all paths within 25 s and 500 MB, nothing new within 0.5 s.
apt-file builds no index: it verifies and keeps the lists, and reads all of them at each search.
"""

import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks.indexes import apt_file, configure, cost, mirror, update
from benchmarks.support import table
from tests.support.apt import Apt

ROUNDS = 3
Cost = tuple[float, float]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="denizen-index-") as top, mirror() as address:
        rounds = [_round(Path(top) / str(number), address) for number in range(ROUNDS)]
    costs = {name: [one[name] for one in rounds] for name in rounds[0]}
    medians = {name: statistics.median([seconds for seconds, _ in some]) for name, some in costs.items()}
    theirs = medians.get("apt-file update")
    rows = [("", "seconds", "MB at most", "times apt-file update")]
    for name, seconds in medians.items():
        most = max(megabytes for _, megabytes in costs[name])
        rows.append((name, f"{seconds:.2f}", f"{most:.0f}", f"{seconds / theirs:.2f}" if theirs else ""))
    print(table(rows))


def _round(root: Path, address: str) -> dict[str, Cost]:
    """One update of each kind, in directories of their own."""
    libraries, paths = root / "libraries", root / "paths"
    for directory in (libraries, paths):
        configure(directory, address)
    costs = {
        "denizen index update": cost(update(libraries)),
        "denizen index update, nothing new": cost(update(libraries)),
        "denizen index update --paths": cost(update(paths, "--paths")),
        "denizen index update --paths, nothing new": cost(update(paths, "--paths")),
        **_theirs(apt_file(root / "apt", address)),
    }
    shutil.rmtree(root)
    return costs


def _theirs(apt: Apt | None) -> dict[str, Cost]:
    if apt is None:
        return {}
    command = ["apt-file", "update"]
    first, second = (cost(command, apt.environment) for _ in range(2))
    return {"apt-file update": first, "apt-file update, nothing new": second}
