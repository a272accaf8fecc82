"""Timing that both sides of a comparison share: medians, and what starting a process costs."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence


def median_seconds(run: Callable[[], object], *, repeats: int = 5) -> float:
    """The median wall time of `run`, after one run that warms caches."""
    run()
    return statistics.median(_timed(run) for _ in range(repeats))


def median_starts(commands: Sequence[Sequence[str]], *, repeats: int = 30) -> list[float]:
    """The median wall time of each command from start to exit, in seconds.

    They take turns, so that a busy moment of the machine falls on all of them. PYTHONDONTWRITEBYTECODE
    is taken away: without .pyc files every start would pay the compiler.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def starter(command: Sequence[str]) -> Callable[[], object]:
        return lambda: subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)

    starts = [starter(command) for command in commands]
    for start in starts:
        start()
    rounds = [[_timed(start) for start in starts] for _ in range(repeats)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


# Seconds by the clock, and of the processors, children of children included.
Cost = tuple[float, float]


def cost(run: Callable[[], object]) -> Cost:
    """What a run of other programs costs. Under load, processor time is what can be compared."""
    before, used = time.perf_counter(), _used()
    run()
    return time.perf_counter() - before, _used() - used


def median_cost(costs: Sequence[Cost]) -> Cost:
    return statistics.median(one for one, _ in costs), statistics.median(one for _, one in costs)


def _used() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


# C: a clock in microseconds, the order of such times for qsort, and a processor of its own; what times starts
# begins with it. A process that moves between processors finds their caches cold:
# starts of 0.5 ms vary by a tenth.
TIMER_C = """#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}
static int order(const void *one, const void *other) {
    double a = *(double *)one, b = *(double *)other;
    return (a > b) - (a < b);
}
__attribute__((constructor)) static void stay(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
}
"""

# The unit in which start-up is measured.
PYTHON_PASS = (sys.executable, "-c", "pass")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    )


def _timed(run: Callable[[], object]) -> float:
    before = time.perf_counter()
    run()
    return time.perf_counter() - before
