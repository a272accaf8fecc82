"""What importing the ELF reader adds to a start of Python, beside its peers."""

import sys

from benchmarks.support import PYTHON_PASS, median_starts, table

MODULES = ("denizen.elf", "elftools.elf.elffile", "lief")


def main() -> None:
    commands = [PYTHON_PASS, *((sys.executable, "-c", f"import {module}") for module in MODULES)]
    base, *imports = median_starts(commands)
    rows = [["", "ms", "added ms"], ["python3 -c pass", f"{base * 1000:.1f}", ""]]
    for module, taken in zip(MODULES, imports, strict=True):
        rows.append([f"import {module}", f"{taken * 1000:.1f}", f"{(taken - base) * 1000:.1f}"])
    print(table(rows))
