"""What a start of denizen costs, in starts of Python: the limits are 1.7 for --version and 4 for `why`.

All rows take turns, so the ratios hold on a busy machine; the interpreter is the one denizen runs with.
"""

import os
import shutil
import sys

from benchmarks.support import PYTHON_PASS, median_starts, table
from denizen.disk_view import DiskView
from denizen.errors import BadInput
from denizen.linker import Environment, resolve

LIBRARIES = 60
# Programs of many libraries that the tests' tools or a desktop bring along.
PROGRAMS = ("nix-store", "nix", "gdb", "ffmpeg", "vlc", "gimp", "inkscape", "libreoffice")


def main() -> None:
    denizen = os.path.join(os.path.dirname(sys.executable), "denizen")
    program, count = program_of_many_libraries()
    commands = {
        "python -c pass": PYTHON_PASS,
        "denizen --version": (denizen, "--version"),
        f"denizen why --host --json {program} ({count} libraries)": (
            denizen,
            "why",
            "--host",
            "--json",
            program,
        ),
    }
    times = median_starts(list(commands.values()))
    rows = [["", "ms", "ratio"]]
    rows += [
        [name, f"{taken * 1000:.1f}", f"{taken / times[0]:.2f}"]
        for name, taken in zip(commands, times, strict=True)
    ]
    print(table(rows))


def program_of_many_libraries() -> tuple[str, int]:
    """A program here with at least LIBRARIES libraries, or the one that comes nearest."""
    counts: dict[str, int] = {}
    for path in filter(None, map(shutil.which, (*PROGRAMS, "python3", "sh"))):
        try:
            counts[path] = len(resolve(DiskView(), os.fsencode(path), Environment()).libraries)
        except BadInput:
            continue
        if counts[path] >= LIBRARIES:
            break
    program = max(counts, key=lambda path: counts[path])
    return program, counts[program]
