"""A script where no namespace is to be had: its interpreter, the host's, is started by the loader.

The kernel would start the interpreter, and nobody would notice the foreign programs that it starts in turn.
So the loader maps it with the host's own dynamic linker and libraries, and with the library inside that goes
on to its children (loader/inside).
"""

from __future__ import annotations

from denizen import elf
from denizen.elf.classify import classify
from denizen.errors import BadInput, display
from denizen.launch.decisions.program_identity import machine_of
from denizen.launch.strategies.namespace_plan import HOST_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.script import Script
    from denizen.fileview import FileView


def script_at(view: FileView, program: bytes) -> Script | None:
    """The script at `program`, if it is one. Raises OSError."""
    try:
        return classify(view.read(program)).script
    except BadInput:
        return None


def obstacle(view: FileView, program: bytes, machine: int) -> str:
    """What stands against it; `machine` is the loader's, as `machine_of` has it. Raises OSError."""
    script = script_at(view, program)
    if script is None:
        return "it is neither a program nor a script"
    interpreter = script.interpreter
    if program.startswith(HOST_PREFIXES):
        return "it is a script of the host's"
    if not interpreter.startswith(HOST_PREFIXES):
        return f"it is a script, and {display(interpreter)} is not the host's"
    try:
        image = elf.read(view.read(interpreter))
        there = image.interpreter is not None and view.stat(image.interpreter) is not None
    except (OSError, BadInput):
        return f"it is a script, and {display(interpreter)} is no program that starts here"
    if not there or machine_of(image) != machine:
        return f"it is a script, and {display(interpreter)} is static or another machine's"
    return ""


def words(script: Script) -> tuple[bytes, ...]:
    """What the loader is given before the script's own words."""
    argument = () if script.argument is None else (script.argument,)
    return (b"--as", script.interpreter, script.interpreter, *argument)
