"""The words for a path that leads to no program."""

import os
from pathlib import Path

from denizen.app.no_program import near_program, why_missing

_ABSENT = FileNotFoundError(2, "No such file or directory")


def test_a_link_to_nothing_is_told_with_its_target(tmp_path: Path) -> None:
    link = tmp_path / "tool"
    link.symlink_to("tool-\x1b2")
    assert why_missing(os.fsencode(link), _ABSENT) == "it is a link to tool-\\x1b2, which is not here"
    assert why_missing(os.fsencode(tmp_path / "other"), _ABSENT) == "No such file or directory"


def test_a_loop_of_links_is_the_system_s_to_tell(tmp_path: Path) -> None:
    link = tmp_path / "tool"
    link.symlink_to(link)
    problem = OSError(40, "Too many levels of symbolic links")
    assert why_missing(os.fsencode(link), problem) == problem.strerror


def test_the_nearest_name_that_can_be_executed_is_meant(tmp_path: Path) -> None:
    for name, mode in (("progg", 0o644), ("program", 0o755), ("other", 0o755)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "progr").mkdir()
    assert near_program(os.fsencode(tmp_path / "progra")) == os.fsencode(tmp_path / "program")
    assert near_program(os.fsencode(tmp_path / "unlike")) == b""
    assert near_program(os.fsencode(tmp_path / "nowhere/program")) == b""
