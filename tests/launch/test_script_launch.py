"""Which scripts the loader can start by the host's own interpreter."""

import pytest

from denizen.fileview import MemoryView
from denizen.launch.decisions.program_identity import machine_word
from denizen.launch.program import Program, open_program
from denizen.launch.script_launch import obstacle, words
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


def test_nothing_stands_against_the_hosts_shell() -> None:
    assert obstacle(_program(b"/home/run"), _HERE) == ""


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
    assert why in obstacle(_program(script), _HERE)


def test_the_interpreter_is_called_as_the_kernel_would() -> None:
    script = _program(b"/home/run").script
    assert script is not None
    assert words(script) == (b"--as", b"/bin/sh", b"/bin/sh", b"-e x")
