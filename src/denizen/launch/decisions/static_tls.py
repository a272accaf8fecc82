"""Room for the static TLS of libraries in a dynamic linker that loads an auditing library (pure).

With an auditing library glibc lays out the static TLS block before it loads the program's libraries
(elf/rtld.c, init_tls is called ahead of load_audit_modules). Libraries whose variables are used by the
initial-exec model (DF_STATIC_TLS) then have to fit into the surplus that is meant for libraries opened later:
512 bytes and some (the tunable glibc.rtld.optional_static_tls, elf/dl-tls.c). libjemalloc.so.2 has 2632:
"cannot allocate memory in static TLS block". The tunable's default is therefore raised in memory by what the
libraries take.
"""

from __future__ import annotations

from denizen.elf.constants import DF_STATIC_TLS, PT_TLS
from denizen.launch.decisions.decision import Edit
from denizen.launch.decisions.ldso_addresses import address_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from denizen.elf import Image, Segment

# glibc elf/dl-tunables.list; the name stands in the row of the table (elf/dl-tunables.h, tunable_list).
_TUNABLE = b"glibc.rtld.optional_static_tls\0"
_DEFAULT = 512
_WORD = 8
# Bytes of a row of that table, at most: the name, the type with its limits, default and value. A row begins
# at a multiple of 4 at least (i386).
_ROW, _ALIGNMENT = 192, 4
# glibc sysdeps/*/tls.h, TCB_ALIGNMENT: of the static TLS block where the program's own TLS asks for no more.
_BLOCK_ALIGNMENT = 64


def room_edits(ldso: Image, images: Sequence[Image]) -> tuple[Edit, ...] | None:
    """Return `static_tls_edits`; None where libraries have no room beside an auditing library even so.

    `images` are the program and its libraries, the program first.
    """
    aligned = max([_BLOCK_ALIGNMENT, *[one.alignment for one in _tls_of(images[:1])]])
    initial_exec = [one for one in images[1:] if one.dynamic and one.dynamic.flags & DF_STATIC_TLS]
    if any(one.alignment > aligned for one in _tls_of(initial_exec)):
        return None  # the alignment of the block is settled before they are loaded
    edits = static_tls_edits(ldso, images)
    return edits if edits or _size_of(_tls_of(images[1:])) <= _DEFAULT else None


def static_tls_edits(ldso: Image, images: Sequence[Image]) -> tuple[Edit, ...]:
    """Return the edits that give this ldso room for the static TLS of libraries, as much as natively.

    They are optional: a dynamic linker that has another value there is left as it is. `images` are the
    program, whose own TLS has its room, and its libraries. All of these count: of one that is not marked, the
    program may use variables by the initial-exec model.
    """
    size = _size_of(_tls_of(images[1:]))
    if not size:
        return ()
    old, new = _word(ldso, _DEFAULT), _word(ldso, _DEFAULT + size)
    return tuple(Edit(address, old, new, optional=True) for address in _addresses_of(ldso, old))


def _tls_of(images: Iterable[Image]) -> list[Segment]:
    return [segment for image in images for segment in image.segments if segment.type == PT_TLS]


def _size_of(blocks: Sequence[Segment]) -> int:
    """Return the number of bytes that TLS segments take at most, one behind the other."""
    return sum(one.memory_size + 2 * max(one.alignment, 1) for one in blocks)


def _word(ldso: Image, number: int) -> bytes:
    return number.to_bytes(_WORD, "little" if ldso.header.little else "big")


def _addresses_of(ldso: Image, value: bytes) -> Iterator[int]:
    """Yield the addresses of the tunable's value and of its default, which glibc has beside it since 2.38."""
    content = bytes(ldso.buffer)
    row = content.find(_TUNABLE)
    if row < 0:
        return  # glibc was built without tunables
    following = content.find(b"glibc.", row + len(_TUNABLE), row + _ROW)
    end = following if following >= 0 else row + _ROW
    for at in range(row, end - _WORD + 1, _ALIGNMENT):
        if content[at : at + _WORD] == value:
            yield from address_of(ldso, at)
