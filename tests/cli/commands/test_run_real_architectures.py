"""`denizen run` of the archive's own programs for other architectures: by qemu-user, with their libraries."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.app.supply.ensure_index import ensure
from denizen.app.supply.open_index import open_index
from denizen.app.supply.package_supply import supply_of
from denizen.app.supply.store_access import made_store
from denizen.cli.command import Context
from denizen.errors import SourceFailed
from denizen.machines import by_debian
from denizen.resolve.installation.install import unpacked
from denizen.resolve.resolution import pin_of
from denizen.sources.base import Scope
from denizen.sources.fetch_policy import FetchPolicy
from tests.support.real_archive import one_at_a_time, real_archive

pytestmark = pytest.mark.slow

SUITE = ("stable",)
# 32 bits and big-endian ones among them. jq needs libjq, and that libonig.
ARCHITECTURES = ("armhf", "ppc64el", "riscv64", "s390x")


@pytest.fixture(scope="module")
def archive() -> Context:
    return real_archive()


def _program(context: Context, architecture: str, name: str, place: Path) -> Path:
    """Return the program of the package of its name for an architecture, outside of the store.

    Skips where the archive cannot be asked.
    """
    try:
        return _unpacked_program(context, architecture, name, place)
    except SourceFailed as problem:
        pytest.skip(f"the archive cannot give {architecture} now: {problem}")


def _unpacked_program(context: Context, architecture: str, name: str, place: Path) -> Path:
    session = context.session
    for problem in ensure(session, SUITE, architecture, Scope.LIBRARIES, FetchPolicy()).values():
        raise problem
    index = open_index(session, architecture, SUITE)
    with made_store(session) as store, store.working() as work:
        (found, *_) = index.packages(name.encode())
        tree = store.place_of(unpacked(store, work, pin_of(found, {}), supply_of(session, FetchPolicy())))
    index.close()
    return Path(shutil.copy(Path(os.fsdecode(tree)) / "usr" / "bin" / name, place))


def _command(context: Context, program: Path) -> list[str]:
    root = context.session.root
    assert root is not None
    return [sys.executable, "-m", "denizen", "--root", os.fspath(root), "run", os.fspath(program)]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_program_with_libraries_runs(archive: Context, tmp_path: Path, architecture: str) -> None:
    with one_at_a_time(archive):
        program = _program(archive, architecture, "jq", tmp_path)
        command = _command(archive, program)
        for _ in range(2):
            done = subprocess.run(
                [*command, "-n", "[1, 2] | add"], capture_output=True, text=True, check=False, timeout=300
            )
            assert (done.returncode, done.stdout) == (0, "3\n"), done.stderr
    machine = by_debian(architecture)
    assert machine is not None
    why = [*command[:5], "why", os.fspath(program)]
    shown = subprocess.run(why, capture_output=True, text=True, check=False, timeout=300).stdout
    assert f"qemu-{machine.qemu}" in shown


@pytest.mark.parametrize("architecture", ["arm64", *ARCHITECTURES])
def test_a_library_that_it_opens_comes_with_what_that_needs(
    archive: Context, tmp_path: Path, architecture: str
) -> None:
    """Lua opens a library by a name that only its script has; libjq needs libonig."""
    script = 'print(package.loadlib("lib" .. "jq.so." .. 1, "*"))'
    with one_at_a_time(archive):
        program = _program(archive, architecture, "lua5.4", tmp_path)
        command = [*_command(archive, program), "-e", script]
        for _ in range(2):
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            assert (done.returncode, done.stdout) == (0, "true\n"), done.stderr
