"""Room for a few bytes within a file as it is: the unused rest of a segment's last page (pure).

Linkers begin each segment on a page of its own, so up to a page behind the one before is zero, belongs to
nothing, and is mapped anyway. A segment that ends without zero-filled memory can be extended over it: nothing
moves, and the file does not grow. The next segment's pages must not be reached, whatever the size of pages.
"""

from __future__ import annotations

from denizen.bytesio import align_up
from denizen.elf import Segment
from denizen.elf import constants as c
from denizen.elf.sections import SHT_NOBITS
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.elf import Image

MIN_PAGE = 4096
# Bytes of one segment's rest that are looked at; no part but a large string table would need more.
_LONGEST = 1 << 20


@value
class GrownPart:
    """A part of the file that needs a place.

    Attributes:
        name: "interpreter", "strings", "dynamic" or "headers".
        size: its length in bytes.
        writable: ld.so writes to it.
    """

    name: str
    size: int
    writable: bool = False


@value
class FilePlace:
    """A place in the file and in memory."""

    offset: int
    address: int


@value
class Slack:
    """The unused bytes behind one segment; `index` is its row in the program header table."""

    index: int
    offset: int
    address: int
    size: int


def page_size(image: Image) -> int:
    """Return the size of pages that the file must be right for.

    It is the largest of the architecture, or what its own segments are aligned to, where that is less: on
    larger pages it never ran.
    """
    machine = image.header.architecture
    largest = machine.max_page if machine is not None else 0x10000
    own = [one.alignment for one in loads(image)]
    return max(MIN_PAGE, min([largest, *own]))


def loads(image: Image) -> list[Segment]:
    """Return the PT_LOAD segments, in order of their rows."""
    return [one for one in image.segments if one.type == c.PT_LOAD]


def used_ranges(image: Image) -> list[tuple[int, int]]:
    """Return the (start, end) file offsets of everything that headers account for, and of a payload."""
    header, buffer = image.header, image.buffer
    table = (header.phoff, header.phoff + header.phnum * header.phentsize)
    rows = image.sections
    sections = [(row[4], row[4] + row[5]) for row in rows if row[1] not in (0, SHT_NOBITS) and row[5]]
    section_table = (header.shoff, header.shoff + len(rows) * header.shentsize)
    segments = [(one.offset, one.offset + one.file_size) for one in image.segments if one.file_size]
    return [(0, header.ehsize), table, section_table, *sections, *segments, (image.end, len(buffer))]


def slacks(image: Image) -> list[Slack]:
    """Return the unused bytes behind each segment that has some."""
    page, buffer, loaded = page_size(image), image.buffer, loads(image)
    used: list[tuple[int, int]] = []
    found = []
    for index, segment in enumerate(image.segments):
        if (
            segment.type == c.PT_LOAD
            and 0 < segment.file_size == segment.memory_size
            and segment.flags & c.PF_R
        ):
            start, address = segment.offset + segment.file_size, segment.address + segment.file_size
            used = used or used_ranges(image)
            room = min(_until_used(start, used), _until_next(loaded, address, page), _LONGEST)
            if room > 0:
                rest = bytes(buffer[start : start + room])
                zeros = len(rest) - len(rest.lstrip(b"\0"))
                if zeros:
                    found.append(Slack(index, start, address, zeros))
    return found


def _until_used(start: int, used: list[tuple[int, int]]) -> int:
    """Return the number of bytes up to the first range that reaches beyond `start`."""
    beyond = [first for first, end in used if end > start]
    return max(min(beyond), start) - start if beyond else 0


def _until_next(loaded: list[Segment], address: int, page: int) -> int:
    """Return the number of bytes to the pages of the next segment in memory."""
    following = [one.address for one in loaded if one.address >= address]
    return (min(following) & -page if following else address + _LONGEST) - address


def fit(
    image: Image, parts: Sequence[GrownPart], *, first_only: bool = False
) -> tuple[dict[str, FilePlace], tuple[Segment, ...]] | None:
    """Return places for all parts within the file's slack, and the program headers then; None without room.

    `first_only`: only segments whose distance of address and offset is the first one's will do, as for the
    program headers (see program_headers.py).
    """
    free, rows = slacks(image), list(image.segments)
    first = loads(image)[:1]
    places: dict[str, FilePlace] = {}
    for part in sorted(parts, key=lambda one: -one.size):
        for at, slack in enumerate(free):
            row = rows[slack.index]
            pad = align_up(slack.offset, 8) - slack.offset
            alike = not first_only or row.address - row.offset == first[0].address - first[0].offset
            writable = not part.writable or row.flags & c.PF_W
            if slack.size >= pad + part.size and alike and writable:
                places[part.name] = FilePlace(slack.offset + pad, slack.address + pad)
                rows[slack.index] = _extended(row, slack.offset + pad + part.size - row.offset)
                free[at] = _rest(slack, pad + part.size)
                break
        else:
            return None
    return places, tuple(rows)


def _extended(row: Segment, size: int) -> Segment:
    return with_fields(row, file_size=size, memory_size=size)


def with_fields(row: Segment, **fields: int) -> Segment:
    """Return a program header with some fields changed."""
    return Segment._make(
        [fields.get(name, old) for name, old in zip(Segment.__match_args__, row, strict=True)]
    )


def _rest(slack: Slack, taken: int) -> Slack:
    return replace(slack, offset=slack.offset + taken, address=slack.address + taken, size=slack.size - taken)
