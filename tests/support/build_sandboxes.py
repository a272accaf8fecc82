"""Sandboxes of builds and of tools: whether this machine can make them."""

import functools
import os
import subprocess

import pytest

from denizen.app.environments.standing_tree import confines_tools
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
    _require(_refusal())


def require_confinement() -> None:
    """Skip, saying why, unless this machine's kernel can confine a tool; in CI fail instead."""
    is_able = confines_tools(os.fsencode(enter_path(machine_name())))
    _require("" if is_able else "the kernel's Landlock is too old, or it has none")


def _require(reason: str) -> None:
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
