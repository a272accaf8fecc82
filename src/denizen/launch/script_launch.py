"""The start of a script without a namespace: the loader starts its interpreter, of the host or brought.

If the kernel started the host's interpreter, the foreign programs that it starts in turn would not be
noticed. So the loader maps it with the host's own dynamic linker and libraries, and with the library
denizen-inside, which follows its children (loader/inside). An interpreter that the host lacks is a command
like others: the first start has it brought.
"""

from __future__ import annotations

from denizen import elf
from denizen.errors import BadInput, display
from denizen.fileview import is_absent
from denizen.launch.decisions.program_identity import machine_of
from denizen.launch.fhs_rules import COMMANDS
from denizen.launch.loader.loader_settings import HOST_PREFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.elf.script import Script
    from denizen.launch.program import Program


def obstacle(program: Program, machine: int, brings: Callable[[bytes], bool]) -> str:
    """Return the reason against this start, "" for none.

    Args:
        program: the script.
        machine: the loader's.
        brings: tells whether what is executed at a path where nothing is may be brought.
    """
    script, view = program.script, program.view
    if script is None:
        return "it is neither a program nor a script"
    interpreter = script.interpreter
    if program.path.startswith(HOST_PREFIXES):
        return "it is a script of the host's"
    if not interpreter.startswith(HOST_PREFIXES):
        return f"it is a script, and {display(interpreter)} is not the host's"
    if is_brought(program, brings):
        return ""
    try:
        image = elf.read(view.read(interpreter))
        there = image.interpreter is not None and view.stat(image.interpreter) is not None
    except (OSError, BadInput):
        return f"it is a script, and {display(interpreter)} is no program that starts here"
    if not there or machine_of(image) != machine:
        return f"it is a script, and {display(interpreter)} is static or another machine's"
    return ""


def is_brought(program: Program, brings: Callable[[bytes], bool]) -> bool:
    """Tell whether a script's interpreter is a command that this host lacks and that may be brought."""
    script = program.script
    return script is not None and is_absent(program.view, script.interpreter) and brings(script.interpreter)


def words(script: Script) -> tuple[bytes, ...]:
    """Return the loader's arguments before the script's own."""
    return (b"--as", script.interpreter, *_called(script))


def interpreter_of(script: Script) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the path of what interprets a script, and the words ahead of the script's own.

    That is the command which `env` finds, in the directory where packages have it, where its line has nothing
    else for `env` to do.
    """
    env = script.env
    named = env.program if env is not None else None
    if env is None or not named or b"/" in named or env.assignments:
        return script.interpreter, _called(script)
    if not (script.argument or b"").startswith((named, b"-S")):
        return script.interpreter, _called(script)
    return COMMANDS + named, (named, *env.arguments)


def words_to_bring(script: Script) -> tuple[bytes, ...]:
    """Return the loader's arguments before the script's own where the interpreter is brought."""
    return (b"--command", script.interpreter, *_called(script))


def _called(script: Script) -> tuple[bytes, ...]:
    return (script.interpreter,) if script.argument is None else (script.interpreter, script.argument)
