"""Whose decisions are followed in a user namespace, where root and all others are shown as nobody."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import SOMEBODY, TIMEOUT, LoaderSysroot, somebody
from tests.support.peers import require

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="keeps decisions as root and as a third user")

_SAY = '#include <stdio.h>\nint main() { puts("started"); }'
_THIRD = 12346


@pytest.fixture
def kept() -> Iterator[Path]:
    """A directory of decisions that only root can write, on the whole way to it."""
    require("unshare")
    place = Path("/var/lib") / f"denizen-test-{os.getpid()}"
    place.mkdir(mode=0o755)
    directory = place / "decisions"
    directory.mkdir(mode=0o755)
    yield directory
    shutil.rmtree(place)


def start(program: Path, *around: str, env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*around, program], capture_output=True, text=True, check=False, env=env, timeout=TIMEOUT,
        user=SOMEBODY, group=SOMEBODY, extra_groups=[],
    )  # fmt: skip


def namespace() -> tuple[str, ...]:
    return ("/usr/bin/unshare", "-U", f"--map-user={SOMEBODY}", f"--map-group={SOMEBODY}")


def decided(sysroot: LoaderSysroot, kept: Path) -> tuple[Path, Path]:
    """A program, and the decision about it."""
    sysroot.configure(LoaderSettings(directories=(os.fsencode(kept),)))
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    decision = Path(shutil.copy(sysroot.decide(program, sysroot.system("libc.so.6")), kept))
    decision.chmod(0o644)
    somebody(sysroot)
    return program, decision


def test_roots_decisions_are_followed(sysroot: LoaderSysroot, kept: Path) -> None:
    program, _ = decided(sysroot, kept)
    assert start(program).stdout == "started\n"
    done = start(program, *namespace())
    assert (done.stdout, done.stderr) == ("started\n", "")


def test_a_third_users_decision_is_not_followed_outside(sysroot: LoaderSysroot, kept: Path) -> None:
    program, decision = decided(sysroot, kept)
    os.chown(decision, _THIRD, _THIRD)
    done = start(program)
    assert (done.returncode, done.stdout) == (127, "")
    assert "belongs to somebody else" in done.stderr


@pytest.mark.parametrize("mode", [0o775, 0o1777], ids=["a group", "everybody"])
def test_a_decision_is_not_followed_where_others_may_put_one(
    sysroot: LoaderSysroot, kept: Path, mode: int
) -> None:
    program, decision = decided(sysroot, kept)
    for directory in (kept, kept.parent):
        directory.chmod(mode)
        done = start(program, *namespace())
        assert (done.returncode, done.stdout) == (127, "")
        assert "cannot be opened" in done.stderr
        directory.chmod(0o755)
    decision.chmod(0o664)
    done = start(program, *namespace())
    assert (done.returncode, done.stdout) == (127, "")
    assert "others may write it" in done.stderr


def test_no_link_leads_to_a_decision(sysroot: LoaderSysroot, kept: Path) -> None:
    program, _ = decided(sysroot, kept)
    (kept.parent / "link").symlink_to(kept)
    sysroot.configure(LoaderSettings(directories=(os.fsencode(kept.parent / "link"),)))
    assert start(program).stdout == "started\n"
    done = start(program, *namespace())
    assert (done.returncode, done.stdout) == (127, "")


@pytest.mark.parametrize("owner", [0, SOMEBODY], ids=["root's", "the user's"])
def test_with_capabilities_only_roots_decisions_count(sysroot: LoaderSysroot, kept: Path, owner: int) -> None:
    """A service with AmbientCapabilities would run what its user put there, if it followed that."""
    require("setpriv")
    program, decision = decided(sysroot, kept)
    os.chown(decision, owner, owner)
    assert start(program).stdout == "started\n"
    done = start_capable(program)
    if owner == 0:
        assert (done.stdout, done.stderr) == ("started\n", "")
    else:
        assert (done.returncode, done.stdout) == (127, "")
        assert "it has capabilities, and only root's decisions count then" in done.stderr


def test_with_capabilities_nobody_is_asked(sysroot: LoaderSysroot, kept: Path) -> None:
    require("setpriv")
    program, decision = decided(sysroot, kept)
    decision.unlink()
    # The helper says a word, and makes the decision.
    asked = kept.parent / "helper"
    asked.write_text("#!/bin/sh\necho asked >&2\n")
    asked.chmod(0o755)
    os.chown(kept, SOMEBODY, SOMEBODY)
    settings = LoaderSettings(directories=(os.fsencode(kept),), command=(os.fsencode(asked),))
    sysroot.configure(settings)
    assert "asked" in start(program).stderr
    assert "asked" not in start_capable(program).stderr


def test_with_capabilities_no_variable_names_the_linker(sysroot: LoaderSysroot, kept: Path) -> None:
    require("setpriv")
    sysroot.configure(LoaderSettings(directories=(os.fsencode(kept),), nix_ld=True))
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    sysroot.system("libc.so.6")
    somebody(sysroot)
    env = {"NIX_LD": str(sysroot.ldso), "NIX_LD_LIBRARY_PATH": str(sysroot.lib)}
    assert start(program, env=env).stdout == "started\n"
    done = start_capable(program, env=env)
    assert (done.returncode, done.stdout) == (127, "")


def test_in_a_user_namespace_capabilities_say_nothing(sysroot: LoaderSysroot, kept: Path) -> None:
    """There anybody has them."""
    program, decision = decided(sysroot, kept)
    os.chown(decision, SOMEBODY, SOMEBODY)
    around = ("/usr/bin/unshare", "-U", "--map-current-user", "--keep-caps")
    assert start(program, *around).stdout == "started\n"


def start_capable(program: Path, env: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    user = (f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups")
    capabilities = ("--inh-caps=+net_raw", "--ambient-caps=+net_raw")
    return subprocess.run(
        ["/usr/bin/setpriv", *user, *capabilities, program],
        capture_output=True, text=True, check=False, env=env, timeout=TIMEOUT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("owner", "above", "asked"),
    [(SOMEBODY, 0o755, True), (0, 0o755, False), (SOMEBODY, 0o700, False)],
    ids=["its own", "root's", "closed"],
)
def test_nobody_is_asked_who_could_not_keep_the_answer(
    sysroot: LoaderSysroot, kept: Path, owner: int, above: int, *, asked: bool
) -> None:
    """As a program that gave up root's rights and starts another, below root's loader."""
    helper, marks = sysroot.root / "helper", sysroot.root / "marks"
    helper.write_text(f'#!/bin/sh\necho asked >>"{marks}/mark"\n')
    helper.chmod(0o755)
    marks.mkdir(mode=0o777)
    sysroot.configure(LoaderSettings(directories=(os.fsencode(kept),), command=(os.fsencode(helper),)))
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    somebody(sysroot)
    marks.chmod(0o777)
    os.chown(kept, owner, owner)
    kept.parent.chmod(above)
    assert start(program).returncode == 127
    assert (marks / "mark").exists() == asked


def test_a_set_user_id_loader_starts_nothing(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY)
    somebody(sysroot)
    assert start(sysroot.loader, env={}).returncode == 127  # its usage
    sysroot.loader.chmod(0o4755)
    done = subprocess.run(
        [sysroot.loader, program], capture_output=True, text=True, check=False, env={}, timeout=TIMEOUT,
        user=SOMEBODY, group=SOMEBODY, extra_groups=[],
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (127, "")
    assert "a set-user-ID loader starts nothing" in done.stderr
