"""A script's bundle: its interpreter is the program, and the script a file of it and its first argument."""

from __future__ import annotations

import contextlib
import os

from denizen.app.bundles.bundle_request import CarriedScript
from denizen.app.bundles.errors import NotBundled
from denizen.app.bundles.program_closure import is_static, opened_program
from denizen.app.start_request import NoSuchProgram, locate
from denizen.errors import display
from denizen.launch.bundle_layout import PLACE, script_name
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.bundle_request import BundleRequest
    from denizen.app.session import Session
    from denizen.elf.script import Script
    from denizen.launch.program import Program


def interpreter_request(session: Session, request: BundleRequest, program: Program) -> BundleRequest:
    """Return the request for a script's interpreter, which gets the script as the kernel would give it.

    Raises NotBundled: the interpreter is not here, or the first line asks for more than a program.
    """
    script = program.script
    if script is None:
        raise NotBundled(request.closure.program, "its first line is one that env refuses")
    words, found = _words(request.closure.program, script), b""
    with contextlib.suppress(NoSuchProgram):
        found = os.path.realpath(locate(words[0], session.environ))
    if not os.path.isfile(found):
        raise NotBundled(request.closure.program, f"its interpreter {display(words[0])} is not here")
    if not _is_dynamic(found):
        reason = f"its interpreter {display(found)} is a script too, or static"
        raise NotBundled(request.closure.program, reason)
    inside = bool(request.tree) and found.startswith(request.tree.rstrip(b"/") + b"/")
    carried = CarriedScript(program.path, request.tree)
    place = program.path if inside else PLACE + script_name(program.path, request.tree)
    return replace(
        request,
        closure=replace(request.closure, program=found),
        tree=request.tree if inside else b"",
        arguments=(*words[1:], place, *request.arguments),
        script=None if inside else carried,
        name=os.path.basename(request.closure.program),
    )


def _is_dynamic(path: bytes) -> bool:
    program = opened_program(path)
    return program.image is not None and not is_static(program)


def _words(path: bytes, script: Script) -> tuple[bytes, ...]:
    """Return the interpreter with its own arguments. Raises NotBundled."""
    if script.cut:
        raise NotBundled(path, "its first line is longer than the kernel reads")
    if script.env is None:
        return (script.interpreter, *(() if script.argument is None else (script.argument,)))
    if script.env.program is None or script.env.assignments:
        raise NotBundled(path, "its first line sets variables by env, which a bundle does not do")
    return (script.env.program, *script.env.arguments)
