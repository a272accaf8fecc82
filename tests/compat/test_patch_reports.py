"""What was reported as corrupted by patchelf and its like: `denizen patch` does all of it right."""

import shutil
from pathlib import Path

import pytest

from tests.support.patch_cases import Bench
from tests.support.patch_reports import OUTCOMES, REPORTS, Report, built, denizen, outcome, patchelf
from tests.support.peers import require


@pytest.mark.parametrize("report", REPORTS, ids=[report.name for report in REPORTS])
def test_what_was_reported_does_not_happen(report: Report, tmp_path: Path) -> None:
    """patchelf gets the same case; what becomes of it there is a version's, and the benchmark counts it."""
    require("gcc", "strip", *report.tools)
    if report.after and shutil.which(report.after[0]) is None:
        pytest.skip(f"{report.after[0]}, which `make tools` does not install, is not here")
    bench = Bench(tmp_path)
    program = built(report, bench)
    if program is None:
        pytest.skip("it cannot be compiled or does not run here")
    assert outcome(report, bench, program, denizen) == "right"
    peer = shutil.which("patchelf")
    assert peer is None or outcome(report, bench, program, patchelf(peer)) in OUTCOMES


def test_each_report_is_there_once() -> None:
    names = [report.name for report in REPORTS]
    assert len(names) == len(set(names))
    assert len(names) >= 17
