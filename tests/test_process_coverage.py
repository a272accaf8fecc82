"""What processes record by themselves is what coverage records of them, however they end."""

import marshal
import os
import subprocess
import sys
from pathlib import Path

import pytest
from coverage import CoverageData

from tests.support.process_coverage import (
    OFFICIAL,
    VARIABLE,
    handed,
    installed,
    recorded,
    unpacked,
    width_of_lines,
)
from tests.support.process_tracer import STOPS_AT_ONCE

PROGRAM = """
import marshal
import os
import threading

def count(end):
    for number in range(end):
        if number % 2:
            continue
        yield number

def late(number):
    if number:
        import imported
        if imported.found != [1]:
            return 7
    try:
        import nowhere
    except ImportError:
        number += 1
    return number

class Worker(threading.Thread):
    def run(self):
        self.found = list(count(3))
        late(1)

late(0)

worker = Worker()
worker.start()
worker.join()
if not os.fork():
    os._exit(len(list(count(1))))
os.wait()
try:
    next(count(0))
except StopIteration:
    pass
"""


@pytest.fixture(scope="module")
def width() -> int:
    if not installed():
        pytest.skip("processes record themselves in a virtual environment that can be written only")
    found = width_of_lines()
    if found is None:
        pytest.skip("this version of coverage packs arcs in another way: processes are measured slowly")
    return found


def environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name not in (VARIABLE, OFFICIAL)}


@pytest.mark.parametrize(
    "ending", ["pass", "os._exit(0)", "os.execv('/bin/true', ['true'])", "raise KeyError"]
)
def test_a_process_records_what_coverage_would(tmp_path: Path, width: int, ending: str) -> None:
    sources, directory = tmp_path / "sources", tmp_path / "arcs"
    sources.mkdir()
    directory.mkdir()
    program = sources / "program.py"
    program.write_text(PROGRAM + ending)
    (sources / "imported.py").write_text("def one():\n    return 1\nfound = [one()]\n")
    mine = {**environment(), VARIABLE: handed(sources, directory)}
    subprocess.run([sys.executable, program], env=mine, check=False, capture_output=True)
    found = dict(recorded(directory))
    packed = found.pop(os.fspath(program))
    assert bool(found) != STOPS_AT_ONCE, "modules are recorded where the tracer cannot leave them out"
    settings = tmp_path / "settings"
    settings.write_text("[run]\nbranch = true\nparallel = true\npatch = _exit, execv\nsource = sources\n")
    command = [sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", os.fspath(program)]
    # From Python 3.14 on coverage has another tracer, which records other arcs.
    traced = {**environment(), "COVERAGE_CORE": "ctrace"}
    subprocess.run(command, env=traced, cwd=tmp_path, check=False, capture_output=True)
    expected: set[tuple[int, int]] = set()
    for written in tmp_path.glob(".coverage.*"):
        data = CoverageData(os.fspath(written))
        data.read()
        expected |= set(data.arcs(os.fspath(program)) or ())
        data.close()
    assert {unpacked(arc, width) for arc in packed} == expected


@pytest.mark.parametrize(("width", "sign"), [(20, 40), (28, 56)])
def test_an_arc_is_unpacked_with_its_signs(width: int, sign: int) -> None:
    assert unpacked(7 | 9 << width, width) == (7, 9)
    assert unpacked(7 | 9 << width | 1 << sign, width) == (-7, 9)
    assert unpacked(7 | 9 << width | 1 << sign + 1, width) == (7, -9)


def test_what_a_process_wrote_under_any_umask_is_read(tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_bytes(marshal.dumps({"file": [1, 2]}))
    record.chmod(0)
    assert recorded(tmp_path) == {"file": {1, 2}}
    assert record.stat().st_mode & 0o400  # root would read it anyway
