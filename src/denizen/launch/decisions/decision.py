"""What the loader must do for one program, as values; the key and the sum its file is known by (pure).

The file's bytes are wire.py's business.
"""

from __future__ import annotations

import struct
from itertools import accumulate

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import Stat

_WORD = (1 << 64) - 1
# Of the rules by which decisions are made. One more whenever programs that were decided before would start
# better for being decided again; their next start does that.
GENERATION = 4


@value
class Identity:
    """Which file a program is, as `stat` tells it; the key of its decision."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


@value
class DecisionLibrary:
    """One library to load, in breadth-first order.

    Attributes:
        path: absolute; what the loader asks ld.so for.
        name: the soname it is needed by.
        pinned: no LD_LIBRARY_PATH may replace it, because the program's own rules found it earlier
            (DT_RPATH, a path in DT_NEEDED) or where no search by name finds it again.
        renamed: `name` is not its DT_SONAME. ld.so then does not know it by that name, and a library
            with a DT_RUNPATH of its own would not find it; so it is asked for by name once more, which
            needs it in the decision's search directory.
    """

    path: bytes
    name: bytes
    pinned: bool = False
    renamed: bool = False


@value
class Edit:
    """Bytes to change in memory before anything runs; `old` must be there, or nothing starts.

    In the mapped ld.so, never in its code; or, where `program`, in the program: what an entry stub
    lies over is put back.
    """

    address: int
    old: bytes
    new: bytes
    program: bool = False


@value
class Decision:
    """What the loader must do for one program.

    Attributes:
        identity: the program's file.
        headers: `sum_words` of its program header table; compared with the mapped one.
        machine: `machine_word(class bits, e_machine)`.
        ldso: the dynamic linker to hand over to.
        build_id: of the program, b"" when it has none; the second way to know it.
        search: the directory that dlopen searches last, b"" for none.
        program: where the program was when this was decided; shown to people, never opened.
        libraries: everything to load, breadth-first.
        objects: store paths that must exist for the decision to hold.
        command: the argument list that starts the program by other means (a namespace); the program
            and its arguments are appended. Used when the loader runs as a program.
        edits: see Edit.
        r_debug: address of `_r_debug` in `ldso`, for debuggers; 0 when unknown.
        host: this host satisfies the program: hand over to the host's own dynamic linker.
        by_name: never name libraries by path (musl matches by file name only after a search).
        shown: the program's own path, where `identity` is a patched copy's.
        furniture: a tree that stands in for paths the host lacks (launch.resources.resource_tree), or b"".
        opened: the directory of libraries that come at run time (launch.dlopen_links), or b"".
        generation: by which rules it was made.
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
    furniture: bytes = b""
    opened: bytes = b""
    generation: int = GENERATION


def identity_of(facts: Stat) -> Identity:
    """The identity of the file these facts are about."""
    return Identity(facts.device, facts.inode, facts.size, facts.mtime_ns, facts.ctime_ns)


def file_name(identity: Identity) -> bytes:
    """The name of a decision, in its directory, for the program with this identity."""
    return b"%x-%x-%x-%x-%x" % (
        identity.device,
        identity.inode,
        identity.size,
        identity.mtime_ns & _WORD,
        identity.ctime_ns & _WORD,
    )


def alias_name(build_id: bytes, size: int) -> bytes:
    """The second name of a decision, found when a program was moved or copied."""
    return b"b-%s-%x" % (build_id.hex().encode(), size)


def machine_word(bits: int, machine: int) -> int:
    """Word size and `e_machine` as one number: a decision is for one kind of loader."""
    return bits << 16 | machine


def sum_words(content: bytes) -> bytes:
    """Two sums modulo 2**64 over little-endian 64-bit words: of the words, and of the running sums.

    Finds damage, not malice: a decision is trusted for who owns it. Any change of one word changes
    the first sum.
    """
    words = struct.unpack(f"<{len(content) // 8}Q", content[: len(content) // 8 * 8])
    return struct.pack("<QQ", sum(words) & _WORD, sum(accumulate(words)) & _WORD)
