"""Unpacking the NAR of 10,000 files, 172 MB, to disk.

Claim (issue 3): no slower than nix-store --restore. Neither syncs. The disk is quiet when each begins,
and what was unpacked is removed before the next, untimed.
"""

import os
import shutil
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
        copy = str(top / "copy")

        def clear() -> None:
            shutil.rmtree(copy, ignore_errors=True)
            os.sync()

        steps = {
            "denizen": lambda: run(denizen(top, "store", "restore", copy), environment, top / "nar"),
            "nix-store": lambda: run(["nix-store", "--restore", copy], environment, top / "nar"),
        }
        print(f"{FILES:,} files, {SIZE / 1e6:.0f} MB")
        show(in_turns(steps, ROUNDS, clear), "MB", SIZE / 1e6)
