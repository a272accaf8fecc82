"""The fuzz harness keeps its promises, and each target survives a taste of it."""

import contextlib
import re
import sys
from pathlib import Path
from types import FrameType

import pytest

import denizen
from denizen.bytesio import Truncated
from denizen.errors import BadInput
from fuzz import driver
from fuzz.driver import Target, fuzz, inputs
from fuzz.targets import TARGETS

# Modules of the parsing layers that only write, compute or hold tables: they read nothing foreign.
WITHOUT_TARGET = {
    "formats/cpio.py", "formats/deb_writer.py", "formats/oci_image.py", "formats/percent.py",
    "formats/sbom.py", "formats/sock_filter.py", "formats/squashfs_writer.py", "formats/tar_writer.py",
    "formats/x86_addresses.py",
    "linker/ldcache_writer.py", "nar/writer.py",
    # Arithmetic on 32 and 64 bytes, held to Wycheproof's vectors; 20 ms a signature.
    "formats/ed25519.py",
    # What a library is asked for is an error's sentence.
    "elf/errors.py",
    # A table of names; what it asks of libraries the target of programs asks too.
    "linker/c_library.py",
}  # fmt: skip
PARSERS = ("elf", "formats", "linker", "nar")
PACKAGE = Path(denizen.__file__).parent

# Bytes of a seed that is run to see what it reaches.
SMALL = 200_000
SEEDS = (b"one seed", b"another seed, longer")


@pytest.fixture(autouse=True)
def _failures_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "FAILURES", tmp_path / "failures")


@pytest.mark.slow
@pytest.mark.unmeasured
@pytest.mark.parametrize("name", TARGETS)
def test_every_outcome_of_a_target_is_a_value_or_bad_input(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an input may cost in time is for `make fuzz` to judge: here coverage is traced, and a test
    # asserts no times.
    monkeypatch.setattr(driver, "SECONDS_PER_MEGABYTE", 3600)
    report = fuzz(name, TARGETS[name], runs=1000)
    assert report.failures == []
    assert report.inputs == 1000
    # Else the inputs, or what the C harness has in place of files, lead nowhere.
    assert not name.startswith(("loader", "inside", "resident")) or 0 < report.refused < report.inputs


def test_each_module_that_reads_foreign_bytes_is_run_by_a_target() -> None:
    reached: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_name != "<module>":
            reached.add(frame.f_code.co_filename)

    # The hosted ones are of C.
    for target in [one for one in TARGETS.values() if one.run.__module__ != "fuzz.hosted"]:
        seeds = [data for data in target.seeds() if len(data) < SMALL]
        former = sys.getprofile()
        sys.setprofile(note)
        try:
            for data in seeds:
                with contextlib.suppress(BadInput):
                    target.run(data)
        finally:
            sys.setprofile(former)
    modules = [path for layer in PARSERS for path in (PACKAGE / layer).rglob("*.py")]
    missed = {
        path.relative_to(PACKAGE).as_posix()
        for path in modules
        if str(path) not in reached and re.search(r"^ *def (?!__getattr__)", path.read_text(), re.MULTILINE)
    }
    assert missed == WITHOUT_TARGET


def test_the_seeds_themselves_come_first_and_inputs_are_the_same_each_time() -> None:
    target = Target(len, lambda: SEEDS)
    first, again = list(inputs(target, 0, 0, 50)), list(inputs(target, 0, 0, 50))
    assert first == again
    assert [data for _, data in first[:2]] == list(SEEDS)
    assert list(inputs(target, 0, 7, 8)) == first[7:8]
    assert list(inputs(target, 1, 7, 8)) != first[7:8]


def test_another_exception_than_bad_input_is_a_failure_and_its_input_is_kept(tmp_path: Path) -> None:
    report = fuzz("broken", Target(lambda data: data[99999], lambda: SEEDS), runs=1)
    assert [f.partition(": ")[2] for f in report.failures] == ["IndexError: index out of range"]
    assert (tmp_path / "failures" / "broken-0.bin").read_bytes() == SEEDS[0]


def test_bad_input_is_counted_as_refused() -> None:
    def refuse(_: bytes) -> None:
        raise Truncated("anything", 0, 1, 0)

    report = fuzz("refusing", Target(refuse, lambda: SEEDS), runs=10)
    assert (report.refused, report.failures) == (10, [])


def test_an_input_that_takes_too_much_memory_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BYTES_PER_MEGABYTE", 1000)
    report = fuzz("hungry", Target(lambda data: bytes(10_000) + data, lambda: SEEDS), runs=1)
    assert len(report.failures) == 1
    assert "MemoryError" in report.failures[0]


def test_an_input_that_takes_too_long_three_times_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SECONDS_PER_MEGABYTE", 1e-6)
    report = fuzz("slow", Target(lambda _: sum(range(10_000)), lambda: SEEDS), runs=1)
    assert len(report.failures) == 1
    assert "TimeoutError" in report.failures[0]


def test_an_input_may_take_as_much_longer_as_the_machine_is_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "SECONDS_PER_MEGABYTE", 1e-6)
    monkeypatch.setattr(driver, "slowness", lambda: 1e9)
    report = fuzz("slow", Target(lambda data: sum(data * 100), lambda: SEEDS), runs=2)
    assert report.failures == []


def test_a_machine_that_is_faster_than_the_reference_gives_no_less_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "REFERENCE_SECONDS", 3600)
    assert driver.slowness() == 1
