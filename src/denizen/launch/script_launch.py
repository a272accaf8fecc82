"""The start of a script without a namespace: the loader starts its interpreter, a program of the host.

If the kernel started the interpreter, the foreign programs that it starts in turn would not be noticed. So
the loader maps it with the host's own dynamic linker and libraries, and with the library denizen-inside,
which follows its children (loader/inside).
"""

from __future__ import annotations

from denizen import elf
from denizen.errors import BadInput, display
from denizen.launch.decisions.program_identity import machine_of
from denizen.launch.loader.loader_settings import HOST_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.script import Script
    from denizen.launch.program import Program


def obstacle(program: Program, machine: int) -> str:
    """Return the reason against this start, "" for none; `machine` is the loader's."""
    script, view = program.script, program.view
    if script is None:
        return "it is neither a program nor a script"
    interpreter = script.interpreter
    if program.path.startswith(HOST_PREFIXES):
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


def words(script: Script, instead: bytes = b"") -> tuple[bytes, ...]:
    """Return the loader's arguments before the script's own; `instead` is executed, if it is given."""
    argument = () if script.argument is None else (script.argument,)
    return (b"--as", instead or script.interpreter, script.interpreter, *argument)
