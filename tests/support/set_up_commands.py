"""Commands of denizen that prepare something for a test, run in the test's own process.

A process for each costs a tenth of a second, and a quarter while coverage is measured. What a command does
in a process of its own is for the tests of that command.
"""

import contextlib
import io
import os
from pathlib import Path

from denizen.cli.dispatch import dispatch


def run_here(root: Path, *words: str | Path) -> None:
    """Run `denizen --root ROOT ...`, which must succeed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = dispatch(["--root", os.fspath(root), *[os.fspath(word) for word in words]])
    assert status == 0, said.getvalue()
