"""Builds that are killed, interrupted, or that do their worst: a clear word, and nothing lost."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.build.runner.errors import BuildFailed
from denizen.errors import DenizenError
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.upkeep.verification import verify
from tests.support.build_sandboxes import require_sandbox
from tests.support.nix_builds import SHOWN
from tests.support.processes import PATIENCE, is_in_a_command, wait_until
from tests.support.shell_builders import Site
from tests.support.untraced import environment

DENIZEN = [sys.executable, "-m", "denizen", "realise", "-L"]
PATHS = [f"--sandbox-path={target}={source}" for target, source in SHOWN.items()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    require_sandbox()
    # Where the command has its store below a root; no one else may write there, whatever the umask.
    (tmp_path / "data").mkdir(mode=0o755)
    return Site(tmp_path / "data")


def started(site: Site, drv: str, *options: str) -> subprocess.Popen[bytes]:
    """Start `denizen realise`, in a process group of its own."""
    root = site.shop.directory.parent
    file = os.fsencode(site.shop.store.layout.physical) + b"/" + drv.encode()
    command = [*DENIZEN, f"--root={root}", *PATHS, *options, os.fsdecode(file)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=environment()
    )


def wait_for(process: subprocess.Popen[bytes], word: bytes) -> None:
    assert process.stderr is not None
    said = b""
    while word not in said:
        line = process.stderr.readline()
        assert line, said
        said += line


def test_ctrl_c_ends_builders_and_leaves_nothing(site: Site) -> None:
    marker = f"1001.{os.getpid()}"
    sealed = site.derive("long", f"(setsid sleep {marker} &); echo begun; sleep {marker}; echo x > $out")
    with started(site, sealed.path.base) as process:
        wait_for(process, b"begun")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=PATIENCE) == 130
    wait_until(lambda: not is_in_a_command(marker))
    assert site.shop.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_builders_end_with_denizen_however_it_ends(site: Site, number: signal.Signals) -> None:
    marker = f"1002.{os.getpid()}"
    sealed = site.derive("long", f"(setsid sleep {marker} &); echo begun; sleep {marker}; echo x > $out")
    with started(site, sealed.path.base) as process:
        wait_for(process, b"begun")
        process.send_signal(number)
        process.wait(timeout=PATIENCE)
    wait_until(lambda: not is_in_a_command(marker))
    collect(site.shop.store, Limits())
    assert site.shop.left_behind() == []


def test_without_a_sandbox_they_end_too(site: Site) -> None:
    marker = f"1003.{os.getpid()}"
    sealed = site.derive("long", f"(setsid sleep {marker} &); echo begun; sleep {marker}; echo x > $out")
    with started(site, sealed.path.base, "--no-sandbox") as process:
        wait_for(process, b"begun")
        process.kill()
        process.wait(timeout=PATIENCE)
    wait_until(lambda: not is_in_a_command(marker))


def test_killed_at_any_moment_nothing_is_lost(site: Site) -> None:
    first = site.derive("first", "mkdir -p $out/d; for i in 1 2 3 4 5 6 7 8; do echo $i > $out/d/$i; done")
    # The kills are spread over the time that an undisturbed run takes here.
    begun = time.monotonic()
    with started(site, first.path.base) as process:
        assert process.wait(timeout=PATIENCE) == 0
    length = time.monotonic() - begun
    for step in range(1, 9):
        sealed = site.derive(f"tree-{step}", "mkdir $out; seq 1000 > $out/x; chmod -R a-w $out")
        with started(site, sealed.path.base) as process:
            time.sleep(length * step / 8)
            process.kill()
            process.wait(timeout=PATIENCE)
        assert not list(verify(site.shop.store, contents=True))
        site.realise(sealed)
        assert (site.shop.place(sealed) / "x").read_bytes().endswith(b"1000\n")
    collect(site.shop.store, Limits())
    assert site.shop.left_behind() == []


def test_directories_in_one_another_without_end_are_refused_and_removed(site: Site) -> None:
    script = "i=0; while [ $i -lt 1200 ]; do mkdir d; cd d; i=$((i+1)); done"
    with pytest.raises(DenizenError, match="cannot be stored"):
        site.realise(site.derive("deep", f"mkdir $out; cd $out; {script}"))
    assert site.shop.left_behind() == []
    with pytest.raises(BuildFailed):
        site.realise(site.derive("deep-elsewhere", f"{script}; exit 1"))
    assert site.shop.left_behind() == []


def test_a_builder_that_deletes_all_it_can_harms_nothing(site: Site) -> None:
    used = site.output("used", "mkdir $out; echo x > $out/x")
    script = """set +e; exec 2> /dev/null
        rm -rf $used /build /tmp /nix /dev /etc /usr; rm -rf / --no-preserve-root
        echo x > $out"""
    out = site.built_with("deleter", script, {"used": str(used)}, used)
    assert out.read_text() == "x\n"
    assert (used / "x").read_text() == "x\n"
    assert Path("/usr/bin").is_dir()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_builder_that_fills_the_disk_fails_alone(small_disk: Path) -> None:
    require_sandbox()
    site = Site(small_disk)
    good = site.derive("good", "echo x > $out")
    full = site.derive("full", "mkdir $out; cat /dev/zero > $out/x")
    with pytest.raises(DenizenError, match=r"No space left|ended with status"):
        site.realise(full)
    assert site.shop.left_behind() == []
    assert not list(verify(site.shop.store, contents=True))
    site.realise(good)
    assert site.shop.place(good).read_text() == "x\n"


def test_a_full_disk_is_told_and_ends_nothing_else(small_disk: Path) -> None:
    require_sandbox()
    site = Site(small_disk)
    sealed = site.derive("later", "echo x > $out")
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(DenizenError, match="No space left"):
        site.realise(sealed)
    filler.unlink()
    site.realise(sealed)
    assert not list(verify(site.shop.store, contents=True))
    assert site.shop.left_behind() == []


def fill(file: Path) -> None:
    """Write to a file until the disk is full."""
    with file.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)):
            pass
