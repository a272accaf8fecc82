"""Files of /etc, killed at every change that an activation makes of a file system."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from denizen.system.etc_views import EtcViews, PlacedFile
from denizen.system.target_root import TargetRoot
from tests.support.kill_points import killed_at
from tests.support.syscall_faults import directory_in_memory

BEFORE = {"both": "old", "gone": "old", "copy": "old"}
AFTER = {"both": "new", "copy": "new", "deep/er/new": "new", "hosts": "new", "localtime": "new"}
# What is there without denizen.
THEIRS = {"hosts": "theirs", "localtime": "zone", "gone": "kept"}


@pytest.fixture
def target() -> Iterator[Path]:
    with directory_in_memory() as directory:
        target = directory / "target"
        (target / "etc").mkdir(parents=True)
        (target / "zone").write_text("zone")
        for generation, files in (("old", BEFORE), ("new", AFTER)):
            for path in files:
                place = target / "store" / generation / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(generation)
        (target / "etc" / "hosts").write_text("theirs")
        (target / "etc" / "localtime").symlink_to("../zone")
        (target / "etc" / "gone").write_text("kept")
        yield target


def activate(target: Path, generation: str, files: dict[str, str]) -> None:
    views = EtcViews(TargetRoot(os.fsencode(target)))
    views.recover()
    placed = [
        PlacedFile(path, b"", text.encode(), 0o640)
        if path == "copy"
        else PlacedFile(path, f"store/{generation}/{path}".encode())
        for path, text in files.items()
    ]
    base = f"{'0' * 31}{len(files)}-{generation}" if files else ""
    views.activate(base, placed, views.plan(placed))


def seen(target: Path) -> dict[str, str]:
    etc, found = target / "etc", {}
    for path in {*BEFORE, *AFTER, *THEIRS}:
        if (etc / path).exists():
            found[path] = (etc / path).read_text()
    return found


@pytest.mark.parametrize(
    ("before", "after", "stride"),
    # A stride of 1 tries every step, and takes a third of a minute in all.
    [(BEFORE, AFTER, 3), (AFTER, BEFORE, 5), ({}, AFTER, 4), (AFTER, {}, 3)],
    ids=["to another", "and back", "the first", "the last"],
)
def test_a_reader_finds_all_old_files_or_all_new_ones_wherever_it_is_killed(
    target: Path, before: dict[str, str], after: dict[str, str], stride: int
) -> None:
    old, new = THEIRS | before, THEIRS | after
    names = {id(BEFORE): "old", id(AFTER): "new"}
    if before:
        activate(target, names[id(before)], before)
    base = target.with_name("base")
    shutil.copytree(target, base, symlinks=True)
    outcomes = []
    for count in range(1, 300, stride):
        shutil.rmtree(target)
        shutil.copytree(base, target, symlinks=True)
        ended = killed_at(count, lambda: activate(target, names.get(id(after), ""), after))
        outcomes.append(seen(target) == new)
        assert outcomes[-1] or seen(target) == old, count
        EtcViews(TargetRoot(os.fsencode(target))).recover()
        assert seen(target) == (new if outcomes[-1] else old), count
        activate(target, "", {})
        assert seen(target) == THEIRS, count
        assert os.readlink(target / "etc" / "localtime") == "../zone"
        left = {str(path.relative_to(target)) for path in (target / "etc").rglob("*")}
        assert left - {"etc/deep", "etc/deep/er"} == {"etc/hosts", "etc/localtime", "etc/gone"}, count
        if ended:
            break
    assert ended
    # Old up to one rename, new from it on.
    assert outcomes == sorted(outcomes)
    assert {True, False} == set(outcomes)
