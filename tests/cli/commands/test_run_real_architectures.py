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


def _program(context: Context, architecture: str, place: Path) -> Path:
    """Return jq for an architecture, outside of the store. Raises SourceFailed."""
    session = context.session
    for problem in ensure(session, SUITE, architecture, Scope.LIBRARIES, FetchPolicy()).values():
        raise problem
    index = open_index(session, architecture, SUITE)
    with made_store(session) as store, store.working() as work:
        (found, *_) = index.packages(b"jq")
        tree = store.place_of(unpacked(store, work, pin_of(found, {}), supply_of(session, FetchPolicy())))
    index.close()
    return Path(shutil.copy(Path(os.fsdecode(tree)) / "usr" / "bin" / "jq", place))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_program_with_libraries_runs(archive: Context, tmp_path: Path, architecture: str) -> None:
    with one_at_a_time(archive):
        try:
            program = _program(archive, architecture, tmp_path)
        except SourceFailed as problem:
            pytest.skip(f"the archive cannot give {architecture} now: {problem}")
        root = archive.session.root
        assert root is not None
        command = [sys.executable, "-m", "denizen", "--root", os.fspath(root), "run", os.fspath(program)]
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
