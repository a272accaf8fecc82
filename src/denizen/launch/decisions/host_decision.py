"""What a program is to this host, and the decision about one that the host satisfies."""

from __future__ import annotations

import os

from denizen import elf
from denizen.errors import BadInput
from denizen.host import machine_name
from denizen.launch.decisions.decision import Decision, identity_of
from denizen.launch.decisions.program_identity import headers_of, machine_of
from denizen.launch.strategies.interpreters import usual
from denizen.machines import interpreter_of_kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.fileview import FileView


def image_of(view: FileView, program: bytes) -> Image | None:
    """The ELF file; None for a script or anything else."""
    try:
        return elf.read(view.read(program))
    except BadInput:
        return None
    except OSError as problem:
        if isinstance(problem, FileNotFoundError):
            raise
        return None


def interpreter_of(image: Image | None) -> bytes:
    """The path it names, or what this machine's programs usually name."""
    if image is not None and image.interpreter is not None:
        return image.interpreter
    return interpreter_of_kernel(machine_name())


def served_here(own: bytes) -> tuple[bytes, ...]:
    """Return the paths at which a loader of ours may lie in a namespace: a program's own and the usual."""
    return (own, *(path for path, _ in usual(machine_name())))


def decision_of_host(view: FileView, program: bytes, image: Image | None, interpreter: bytes) -> Decision:
    """That this host satisfies it."""
    facts = identity_of(view.stat(program))
    # A relative one counts from here, for the kernel too; elsewhere the start fails and is decided anew.
    interpreter = os.path.abspath(interpreter)
    if image is None:
        return Decision(facts, bytes(16), 0, interpreter, program=program, host=True)
    build_id = (image.notes.build_id or b"")[:64]
    return Decision(
        facts,
        headers_of(image),
        machine_of(image),
        interpreter,
        build_id=build_id,
        program=program,
        host=True,
    )
