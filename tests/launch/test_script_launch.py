"""Which scripts the loader can start by the host's own interpreter."""

import pytest

from denizen.fileview import MemoryView
from denizen.launch.decisions.program_identity import machine_word
from denizen.launch.program import Program, open_program
from denizen.launch.script_launch import obstacle, words, words_to_bring
from tests.launch.strategies.test_entry_stub import program

_HERE = machine_word(64, 62)
_SCRIPTS = {
    b"/home/run": b"#!/bin/sh -e x\n",
    b"/home/own": b"#!/opt/lang/bin/lang\n",
    b"/home/none": b"#!/bin/none\n",
    b"/home/static": b"#!/bin/static\n",
    b"/home/strange": b"#!/bin/arm\n",
    b"/home/text": b"no script\n",
    b"/usr/bin/wrapper": b"#!/bin/sh\n",
}
_VIEW = MemoryView(
    {
        **_SCRIPTS,
        b"/bin/sh": program(),
        b"/opt/lang/bin/lang": program(),
        b"/bin/static": program(interpreter=False),
        b"/bin/arm": program(machine=183),
        b"/ld.so": b"",
    }
)


def _program(path: bytes) -> Program:
    return open_program(_VIEW, path)


def _brings_none(_: bytes) -> bool:
    return False


def test_nothing_stands_against_the_hosts_shell() -> None:
    assert obstacle(_program(b"/home/run"), _HERE, _brings_none) == ""


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (b"/home/own", "not the host's"),
        (b"/home/none", "no program"),
        (b"/home/static", "static or another machine's"),
        (b"/home/strange", "static or another machine's"),
        (b"/home/text", "neither a program nor a script"),
        (b"/usr/bin/wrapper", "a script of the host's"),
    ],
)
def test_what_cannot_be_carried_is_told(script: bytes, why: str) -> None:
    assert why in obstacle(_program(script), _HERE, _brings_none)


def test_an_interpreter_that_is_not_here_may_be_brought() -> None:
    def brings(path: bytes) -> bool:
        return path == b"/bin/none"

    assert obstacle(_program(b"/home/none"), _HERE, brings) == ""
    # What is here and cannot be started is not covered by another.
    assert obstacle(_program(b"/home/strange"), _HERE, lambda _: True) != ""


def test_the_interpreter_is_called_as_the_kernel_would() -> None:
    script = _program(b"/home/run").script
    assert script is not None
    assert words(script) == (b"--as", b"/bin/sh", b"/bin/sh", b"-e x")
    assert words_to_bring(script) == (b"--command", b"/bin/sh", b"/bin/sh", b"-e x")
