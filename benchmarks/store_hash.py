"""Hashing a tree of 50,000 files, 860 MB, in the page cache.

Claim (issue 3): no slower than nix-hash. Both are whole commands, from start to the printed hash.
"""

import subprocess
import tempfile
from pathlib import Path

from benchmarks.stores import clean_environment, denizen, in_turns, make_tree, run, show

FILES, SIZE, ROUNDS = 50_000, 860_000_000, 7


def main() -> None:
    environment = clean_environment()
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        make_tree(tree, files=FILES, size=SIZE)
        ours = denizen(Path(directory), "store", "hash", str(tree))
        theirs = ["nix-hash", "--type", "sha256", str(tree)]
        # Also what warms the page cache.
        same = {subprocess.check_output(command, env=environment) for command in (ours, theirs)}
        agreement = "equal" if len(same) == 1 else "NOT equal"
        print(f"{FILES:,} files, {SIZE / 1e6:.0f} MB; the hashes are {agreement}")
        steps = {"denizen": lambda: run(ours, environment), "nix-hash": lambda: run(theirs, environment)}
        show(in_turns(steps, ROUNDS), "MB", SIZE / 1e6)
