"""denizen's single file, made once from these sources and kept in the tests' cache."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.support.python_prefix import kept_by_tests
from tests.support.real_archive import SUITES, keep_indexes, one_at_a_time, real_archive

_REPOSITORY = Path(__file__).parent.parent.parent
_TOOL = _REPOSITORY / "tools" / "single_file.py"


def single_file() -> Path:
    """Return the file, made at the first call for this state of the sources."""
    key = hashlib.sha256(_TOOL.read_bytes())
    for file in sorted((_REPOSITORY / "src" / "denizen").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            key.update(file.read_bytes())
    place = kept_by_tests() / "single-file"
    place.mkdir(exist_ok=True)
    target = place / key.hexdigest()[:16]
    with open(place / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            for old in place.glob("[0-9a-f]*"):
                old.unlink()
            _make(target)
    return target


def _make(target: Path) -> None:
    context = real_archive()
    assert context.session.root is not None
    with one_at_a_time(context):
        keep_indexes(context)
        words: list[str | Path] = [
            "--root",
            context.session.root,
            "--suite",
            SUITES[0],
            "--level",
            "1",
            "-o",
            target,
        ]
        subprocess.run(
            [sys.executable, _TOOL, *words],
            check=True,
            env={**os.environ, "DENIZEN_ROOT": ""},
            capture_output=True,
        )
