"""Sandboxes of builds: whether this machine can make one, and settings for one with a shell in it."""

import functools
import os
import subprocess

import pytest

from denizen.host import machine_name
from denizen.launch.loader.binaries import enter_path


@functools.cache
def _refusal() -> str:
    enter = enter_path(machine_name())
    if not os.path.exists(enter):
        return "denizen-enter is not compiled"
    tried = subprocess.run(
        [enter, "isolate", "1000", "100", "no-cgroups", "check", "--", "x"], check=False, capture_output=True
    )
    return tried.stderr.decode(errors="replace").strip()


def require_sandbox() -> None:
    """Skip, saying why, unless this machine allows what a sandbox is made of; in CI fail instead."""
    reason = _refusal()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
