"""The check whether a package's commands will start in a target, by the model of its dynamic linker.

Nothing of the target is executed. Its own libraries are those that a command linked there finds: what they
lack (a library, a version of a symbol, the interpreter of a script) is told when the system is built, and not
by the machine that boots it.
"""

from __future__ import annotations

import os

from denizen.elf.script import BUFFER_SIZE, parse_script
from denizen.errors import BadInput, display
from denizen.fileview import exists
from denizen.linker import Environment, bind, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.fileview import FileView

# Named of each kind in a sentence; a program without any of its libraries lacks dozens.
_NAMED = 4


def refusals(view: FileView, programs: Iterable[bytes]) -> Iterator[str]:
    """Yield a sentence for each set of lacking things, with the programs that will not start for it."""
    without: dict[tuple[str, ...], list[str]] = {}
    for program in programs:
        lacking = tuple(lacking_for(view, program))
        if lacking:
            without.setdefault(lacking, []).append(display(os.path.basename(program)))
    for lacking, names in without.items():
        yield f"{_listed(names)} will not start in the target, which lacks {_listed(lacking)}"


def lacking_for(view: FileView, program: bytes) -> Iterator[str]:
    """Yield the names of what a program needs to start and the target, seen through `view`, has not."""
    try:
        script = parse_script(bytes(view.read(program))[:BUFFER_SIZE])
    except (OSError, BadInput):
        return  # a dangling link, or a line that env refuses: no matter of the target's
    if script is not None:
        if not exists(view, script.interpreter):
            yield display(script.interpreter)
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


def _listed(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more
