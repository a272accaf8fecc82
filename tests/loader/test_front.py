"""The compiled `denizen` command, which executes the Python script beside it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.compiled_loaders import compile_loader


def test_it_starts_from_an_environment_whose_path_has_a_space(tmp_path: Path) -> None:
    """The kernel ends the interpreter of a `#!` line at the first space (execve(2))."""
    directory = tmp_path / "a directory"
    directory.mkdir()
    command = compile_loader(directory / "denizen-front")
    python = directory / "python"
    python.symlink_to(sys.executable)
    script = directory / "denizen-python"
    script.write_text(f"#!{python}\nimport sys\nprint(sys.argv)\n")
    script.chmod(0o755)
    done = subprocess.run([command, "one", "two words"], capture_output=True, text=True, check=False)
    assert done.stdout == f"{[os.fspath(script), 'one', 'two words']}\n", done.stderr


def test_without_its_script_it_says_what_to_do(tmp_path: Path) -> None:
    command = compile_loader(tmp_path / "denizen-front")
    done = subprocess.run([command], capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert "reinstall denizen" in done.stderr
