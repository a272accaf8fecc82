"""The dynamic linker that programs started by a static program need, where this host lacks it (pure).

The kernel takes a program's interpreter by its path alone, and nothing of denizen's is in a static program
that could answer for one that is not there. So a loader must be shown there before that program starts, which
takes a namespace (0.6 ms of each start). Most static programs start no others, and their code tells: a C
library has one function that makes the system call, with the call's number in the instruction before, and
static linking leaves it out where nothing calls it: tried with glibc and musl, busybox, and Rust on glibc. Go
makes every system call by one function, but keeps the names of those that are linked, stripped or not.

Limits: a program that computes the call's number is taken for one that starts no others.
"""

from __future__ import annotations

from denizen.elf.classify import ProgramKind
from denizen.errors import display
from denizen.fileview import exists
from denizen.launch.resources.static_program_paths import find_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.launch.program import Program

_STATIC = frozenset({ProgramKind.STATIC, ProgramKind.STATIC_PIE, ProgramKind.GO_STATIC})
_GO = (b"syscall.forkExec", b"syscall.Exec\0")
# e_machine of elf.h.
_386, _X86_64, _AARCH64 = 3, 62, 183
# "move the number of execve or execveat, make a system call": asm/unistd_64.h, unistd_32.h, unistd.h.
_CALLS = {
    _X86_64: (b"\xb8\x3b\0\0\0\x0f\x05", b"\xb8\x42\x01\0\0\x0f\x05"),
    # int $0x80, and glibc's call of the function at %gs:0x10.
    _386: (b"\xb8\x0b\0\0\0\xcd\x80", b"\xb8\x0b\0\0\0\x65\xff\x15\x10\0\0\0"),
    _AARCH64: (b"\xa8\x1b\x80\xd2\x01\0\0\xd4", b"\x28\x23\x80\xd2\x01\0\0\xd4"),
}


def starts_others(image: Image) -> bool:
    """Tell whether a static program can execute other programs, by its code."""
    texts = (*_CALLS.get(image.header.machine, ()), *_GO)
    # A search for each: one for all of them, by a pattern of alternatives, takes three times as long.
    return any(find_text(image, text, 0) >= 0 for text in texts)


def lacking_linker(program: Program) -> bytes:
    """Return the dynamic linker that programs need and this host lacks, of a static program that starts such.

    Return b"" for other programs, and where the linker is here.
    """
    if starting_image(program) is None or exists(program.view, program.interpreter):
        return b""
    return program.interpreter


def starting_image(program: Program) -> Image | None:
    """Return the file of a static program that can execute others; None for another program."""
    image = program.image
    if image is None or program.classification.kind not in _STATIC or not starts_others(image):
        return None
    return image


def unstarted_words(linker: bytes, refusal: str) -> str:
    """Return the sentence that what a static program starts may fail, with the reason against a namespace."""
    why = refusal or "'denizen run --strategy namespace' shows one there"
    return f"what it starts fails as without denizen if it needs {display(linker)}, which is not here: {why}"
