"""denizen's single file, made once from these sources and kept in the tests' cache."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.kept_files import digest_of, kept
from tests.support.real_archive import SUITES, keep_indexes, one_at_a_time, real_archive

_REPOSITORY = Path(__file__).parent.parent.parent
_TOOL = _REPOSITORY / "tools" / "single_file.py"
# Each has 16 MB.
_MOST = 4


def single_file() -> Path:
    """Return the file, made at the first call for this state of the sources."""
    sources = (_REPOSITORY / "src" / "denizen").rglob("*")
    files = [file for file in sources if file.is_file() and "__pycache__" not in file.parts]
    return kept("single-file", digest_of(_REPOSITORY, [_TOOL, *files]), _make, most=_MOST)


def _make(directory: Path) -> Path:
    target = directory / "denizen"
    context = real_archive()
    assert context.session.root is not None
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
    with one_at_a_time(context):
        keep_indexes(context)
        subprocess.run(
            [sys.executable, _TOOL, *words],
            check=True,
            env={**os.environ, "DENIZEN_ROOT": ""},
            capture_output=True,
        )
    return target
