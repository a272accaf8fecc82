"""Results as a terminal and as a script get them."""

import io
from pathlib import Path

import pytest

from denizen.cli.output import Output


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_no_escape_sequence_of_a_path() -> None:
    there = _Terminal()
    Output(there, io.StringIO()).line("two\n\tlines of /\x1b]0;title\x07/\udcffname")
    assert there.getvalue() == "two\n\tlines of /\\x1b]0;title\\x07/\\udcffname\n"


@pytest.mark.parametrize("path", ["/\x1b[31m/name", "/\udcffname"])
def test_a_script_gets_a_path_as_it_is(tmp_path: Path, path: str) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8", errors="surrogateescape") as stream:
        Output(stream, io.StringIO()).line(path)
    assert (tmp_path / "out").read_bytes() == path.encode("utf-8", "surrogateescape") + b"\n"
