"""A program cannot tell by what it sees of itself that it was not started natively."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.contract.strategies.started import FACTS, Started

pytestmark = pytest.mark.slow


def test_it_sees_its_words(started: Started, program: Path) -> None:
    assert started.lines(program, "words", "", "--", "two words", "ü") == [
        os.fspath(program), "words", "", "--", "two words", "ü",
    ]  # fmt: skip


def test_others_see_its_words_as_ps_does(started: Started, program: Path) -> None:
    assert started.lines(program, "cmdline", "two words", "x") == [
        os.fspath(program), "cmdline", "two words", "x",
    ]  # fmt: skip


def test_its_file_is_never_written(started: Started, program: Path) -> None:
    before = hashlib.sha256(program.read_bytes()).digest(), program.stat().st_mtime_ns
    started.lines(program, "words")
    assert (hashlib.sha256(program.read_bytes()).digest(), program.stat().st_mtime_ns) == before


def test_its_own_name_in_proc_is_the_programs(started: Started, program: Path) -> None:
    assert started.lines(program, "exe") == [os.fspath(program)] * 4


def test_its_own_file_in_proc_is_the_programs(started: Started, program: Path) -> None:
    assert started.lines(program, "same", os.fspath(program)) == ["1 1"]


def test_the_kernel_told_it_its_name(started: Started, program: Path) -> None:
    assert started.lines(program, "execfn") == [os.fspath(program)]


def test_it_executes_itself_by_proc(started: Started, program: Path) -> None:
    assert started.lines(program, "again") == ["another name", "words", "x"]


def test_what_is_appended_to_its_file_is_found(started: Started) -> None:
    """As bun, deno, pkg and PyInstaller find theirs: at the end of /proc/self/exe."""
    single = started.compile("single", FACTS)
    with single.open("ab") as stream:
        stream.write(b"payload")
    started.run(single, "exit", "0")
    assert started.lines(single, "payload") == ["payload"]
