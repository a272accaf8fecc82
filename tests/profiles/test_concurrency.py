"""Processes that change one profile at once: every installation is there afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.denizen_command import denizen, lines

COUNT = 6


@pytest.mark.slow
def test_processes_that_install_at_once_lose_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    names = [f"tool{number}" for number in range(COUNT)]
    for name in names:
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name}\n")
        (tmp_path / name).chmod(0o755)
    command = [sys.executable, "-m", "denizen", "--root", os.fspath(root), "install"]
    running = [
        subprocess.Popen([*command, os.fspath(tmp_path / name)], stderr=subprocess.PIPE, text=True)
        for name in names
    ]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * COUNT, said
    assert [line.split()[0] for line in lines(root, "list")] == names
    denizen(root, "gc")
    for name in names:
        program = root / "state" / "profiles" / "profile" / "bin" / name
        assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == f"{name}\n"
    changes = [line for line in lines(root, "profile", "history") if line.startswith("   ")]
    assert sorted(line.split()[1] for line in changes) == names
