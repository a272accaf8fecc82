"""Bundles of programs of this system: size, and how many start in an empty root, beside staticx and exodus.

Each program is bundled by all three, and started with the option that prints its version, in a root that
has /proc, /dev and an empty /tmp. denizen takes libraries from packages, the others those of this host. What
exodus makes has to be installed: its files are installed here, and shown in that root at the same path.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.support import table

_PROGRAMS = {
    "jq": "--version", "sqlite3": "--version", "curl": "--version", "git": "--version", "strace": "--version",
    "bc": "--version", "less": "--version", "perl": "--version", "xz": "--version", "zstd": "--version",
    "file": "--version", "make": "--version", "openssl": "version", "tmux": "-V", "unzip": "-v",
}  # fmt: skip
_PATIENCE = 300


@dataclass(frozen=True)
class Made:
    """A bundle.

    Attributes:
        size: in bytes.
        command: what starts it.
        shown: the directory that must be there for it.
    """

    size: int
    command: Path
    shown: Path


def main() -> None:
    """Print a row for each program, and the medians."""
    rows = [["", *(f"{name}, KB" for name in _MAKERS)]]
    sizes: dict[str, list[int]] = {name: [] for name in _MAKERS}
    started = dict.fromkeys(_MAKERS, 0)
    for name, option in _PROGRAMS.items():
        found = shutil.which(name)
        if found is None:
            continue
        program, cells = Path(os.path.realpath(found)), [name]
        with tempfile.TemporaryDirectory() as directory:
            for maker, make in _MAKERS.items():
                made = _made(make, program, Path(directory, maker))
                runs = made is not None and _runs(made, option)
                started[maker] += runs
                if made is not None:
                    sizes[maker].append(made.size)
                cells.append("-" if made is None else f"{made.size / 1e3:,.0f}{'' if runs else ' ✗'}")
        rows.append(cells)
        print(" ".join(cells), file=sys.stderr, flush=True)
    rows.append(["median", *(f"{statistics.median(sizes[name]) / 1e3:,.0f}" for name in _MAKERS)])
    rows.append(["start", *(f"{started[name]} of {len(rows) - 2}" for name in _MAKERS)])
    print(table(rows))


def _made(make: Callable[[Path, Path], Made], program: Path, place: Path) -> Made | None:
    place.mkdir()
    try:
        return make(program, place)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
        print(program.name, place.name, problem, file=sys.stderr)
        return None


def _denizen(program: Path, place: Path) -> Made:
    bundle = place / program.name
    _run(sys.executable, "-m", "denizen", "-q", "bundle", program, "-o", bundle)
    return Made(bundle.stat().st_size, bundle, place)


def _staticx(program: Path, place: Path) -> Made:
    bundle = place / program.name
    _run("staticx", program, bundle)
    return Made(bundle.stat().st_size, bundle, place)


def _exodus(program: Path, place: Path) -> Made:
    archive = place / "archive"
    _run("exodus", "--output", archive, program)
    _run("sh", archive, place / "installed")
    return Made(archive.stat().st_size, place / "installed" / "bin" / program.name, place)


_MAKERS = {"denizen": _denizen, "staticx": _staticx, "exodus": _exodus}


def _run(*words: str | Path) -> None:
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    subprocess.run(
        [os.fspath(word) for word in words],
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": path},
        timeout=_PATIENCE,
    )


def _runs(made: Made, option: str) -> bool:
    """Tell whether a bundle prints its program's version in an empty root."""
    shown = os.fspath(made.shown)
    root = ["bwrap", "--unshare-all", "--tmpfs", "/", "--dir", "/tmp", "--proc", "/proc", "--dev", "/dev"]
    command = [*root, "--clearenv", "--ro-bind", shown, shown, "--", os.fspath(made.command), option]
    done = subprocess.run(
        command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False
    )
    return done.returncode == 0


if __name__ == "__main__":
    main()
