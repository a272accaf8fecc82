"""Resolving and binding a program of many libraries, beside ld.so doing it and beside sets of all names."""

import os
import subprocess

from benchmarks.support import PYTHON_PASS, median_seconds, median_starts, table
from denizen.disk_view import DiskView
from denizen.linker import Closure, Cpu, Environment, bind, resolve

# Programs with many libraries; the one with most of those that are here is taken.
CANDIDATES = (
    "/usr/bin/nix",
    "/usr/bin/gdb",
    "/usr/bin/cmake",
    "/usr/bin/ffmpeg",
    "/usr/bin/git",
    "/usr/bin/python3",
)
LD_SO = "/lib64/ld-linux-x86-64.so.2"
ROUNDS = 15


def main() -> None:
    environment = Environment(cpu=Cpu(level=3))
    closures = [
        resolve(DiskView(), os.fsencode(path), environment) for path in CANDIDATES if os.path.exists(path)
    ]
    closure = max(closures, key=lambda found: len(found.libraries))
    program = closure.program.path or b""

    def fresh() -> Closure:
        return resolve(DiskView(), program, environment)

    resolving = median_seconds(fresh, repeats=ROUNDS)
    both = median_seconds(lambda: bind(fresh()), repeats=ROUNDS)
    sets = median_seconds(lambda: names_of_all(fresh()), repeats=ROUNDS)
    (base,) = median_starts([PYTHON_PASS])
    traced = median_seconds(lambda: trace(os.fsdecode(program)), repeats=ROUNDS)
    rows = [
        [f"{os.fsdecode(program)}, {len(closure.libraries)} libraries", "ms", "of python3 -c pass"],
        ["python3 -c pass", f"{base * 1000:.1f}", "1.00"],
        [
            "ld.so, trace mode with relocations (runs nothing else)",
            f"{traced * 1000:.1f}",
            f"{traced / base:.2f}",
        ],
        ["resolve", f"{resolving * 1000:.1f}", f"{resolving / base:.2f}"],
        ["resolve and bind", f"{both * 1000:.1f}", f"{both / base:.2f}"],
        ["resolve and read every defined name into sets", f"{sets * 1000:.1f}", f"{sets / base:.2f}"],
    ]
    print(table(rows))


def names_of_all(closure: Closure) -> int:
    """What binding by sets would have to read at least."""
    images = [library.image for library in closure.scope if library.image is not None]
    return sum(len(image.symbols.defined_versions) + len(image.symbols.undefined_names) for image in images)


def trace(program: str) -> None:
    subprocess.run(
        [LD_SO, program], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "yes", "LD_BIND_NOW": "yes"},
    )  # fmt: skip
