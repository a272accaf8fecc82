"""The check whether a program will start in a target, by the model of its dynamic linker.

Nothing of the target is executed. Its own libraries are those that a command linked there finds: what they
lack (a library, a version of a symbol, the interpreter of a script) is found when the system is built, and
not by the machine that boots it.
"""

from __future__ import annotations

from denizen.elf.script import BUFFER_SIZE, parse_script
from denizen.errors import BadInput, HostLacks, display
from denizen.fileview import exists
from denizen.linker import Environment, bind, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView

# Names in a sentence; a program without any of its libraries lacks dozens.
_NAMED = 4


class TargetLacks(HostLacks):
    """The error that a program of no package lacks something in the target."""

    names: tuple[str, ...]

    @property
    def what(self) -> str:
        more = f" and {len(self.names) - _NAMED} more" if len(self.names) > _NAMED else ""
        return f"the target lacks {', '.join(self.names[:_NAMED])}{more}"


def lacking_for(view: FileView, program: bytes) -> Iterator[str]:
    """Yield the names of what a program needs to start and the target, seen through `view`, has not."""
    if interpreter := script_interpreter(view, program):
        if not exists(view, interpreter):
            yield display(interpreter)
        return
    try:
        closure = resolve(view, program, Environment())
    except (OSError, BadInput):
        return  # no program for this kind of machine
    if closure.interpreter.path and not closure.interpreter_found:  # a static program has none
        yield display(closure.interpreter.path)
    if closure.missing:
        yield from sorted({display(one.soname) for one in closure.missing})
        return
    yield from sorted(
        {f"{display(one.version)} in {display(one.file)}" for one in bind(closure, ()).missing_versions}
    )


def script_interpreter(view: FileView, program: bytes) -> bytes:
    """Return the path of a script's interpreter; b"" for what is no script, or cannot be read."""
    try:
        script = parse_script(bytes(view.read(program))[:BUFFER_SIZE])
    except (OSError, BadInput):
        return b""  # a dangling link, or a line that env refuses: no matter of the target's
    return script.interpreter if script is not None else b""
