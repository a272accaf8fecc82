"""Directories of decisions: others cannot list them, which tell of the user's programs; damaged trees."""

import os
import stat
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.program_identity import identity_of


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
@pytest.mark.parametrize("name", [b"", b"hermetic"])
def test_no_directory_of_decisions_can_be_listed_by_others(tmp_path: Path, umask: int, name: bytes) -> None:
    top = tmp_path / "state" / "decisions"
    top.parent.mkdir()
    decision = Decision(
        identity=identity_of(DiskView().stat(b"/bin/true")),
        headers=bytes(16),
        machine=0,
        ldso=b"/ld.so",
        program=b"/bin/true",
    )
    before = os.umask(umask)
    try:
        variant(os.fsencode(top), name).write(decision, movable=False)
    finally:
        os.umask(before)
    places = [Path(place) for place, _, _ in os.walk(tmp_path / "state") if place != str(tmp_path / "state")]
    assert top in places
    assert [place for place in places if stat.S_IMODE(place.stat().st_mode) & 0o066] == []
    assert stat.S_IMODE(top.stat().st_mode) == 0o700


def test_a_tree_that_is_not_there_is_not_damaged(tmp_path: Path) -> None:
    """Another process may put it there before it is set aside, and would lose it."""
    tree = tmp_path / "store" / "package"
    (tree / "lib").mkdir(parents=True)
    (tmp_path / "store" / "libraries").mkdir()
    decision = Decision(
        identity=identity_of(DiskView().stat(b"/bin/true")),
        headers=bytes(16),
        machine=0,
        ldso=os.fsencode(tree / "lib" / "ld.so"),
        program=b"/bin/true",
        search=os.fsencode(tmp_path / "store" / "libraries"),
    )
    kept = variant(os.fsencode(tmp_path / "decisions"), b"")
    kept.write(decision, movable=False)
    assert kept.damaged(decision.identity) == {os.fsencode(tree)}
    (tree / "lib").rmdir()
    tree.rmdir()
    assert kept.damaged(decision.identity) == set()
