"""The decision about a program that this host satisfies."""

from __future__ import annotations

import os

from denizen.host import machine_name
from denizen.launch.decisions.decision import Decision
from denizen.launch.decisions.program_identity import headers_of, identity_of, machine_of
from denizen.launch.strategies.child_interpreters import usual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.program import Program


def served_here(own: bytes) -> tuple[bytes, ...]:
    """Return the paths at which denizen's loader may lie in a namespace.

    They are the program's own interpreter path and the usual one.
    """
    return (own, *(path for path, _ in usual(machine_name())))


def decision_of_host(program: Program) -> Decision:
    """Return the decision that this host satisfies a program."""
    facts, image = identity_of(program.stat), program.image
    # The kernel too resolves a relative interpreter from the working directory. In another directory the
    # start fails and is decided again.
    interpreter = os.path.abspath(program.interpreter)
    if image is None:
        return Decision(facts, bytes(16), 0, interpreter, program=program.path, host=True)
    build_id = (image.notes.build_id or b"")[:64]
    return Decision(
        facts,
        headers_of(image),
        machine_of(image),
        interpreter,
        build_id=build_id,
        program=program.path,
        host=True,
    )
