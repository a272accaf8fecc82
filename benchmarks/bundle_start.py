"""A bundle's size and start beside a native start, staticx and exodus: one program, the same libraries.

The program needs a library that this host does not have, which native starts, staticx and exodus find by a
run path. staticx unpacks at each start; exodus has to be installed once, which is not counted.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.support import median_starts, table
from tests.support.offline_roots import DenizenHome

ROUNDS = int(os.environ.get("ROUNDS", "100"))
_PROGRAM = "int greeting(); double sin(double); int main(int c, char **v) { greeting(); return sin(c) > 2; }"


def main() -> None:
    """Print sizes, medians and ratios."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        home = DenizenHome(place)
        os.environ["XDG_CACHE_HOME"] = str(place / "cache")
        native = home.compile("greet", _PROGRAM, "-lm", f"-Wl,-rpath,{home.library('greet').parent}")
        bundle = place / "greet.bundle"
        home.denizen("bundle", str(native), "-o", str(bundle))
        app = place / "greet.AppImage"
        home.denizen("bundle", str(native), "--app", "-o", str(app))
        found = {"native": native, "denizen bundle": bundle, "the same --app": app, **_peers(native, place)}
        starts = median_starts([[str(path)] for path in found.values()], repeats=ROUNDS)
        first = _first({name: path for name, path in found.items() if name != "exodus"}, place)
        rows = [["", "size, KB", "first start, ms", "its CPU, ms", "start, ms", "to native"]]
        for (name, path), start in zip(found.items(), starts, strict=True):
            size = _exodus_size(place) if name == "exodus" else path.stat().st_size
            early = [f"{seconds * 1e3:.2f}" for seconds in first.get(name, ())] or ["", ""]
            row = [name, f"{size / 1e3:.0f}", *early, f"{start * 1e3:.2f}", f"{start / starts[0]:.2f}"]
            rows.append(row)
        print(table(rows))


def _peers(native: Path, place: Path) -> dict[str, Path]:
    """Return what the peers make, of those that are installed."""
    made: dict[str, Path] = {}
    if shutil.which("staticx", path=_here()):
        made["staticx"] = place / "greet.staticx"
        _make("staticx", str(native), str(made["staticx"]))
    if shutil.which("exodus", path=_here()):
        archive = place / "greet.exodus"
        _make("exodus", "--output", str(archive), str(native))
        subprocess.run(["sh", archive, place / "exodus"], check=True, capture_output=True)
        made["exodus"] = place / "exodus" / "bin" / "greet"
    return made


def _here() -> str:
    return os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])


def _make(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PATH": _here()})


def _exodus_size(place: Path) -> int:
    return (place / "greet.exodus").stat().st_size


def _first(paths: Mapping[str, Path], place: Path) -> dict[str, tuple[float, float]]:
    """Return medians, by the clock and of processor time, of starts that find nothing unpacked.

    They take turns, as `median_starts` does.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in paths}
    for _ in range(max(5, ROUNDS // 5)):
        for name, path in paths.items():
            shutil.rmtree(place / "cache", ignore_errors=True)
            times[name].append(_start_times(path))
    return {
        name: (statistics.median(clock for clock, _ in each), statistics.median(cpu for _, cpu in each))
        for name, each in times.items()
    }


def _start_times(path: Path) -> tuple[float, float]:
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([path], check=True)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
