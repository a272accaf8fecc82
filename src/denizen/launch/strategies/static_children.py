"""The dynamic linker that programs started by a static program need, where this host lacks it (pure).

The kernel takes a program's interpreter by its path alone, and nothing of denizen's is in a static program
that could answer for one that is not there. So a loader must be shown there before that program starts, which
takes a namespace (0.6 ms of each start). Most static programs start no others, and their code tells
(elf/exec_calls.py).
"""

from __future__ import annotations

from denizen.errors import display
from denizen.fileview import exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.program import Program


def lacking_linker(program: Program) -> bytes:
    """Return the dynamic linker that programs need and this host lacks, of a static program that starts such.

    Return b"" for other programs, and where the linker is here.
    """
    if not program.starts_others or exists(program.view, program.interpreter):
        return b""
    return program.interpreter


def unstarted_words(linker: bytes, refusal: str) -> str:
    """Return the sentence that what a static program starts may fail, with the reason against a namespace."""
    why = refusal or "'denizen run --strategy namespace' shows one there"
    return f"what it starts fails as without denizen if it needs {display(linker)}, which is not here: {why}"
