"""The words that start denizen itself: of a usual installation, and of the single file."""

import os
import subprocess
import sys
from pathlib import Path

from denizen.app.denizen_command import LAUNCHER_NOTE, own_command


def test_a_usual_installation_is_started_isolated_from_the_environment() -> None:
    words = own_command()
    assert words[:2] == (sys.executable, "-I")
    done = subprocess.run([*words, "--version"], env={}, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.startswith("denizen ")


def test_where_a_launcher_lies_beside_the_files_it_is_that(tmp_path: Path) -> None:
    home = tmp_path / "bundle" / "program" / "lib" / "denizen"
    home.mkdir(parents=True)
    (home / LAUNCHER_NOTE).write_text("../../../../denizen")
    assert own_command(os.fspath(home / "denizen")) == (os.fspath(tmp_path / "denizen"),)
