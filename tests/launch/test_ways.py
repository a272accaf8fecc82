"""The commands that strategies are."""

from pathlib import Path
from typing import cast

from denizen.disk import DiskView
from denizen.fhs.enter import Inside
from denizen.launch.keep import Shelf
from denizen.launch.ways import Following, Start, Ways


def test_an_environment_the_kernel_refuses_has_another_way(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "usr" / "lib64").mkdir(parents=True)
    start = Start(DiskView(), b"/home/x", None, b"/lib64/ld-linux-x86-64.so.2")
    ways = Ways(start, cast("Shelf", None), bytes(tmp_path / "state"), Following((), b""))
    inside = Inside(bytes(tree), b"/enter", bytes(tmp_path / "stage"))
    assert ways.surrounded(inside, (b"denizen", b"run"))[:5] == (b"/enter", b"else", b"2", b"denizen", b"run")
    assert ways.surrounded(inside, ())[1] != b"else"
