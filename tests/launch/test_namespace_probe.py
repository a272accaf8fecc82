"""Trials of what the host allows: the answer is of now, and its reason is the kernel's."""

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.launch.namespace_probe import obstacle
from tests.support.compiled_loaders import compile_loader
from tests.support.hosts import namespace_filter
from tests.support.peers import require
from tests.support.seccomp import under_filter

# linux/seccomp.h, linux/audit.h, asm/unistd_64.h.
_KILL, _ALLOW, _UNSHARE = 0x80000000, 0x7FFF0000, 272
_TWICE = """
import os, sys
from denizen.launch.namespace_probe import obstacle
print(repr(obstacle(sys.argv[1].encode(), [word.encode() for word in sys.argv[2].split()])))
sys.stdout.flush()
if sys.argv[3:]:
    os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.fixture(scope="module")
def enter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if os.uname().machine != "x86_64":
        pytest.skip("the seccomp filters are written for x86-64")
    return compile_loader(tmp_path_factory.mktemp("enter") / "denizen-enter")


def _before_and_under(enter: Path, content: bytes, *plan: str) -> list[str]:
    try_once = [sys.executable, "-c", _TWICE, os.fspath(enter), " ".join(plan)]
    command = [*try_once, *under_filter(content, try_once)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_same_process_in_the_same_namespaces_gets_another_answer_under_a_filter(enter: Path) -> None:
    before, under = _before_and_under(enter, namespace_filter(), "private")
    if before != "''":
        pytest.skip(f"no namespace to be had: {before}")
    assert under == "'no namespace: unshare: this host forbids it (EPERM)'"


def test_a_filter_that_kills_is_named(enter: Path) -> None:
    rows = [(0x20, 0, 0, 0), (0x15, 0, 1, _UNSHARE), (0x06, 0, 0, _KILL), (0x06, 0, 0, _ALLOW)]
    content = b"".join(struct.pack("<HBBI", *row) for row in rows)
    _, under = _before_and_under(enter, content, "private")
    assert under == '"a seccomp filter of this host\'s ends who tries"'


def test_the_reason_is_the_call_and_its_error(enter: Path) -> None:
    plan = [b"bind", b"/nonexistent/a", b"/nonexistent/b"]
    reason = "cannot bring about /nonexistent/b: mount: no such file or directory (ENOENT)"
    assert obstacle(bytes(enter), plan) == reason


def test_a_limit_on_namespaces_is_told(enter: Path) -> None:
    require("unshare", "setpriv")
    script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-sys_admin "$@"'
    room = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
    done = subprocess.run([*room, enter, "private", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 126
    assert "no namespace: unshare: " in done.stderr
    assert "(ENOSPC)" in done.stderr


def test_a_trial_that_cannot_be_made_is_an_obstacle() -> None:
    assert "No such file" in obstacle(b"/nonexistent/enter", [])


def test_words_and_status_of_who_is_no_enter(tmp_path: Path) -> None:
    for script, reason in (
        ("exit 3", "the trial ended with status 3"),
        ("kill -9 $$", f"the trial was ended by signal {int(signal.SIGKILL)}"),
        ("echo denizen: so >&2; exit 1", "so"),
    ):
        enter = tmp_path / "enter"
        enter.write_text(f"#!/bin/sh\n{script}\n")
        enter.chmod(0o755)
        assert obstacle(bytes(enter), []) == reason
