"""Showing how far work has come."""

import io
import time

import pytest

from denizen.cli.output import Output
from denizen.cli.views.work_progress import Meter, MeteredStream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def shown(stream: io.StringIO, clock: list[float], *, verbosity: int = 0, total: int | None = None) -> str:
    with Meter(Output(io.StringIO(), stream, None, verbosity), "verifying", "objects", total) as meter:
        for _ in range(70):
            meter.advance(10)
            clock[0] += 0.25
    return stream.getvalue()


def test_elsewhere_lines_come_after_a_second_and_ever_more_rarely(clock: list[float]) -> None:
    lines = shown(io.StringIO(), clock, total=700).splitlines()
    assert lines[0] == "verifying: 50 of 700 objects, 50/s"
    assert len(lines) == 5


def test_on_a_terminal_there_is_a_bar(clock: list[float]) -> None:
    drawn = shown(Terminal(), clock, total=700)
    assert "verifying" in drawn
    assert "50 of 700 objects" in drawn


def test_what_is_soon_over_is_not_mentioned_nor_anything_when_quiet(clock: list[float]) -> None:
    stream = io.StringIO()
    with Meter(Output(io.StringIO(), stream), "verifying", "objects") as meter:
        meter.advance(10)
    assert stream.getvalue() == ""
    assert shown(io.StringIO(), clock, verbosity=-1) == ""


def test_bytes_of_a_stream_are_shown_as_people_say_them(clock: list[float]) -> None:
    stream = io.StringIO()
    with Meter(Output(io.StringIO(), stream), "restoring", "bytes") as meter:
        clock[0] += 2
        assert MeteredStream(io.BytesIO(b"x" * 12_000), meter).read(65_536) == b"x" * 12_000
    assert stream.getvalue() == "restoring: 12.0 kB, 6.0 kB/s\n"
