"""Directories of projects' shells: they keep objects, and go with their projects."""

import os
import subprocess
from pathlib import Path

import pytest

from denizen.app.recipes.shell_directories import drop_unused_shells, kept_by_shells, shell_directory
from denizen.app.session import Session
from denizen.app.supply.store_access import made_store
from denizen.formats.storepath import StorePath
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.collection.gc_roots import add_indirect
from denizen.store.local import Store
from tests.support.command_context import context_of

DAY = 86400


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return context_of({}, str(tmp_path / "root")).session


def shell(session: Session, store: Store, file: Path, days: float) -> tuple[Path, StorePath]:
    """A directory that was used so many days ago, and the object that it keeps."""
    file.write_text("")
    directory = Path(shell_directory(session, str(file)))
    with store.working() as work:
        path = work.add_text(file.stem, file.stem.encode()).path
        add_indirect(store.layout, os.fsencode(directory / path.base), path)
    (directory / "build").mkdir()
    (directory / "build" / "file").write_text("left")
    (directory / "build").chmod(0o500)
    used = (directory / ".project").stat().st_mtime - days * DAY
    for place in (*directory.iterdir(), directory):
        os.utime(place, (used, used), follow_symlinks=False)
    return directory, path


def test_one_goes_with_its_project_and_one_that_nobody_uses(session: Session, tmp_path: Path) -> None:
    with made_store(session) as store:
        fresh, old, gone, lost = [
            shell(session, store, tmp_path / f"{name}.toml", days)
            for name, days in (("fresh", 20), ("old", 31), ("gone", 8), ("lost", 6))
        ]
        for name in ("gone", "lost"):
            (tmp_path / f"{name}.toml").unlink()
        assert kept_by_shells(session.paths.cache) == {one.base for _, one in (fresh, old, gone, lost)}
        assert drop_unused_shells(session, store, 30 * DAY, 7 * DAY) == 2
        assert [one.exists() for one, _ in (fresh, old, gone, lost)] == [True, False, False, True]
        collect(store, Limits())
        valid = store.database.valid_among([one for _, one in (fresh, old, gone, lost)])
        assert valid == {fresh[1], lost[1]}


def test_one_that_a_process_works_in_stays(session: Session, tmp_path: Path) -> None:
    with made_store(session) as store:
        directory, _ = shell(session, store, tmp_path / "a.toml", 40)
        with subprocess.Popen(["sleep", "600"], cwd=directory / "build") as process:
            try:
                assert drop_unused_shells(session, store, 30 * DAY, 7 * DAY) == 0
            finally:
                process.kill()
        assert drop_unused_shells(session, store, 30 * DAY, 7 * DAY) == 1
        assert not directory.exists()


def test_one_that_was_begun_again_is_used(session: Session, tmp_path: Path) -> None:
    with made_store(session) as store:
        directory, _ = shell(session, store, tmp_path / "a.toml", 40)
        assert shell_directory(session, str(tmp_path / "a.toml")) == str(directory)
        assert drop_unused_shells(session, store, 30 * DAY, 7 * DAY) == 0
