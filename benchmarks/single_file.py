"""The single file beside this environment's own denizen and a bare Python: size, first start, start.

Each start is `--version`, and a decided `run` of a static program, for which the file unpacks nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.support import median_seconds, median_starts, table
from tests.support.single_file import single_file

ROUNDS = int(os.environ.get("ROUNDS", "40"))
_PROGRAM = "int main(void) { return 0; }"


def main() -> None:
    """Print size, medians and ratios."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        file, cache = single_file(), place / "cache"
        os.environ["XDG_CACHE_HOME"] = str(cache)
        (place / "program.c").write_text(_PROGRAM)
        program = place / "program"
        subprocess.run(["gcc", "-static", "-o", program, place / "program.c"], check=True)
        root = ["--root", str(place / "root")]
        own = os.path.join(os.path.dirname(sys.executable), "denizen")
        starts = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "denizen --version": [own, "--version"],
            "single file --version": [str(file), "--version"],
            "denizen run, decided": [own, *root, "run", str(program)],
            "single file run, decided": [str(file), *root, "run", str(program)],
        }
        medians = median_starts(list(starts.values()), repeats=ROUNDS)
        rows = [["", "start, ms", "to python"]]
        for name, seconds in zip(starts, medians, strict=True):
            rows.append([name, f"{seconds * 1e3:.1f}", f"{seconds / medians[0]:.2f}"])
        print(table(rows))
        size = file.stat().st_size / (1 << 20)
        print(f"size: {size:.1f} MiB at level 1; first start: {_first(file, cache):.2f} s")


def _first(file: Path, cache: Path) -> float:
    def start() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        subprocess.run([file, "--version"], check=True, stdout=subprocess.DEVNULL)

    return median_seconds(start, repeats=3)


if __name__ == "__main__":
    main()
