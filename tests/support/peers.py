"""The rule for peer programs: without one a test skips and says so; in CI it fails."""

import os
import shutil

import pytest

# Debian's ordinary users have no directory of the administrator's in PATH; ldconfig is there.
_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))


def require(*programs: str) -> None:
    """Skip, saying why, unless every program is on PATH; in CI fail instead."""
    missing = [program for program in programs if shutil.which(program, path=_PATH) is None]
    if not missing:
        return
    reason = f"peer not installed: {', '.join(missing)} (`make tools` installs them)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
