"""The decision how the loader starts one program, as a value (pure).

decision_codec.py converts it to and from the file's bytes; program_identity.py has the file's names.
"""

from __future__ import annotations

from denizen.launch.decisions import GENERATION
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.decisions.program_identity import Identity


class DecisionLibrary(Value):
    """One library to load; a decision lists them in breadth-first order.

    Attributes:
        path: absolute; the loader asks ld.so for it.
        name: the soname by which it is needed.
        pinned: LD_LIBRARY_PATH must not replace it: the program's own rules found it earlier (DT_RPATH, a
            path in DT_NEEDED), or no search by name finds it again.
        renamed: `name` is not its DT_SONAME. ld.so then does not know the library by that name, and a library
            with a DT_RUNPATH of its own would not find it; so it is also asked for by name, which needs it in
            the decision's search directory.
    """

    path: bytes
    name: bytes
    pinned: bool = False
    renamed: bool = False


class Edit(Value):
    """Bytes to change in memory before anything runs; the start fails if `old` is not there.

    An edit changes data of the mapped ld.so, never its code. With `program` it changes the program: the code
    that an entry stub replaced is restored. An `optional` one, of ld.so, is left out where `old` is not
    there.
    """

    address: int
    old: bytes
    new: bytes
    program: bool = False
    optional: bool = False


class Decision(Value):
    """The instructions for the loader to start one program.

    Attributes:
        identity: of the program's file.
        headers: `sum_words` of its program header table; compared with that of the mapped program.
        machine: `machine_word(class bits, e_machine)`.
        ldso: path of the dynamic linker to which the loader hands over.
        build_id: of the program, b"" when it has none; identifies it after a move.
        search: the directory that dlopen searches last, b"" for none.
        program: the program's path when this was decided; shown to people, never opened.
        libraries: everything to load, breadth-first.
        objects: store paths that must exist for the decision to hold.
        command: the argument list that starts the program by other means (a namespace, denizen-attach); the
            program and its arguments are appended. Used when the loader runs as a program.
        edits: changes of memory, see Edit.
        r_debug: address of `_r_debug` in `ldso`, for debuggers; 0 when unknown.
        host: this host satisfies the program: hand over to the host's own dynamic linker.
        by_name: never name libraries by path (musl matches by file name only after a search).
        shown: the program's own path, where `identity` is a patched copy's.
        resources: a directory with files for paths that the host lacks (launch.resources.resource_tree), or
            b"".
        opened: the directory of libraries that are added at run time (launch.dlopen_record), or b"".
        executes: the program or a library of it imports functions that start programs.
        names_commands: commands that its arguments name are shown to it (launch.named_commands).
        generation: the generation of the rules by which it was made.
    """

    identity: Identity
    headers: bytes
    machine: int
    ldso: bytes
    build_id: bytes = b""
    search: bytes = b""
    program: bytes = b""
    libraries: tuple[DecisionLibrary, ...] = ()
    objects: tuple[bytes, ...] = ()
    command: tuple[bytes, ...] = ()
    edits: tuple[Edit, ...] = ()
    r_debug: int = 0
    host: bool = False
    by_name: bool = False
    shown: bytes = b""
    resources: bytes = b""
    opened: bytes = b""
    executes: bool = False
    names_commands: bool = False
    generation: int = GENERATION
