"""Unpacking the NAR of 10,000 files, 172 MB, to disk.

Claim (issue 3): no slower than nix-store --restore. Neither syncs. The disk is quiet when each begins. What
was unpacked stays until the end: ext4 passes over inodes deleted in the last minutes one by one
(fs/ext4/ialloc.c, recently_deleted), and after 10,000 deletions creating files takes it ten times as long.
"""

import itertools
import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks.stores import clean_environment, denizen, in_turns, make_tree, run, show

FILES, SIZE, ROUNDS = 10_000, 172_000_000, 7


def main() -> None:
    environment = clean_environment()
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        make_tree(top / "tree", files=FILES, size=SIZE)
        with (top / "nar").open("wb") as stream:
            subprocess.run(["nix-store", "--dump", str(top / "tree")], stdout=stream, check=True)
        copies = (str(top / f"copy{number}") for number in itertools.count())
        steps = {
            "denizen": lambda: run(denizen(top, "store", "restore", next(copies)), environment, top / "nar"),
            "nix-store": lambda: run(["nix-store", "--restore", next(copies)], environment, top / "nar"),
        }
        print(f"{FILES:,} files, {SIZE / 1e6:.0f} MB")
        show(in_turns(steps, ROUNDS, os.sync), "MB", SIZE / 1e6)
