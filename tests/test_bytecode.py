"""Bytecode that Python could not write to its end must not be there at the next start."""

import os
import subprocess
import sys
from pathlib import Path

_LIMITED = """
import denizen, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))
sys.path.insert(0, sys.argv[1])
import large, small
"""


def test_a_limit_on_the_size_of_files_leaves_no_part_of_a_module(tmp_path: Path) -> None:
    """As of a full disk, where the first start after an installation would be the last one that works."""
    (tmp_path / "large.py").write_text("".join(f"name_{number} = {number}\n" for number in range(1000)))
    (tmp_path / "small.py").write_text("x = 1\n")
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, "-c", _LIMITED, str(tmp_path)]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert (done.returncode, done.stderr) == (0, "")
    kept = sorted(name.partition(".")[0] for name in os.listdir(tmp_path / "__pycache__"))
    assert kept == ["small"]
