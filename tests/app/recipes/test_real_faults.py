"""Recipes that do their worst, are killed, or find no room: a clear word, and nothing lost."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.build_sandboxes import require_sandbox
from tests.support.peers import require
from tests.support.processes import is_in_a_command
from tests.support.real_archive import one_at_a_time, real_archive, with_packages

pytestmark = [pytest.mark.network, pytest.mark.slow]

# What deletes everything finds the compiler's /usr, its sources and its builder read-only.
HOSTILE = """
set +e
(setsid sleep MARKER &)
rm -rf --no-preserve-root / 2>/dev/null
rm -rf $__denizenRoot $fixupLibrary $sources
test -x /usr/bin/gcc && test -e $fixupLibrary && test -e $sources || exit 3
mkdir -p $out/bin locked/in
echo x > $out/bin/x
chmod 4755 $out/bin/x 2>/dev/null && exit 4
chmod 2755 $out/bin 2>/dev/null && exit 5
cp /usr/bin/true $out/bin/true
chmod -R a-w $out
chmod 0 locked/in locked
set -e
"""
# The greatest part of a file system is the store that lies below; what is written has 40 MB.
LITTLE_ROOM = """
mount -t tmpfs -o size=40m none "$1" && mkdir "$1/upper" "$1/work" || exit 99
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" none "$2" || exit 99
shift 2; exec "$@"
"""


@pytest.fixture(scope="module")
def root() -> Path:
    """A root whose environment of builds is there."""
    require_sandbox()
    return Path(os.fspath(real_archive().session.root or ""))


def recipe(directory: Path, name: str, install: str) -> Path:
    place = directory / name
    place.mkdir()
    (place / "source").write_text("x")
    (place / "recipe.toml").write_text(
        f'name = "{name}-{os.getpid()}-{time.time_ns()}"\nversion = "1"\nsuite = "trixie"\n'
        f"[[sources]]\npath = 'source'\n[phases]\ninstall = '''{install}'''\n"
    )
    return place


def command(root: Path, place: Path) -> list[str]:
    return [sys.executable, "-m", "denizen", "--root", str(root), "build", "--no-out-link", str(place)]


def built(root: Path, place: Path) -> subprocess.CompletedProcess[str]:
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command(root, place), capture_output=True, text=True, check=False, timeout=900)

    context = real_archive()
    with one_at_a_time(context):
        return with_packages(context, "amd64", run)


def test_a_recipe_that_does_its_worst_harms_nothing(root: Path, tmp_path: Path) -> None:
    marker = f"1004.{os.getpid()}"
    done = built(root, recipe(tmp_path, "hostile", HOSTILE.replace("MARKER", marker)))
    assert done.returncode == 0, done.stderr
    (out,) = [Path(place) for place in done.stdout.split() if not place.endswith("-debug")]
    assert {path.name: path.stat().st_mode & 0o7777 for path in (out / "bin").iterdir()} == {
        "x": 0o444, "true": 0o555,
    }  # fmt: skip
    subprocess.run([out / "bin/true"], check=True, env={})
    assert not is_in_a_command(marker)
    again = built(root, recipe(tmp_path, "after", "mkdir $out; echo 'int main(){}' > a.c; gcc -o $out/a a.c"))
    assert again.returncode == 0, again.stderr


def test_a_recipe_that_fails_leaves_nothing_and_says_where(root: Path, tmp_path: Path) -> None:
    place = recipe(tmp_path, "failing", "mkdir -p a/b; chmod 0 a/b a; echo went wrong; false")
    done = built(root, place)
    assert done.returncode == 125
    assert done.stdout == ""
    assert "phase install" in done.stderr
    assert "went wrong" in done.stderr
    assert f"denizen --root {root} log " in done.stderr
    words = [sys.executable, "-m", "denizen", "--root", str(root), "log", str(place)]
    assert "went wrong" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_a_recipe_that_is_killed_at_any_moment_is_built_the_next_time(root: Path, tmp_path: Path) -> None:
    marker = f"1005.{os.getpid()}"
    text = f"(setsid sleep {marker} &); mkdir -p $out; seq 9999 > $out/x; chmod -R a-w $out"
    begun = time.monotonic()
    assert built(root, recipe(tmp_path, "whole", text)).returncode == 0
    length = time.monotonic() - begun
    place = recipe(tmp_path, "killed", text)
    with one_at_a_time(real_archive()):
        for step in range(1, 5):
            process = subprocess.Popen(command(root, place), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(length * step / 5)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
    done = built(root, place)
    assert done.returncode == 0, done.stderr
    assert not is_in_a_command(marker)


def test_of_two_that_build_a_recipe_at_once_one_builds(root: Path, tmp_path: Path) -> None:
    place = recipe(tmp_path, "twice", "sleep 1; mkdir $out; date +%N > $out/x")
    built(root, recipe(tmp_path, "before", "mkdir $out"))
    pipe = subprocess.PIPE
    with one_at_a_time(real_archive()):
        both = [subprocess.Popen(command(root, place), stdout=pipe, stderr=pipe, text=True) for _ in "12"]
        said = [one.communicate(timeout=300) for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    assert said[0][0] == said[1][0]


def test_a_recipe_that_fills_the_disk_says_so(root: Path, tmp_path: Path) -> None:
    require("unshare", "mount")
    if os.geteuid():
        pytest.skip("only root can mount an overlay over the store")
    good = recipe(tmp_path, "good", "mkdir $out")
    assert built(root, good).returncode == 0
    full = recipe(tmp_path, "full", "mkdir $out; cat /dev/zero > $out/x")
    disk = tmp_path / "disk"
    disk.mkdir()
    small = recipe(tmp_path, "small", "mkdir $out; echo x > $out/x")
    shell = f"! {shlex.join(command(root, full))}; {shlex.join(command(root, small))}"
    around = ["unshare", "--mount", "sh", "-c", LITTLE_ROOM, "sh", str(disk), str(root), "sh", "-c", shell]
    with one_at_a_time(real_archive()):
        for name in ("full", "small"):
            place = tmp_path / name / "denizen.lock"
            place.write_bytes((good / "denizen.lock").read_bytes())
        done = subprocess.run(around, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode == 99:
        pytest.skip(f"no overlay can be mounted here: {done.stderr}")
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stderr
    assert "internal error" not in done.stderr
    # The small one was built on the same disk.
    assert f"small-{os.getpid()}" in done.stdout
