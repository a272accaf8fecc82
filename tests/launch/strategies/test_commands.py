"""The commands that strategies are."""

from pathlib import Path
from typing import cast

from denizen.disk import DiskView
from denizen.fhs.enter import Inside
from denizen.launch.decisions.decision_store import DecisionStore
from denizen.launch.strategies.commands import ChildDecisions, ProgramStart, StrategyCommands


def test_an_environment_the_kernel_refuses_has_another_way(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "usr" / "lib64").mkdir(parents=True)
    start = ProgramStart(DiskView(), b"/home/x", None, b"/lib64/ld-linux-x86-64.so.2")
    ways = StrategyCommands(
        start, cast("DecisionStore", None), bytes(tmp_path / "state"), ChildDecisions((), b"")
    )
    inside = Inside(bytes(tree), b"/enter", bytes(tmp_path / "stage"))
    assert ways.surrounded(inside, (b"denizen", b"run"))[:5] == (b"/enter", b"else", b"2", b"denizen", b"run")
    assert ways.surrounded(inside, ())[1] != b"else"
