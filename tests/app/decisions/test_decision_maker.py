"""Deciding about a program: how often its file is looked at on the way."""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from denizen.app.decisions.decision_maker import DecisionMaker, decide
from denizen.app.decisions.dry_run import DryRun, plan_for
from denizen.app.errors import CannotStart
from denizen.app.session import Session
from denizen.app.start_request import NoSuchProgram, RunRequest
from denizen.disk_view import DiskView
from denizen.elf import image as elf_image
from denizen.host import machine_name
from denizen.launch.fast_path import decided
from denizen.launch.strategies.table import STRATEGIES
from denizen.machines import interpreter_of_kernel
from tests.support.command_context import context_of
from tests.support.elf_builder import Elf, build
from tests.support.offline_roots import DenizenHome

if TYPE_CHECKING:
    from denizen.bytesio import Buffer


class Reads:
    """How often files were read, and ELF files parsed, by path."""

    def __init__(self) -> None:
        self.read: list[bytes] = []
        self.parsed: list[bytes] = []


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    counted, read, parse = Reads(), DiskView.read, elf_image.Image.__init__
    buffers: list[tuple[Buffer, bytes]] = []

    def read_counted(self: DiskView, path: bytes) -> "Buffer":
        found = read(self, path)
        counted.read.append(path)
        buffers.append((found, path))
        return found

    def parse_counted(self: elf_image.Image, buffer: "Buffer") -> None:
        counted.parsed += [path for known, path in buffers if known is buffer]
        parse(self, buffer)

    monkeypatch.setattr(DiskView, "read", read_counted)
    monkeypatch.setattr(elf_image.Image, "__init__", parse_counted)
    return counted


@pytest.fixture(params=["program", "script"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    path = tmp_path / "app" / "bin" / request.param
    path.parent.mkdir(parents=True)
    own = build(Elf(interpreter=interpreter_of_kernel(machine_name()), needed=(b"libc.so.6",)))
    path.write_bytes(own if request.param == "program" else b"#!/bin/sh\n")
    path.chmod(0o755)
    return os.fsencode(path)


def test_a_program_is_read_and_parsed_once_for_all_answers_of_a_dry_run(
    program: bytes, tmp_path: Path, reads: Reads
) -> None:
    session = context_of({}, os.fspath(tmp_path / "root")).session
    dry_run = DryRun(session, program, offline=True)
    assert dry_run.improvement() is None
    verdicts = dry_run.verdicts()
    assert [one.strategy for one in verdicts] == [*STRATEGIES]
    assert dry_run.files(verdicts) == ()
    assert dry_run.emulator_words() == ""
    assert reads.read.count(program) == 1
    assert reads.parsed.count(program) == 1


def test_a_resolution_adds_what_it_reads_itself(tmp_path: Path, reads: Reads) -> None:
    """For its architecture, and as a recorded question; realising and the linker model add nothing."""
    home = DenizenHome(tmp_path)
    home.set_up("index", "update", "--suite", "debian")
    program = os.fsencode(home.compile("greets"))
    session = context_of({}, os.fspath(home.root)).session
    made = decide(session, program, RunRequest()).decision
    assert not made.host
    assert reads.read.count(program) == 3


def test_a_scripts_decision_is_void_when_its_interpreter_is_gone(tmp_path: Path) -> None:
    """The host's package with it was removed: another may be brought."""
    interpreter, script = tmp_path / "interpreter", tmp_path / "script"
    interpreter.symlink_to("/bin/sh")
    script.write_text(f"#!{interpreter}\n")
    script.chmod(0o755)
    session = context_of({}, os.fspath(tmp_path / "root")).session
    made = decide(session, os.fsencode(script), RunRequest(offline=True))
    assert decided(made.directory, os.fsencode(script)) == made.decision
    interpreter.unlink()
    assert decided(made.directory, os.fsencode(script)) is None


def test_a_script_whose_interpreter_is_named_by_a_relative_path_starts_where_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel starts it; in another directory the error says so."""
    (tmp_path / "interpreter").symlink_to("/bin/sh")
    script = tmp_path / "script"
    script.write_text("#!interpreter\n")
    script.chmod(0o755)
    session = context_of({}, os.fspath(tmp_path / "root")).session
    monkeypatch.chdir(tmp_path)
    assert decide(session, os.fsencode(script), RunRequest(offline=True)).decision.host
    monkeypatch.chdir("/")
    with pytest.raises(CannotStart, match="script cannot be started") as failure:
        decide(session, os.fsencode(script), RunRequest(offline=True))
    assert "in the current directory, where it is not here" in failure.value.why


@pytest.mark.parametrize("answer", [decide, plan_for])
def test_another_file_that_is_not_there_is_not_told_as_the_program(
    answer: Callable[[Session, bytes, RunRequest], object],
    program: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(_: DecisionMaker) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/another/file")

    session = context_of({}, os.fspath(tmp_path / "root")).session
    monkeypatch.setattr(DecisionMaker, "refuse_hopeless", fails)
    with pytest.raises(FileNotFoundError, match="/another/file"):
        answer(session, program, RunRequest())
    with pytest.raises(NoSuchProgram):
        answer(session, bytes(tmp_path / "absent"), RunRequest())
