"""Run the denizen command in a process of its own, as a user does."""

import os
import subprocess
import sys
from pathlib import Path


def denizen(
    root: Path, *arguments: str | Path, stdin: bytes = b"", status: int = 0
) -> subprocess.CompletedProcess[bytes]:
    """Run `denizen --root ROOT ...` and check its exit status."""
    done = subprocess.run(
        [sys.executable, "-m", "denizen", "--root", os.fspath(root), *[os.fspath(a) for a in arguments]],
        input=stdin,
        capture_output=True,
        check=False,
    )
    assert done.returncode == status, done.stderr.decode(errors="replace")
    return done


def lines(root: Path, *arguments: str | Path) -> list[str]:
    """Return the lines of its stdout."""
    return denizen(root, *arguments).stdout.decode().splitlines()
