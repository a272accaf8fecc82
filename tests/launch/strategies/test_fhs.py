"""The command that enters an environment."""

from pathlib import Path

from denizen.fhs.entry_command import Inside
from denizen.launch.strategies.base import HostFindings
from denizen.launch.strategies.fhs import environment_command
from tests.support.strategy_starts import start_of


def test_an_environment_the_kernel_refuses_has_another_way(tmp_path: Path) -> None:
    start = start_of(tmp_path, b"#!/bin/sh\n", HostFindings(satisfies=True, starts=True))
    inside = Inside(bytes(tmp_path / "tree"), b"/enter", bytes(tmp_path / "stage"))
    found = environment_command(start.program, start.files, inside, (b"denizen", b"run"))
    assert found[:5] == (b"/enter", b"else", b"2", b"denizen", b"run")
    assert environment_command(start.program, start.files, inside, ())[1] != b"else"
