"""Runs a target on mutated inputs and holds it to three promises.

Every outcome is a value or a BadInput; an input of n bytes takes at most (n / 1 MB + 1) x 50 ms, and at most
(n / 1 MB + 1) x 64 MB of memory; a target that does more than parse says how many times as long it takes.
A time over the limit counts only if the least of three repetitions is over it as well, in CPU time, and the
limit is longer by what the machine is slower than the one it was measured on: beside other jobs the same
instructions take up to 1.6 times as long (shared caches, two threads of one core). Memory is measured on
the first 63 inputs, on every 63rd and on each that was slow, for tracing allocations costs ten times the
parsing.
"""

import random
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from denizen.errors import BadInput
from fuzz.mutate import mutated

MEGABYTE = 1_000_000
SECONDS_PER_MEGABYTE = 0.05
BYTES_PER_MEGABYTE = 64 * MEGABYTE
REFERENCE_TEXT = b"\n".join(b"Key-%d: value %d, a=b" % (number, number * 7919) for number in range(4000))
# What reading REFERENCE_TEXT takes on the idle machine that SECONDS_PER_MEGABYTE was measured on.
REFERENCE_SECONDS = 0.004
MEMORY_EVERY = 63  # shares no factor with LARGE_EVERY: one in 63 of the large ones too
LARGE_EVERY = 256
FAILURES = Path(__file__).parent / "failures"


@dataclass(frozen=True)
class Target:
    """A parser under test.

    Attributes:
        run: parses; may return anything and may raise BadInput.
        seeds: makes valid inputs, small ones: thousands are mutated in a second.
        large: makes inputs near a megabyte, built to hurt; one in 256 inputs comes from these.
        tokens: words of the format, to be strewn in.
        time: as many times as long as a parser it may take, for what it does besides reading.
    """

    run: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    large: Callable[[], Sequence[bytes]] = tuple
    tokens: Sequence[bytes] = ()
    time: float = 1


@dataclass
class Report:
    """What came of a run; times are seconds of CPU, loads are shares of the limit."""

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: tuple[float, int, float, int] = (0.0, 0, 0.0, 0)  # load, index, seconds, size
    hungriest: tuple[float, int, int, int] = (0.0, 0, 0, 0)  # load, index, bytes, size
    failures: list[str] = field(default_factory=list)


def inputs(target: Target, number: int, start: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """The inputs with these indices; the seeds themselves come first, unchanged."""
    seeds, large = list(target.seeds()), list(target.large())
    plain = [*seeds, *large]
    for index in range(start, stop):
        chance = random.Random(number << 32 | index)
        if index < len(plain):
            yield index, plain[index]
        elif large and index % LARGE_EVERY == 0:
            yield index, mutated(large, target.tokens, chance)
        else:
            yield index, mutated(seeds, target.tokens, chance)


def fuzz(name: str, target: Target, *, runs: int, number: int = 0, start: int = 0) -> Report:
    """Run `runs` inputs from index `start`; `number` chooses another sequence of them."""
    report = Report()
    began = time.process_time()
    for index, data in inputs(target, number, start, start + runs):
        report.inputs += 1
        try:
            _one(target, index, data, report)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
            _fail(report, name, index, data, f"{type(error).__name__}: {error}")
    report.seconds = time.process_time() - began
    return report


def _one(target: Target, index: int, data: bytes, report: Report) -> None:
    limit = len(data) / MEGABYTE + 1
    taken, refused = _timed(target, data)
    report.refused += refused
    longest = limit * SECONDS_PER_MEGABYTE * target.time
    slow = taken > longest
    if slow or taken / longest > report.slowest[0]:
        taken = min(taken, *(_timed(target, data)[0] for _ in range(3)))
        load = taken / longest
        if load > 1:
            load /= slowness()
        report.slowest = max(report.slowest, (load, index, taken, len(data)))
        if load > 1:
            raise TimeoutError(f"{taken * 1000:.0f} ms for {len(data)} bytes")
    if slow or index < MEMORY_EVERY or index % MEMORY_EVERY == 0:
        peak = _peak(target, data)
        load = peak / (limit * BYTES_PER_MEGABYTE)
        report.hungriest = max(report.hungriest, (load, index, peak, len(data)))
        if load > 1:
            raise MemoryError(f"{peak / MEGABYTE:.0f} MB for {len(data)} bytes")


def _timed(target: Target, data: bytes) -> tuple[float, bool]:
    """(seconds of CPU, whether it was refused)."""
    refused = False
    before = time.process_time()
    try:
        target.run(data)
    except BadInput:
        refused = True
    return time.process_time() - before, refused


def slowness() -> float:
    """Return how many times as long as on the idle reference machine a reader takes now; at least 1."""
    return max(1.0, min(_reference() for _ in range(3)) / REFERENCE_SECONDS)


def _reference() -> float:
    before = time.process_time()
    rows = {}
    for line in REFERENCE_TEXT.split(b"\n"):
        key, _, value = line.partition(b": ")
        rows[key] = [part.strip() for part in value.decode().split(",")]
    return time.process_time() - before


def _peak(target: Target, data: bytes) -> int:
    tracemalloc.start()
    try:
        _timed(target, data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _fail(report: Report, name: str, index: int, data: bytes, problem: str) -> None:
    FAILURES.mkdir(exist_ok=True)
    path = FAILURES / f"{name}-{index}.bin"
    path.write_bytes(data)
    report.failures.append(f"input {index} ({len(data)} bytes, {path}): {problem}")
