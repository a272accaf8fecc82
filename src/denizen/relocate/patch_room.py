"""Room for a few bytes within a file as it is: the unused rest of a segment's last page (pure).

Linkers begin each segment on a page of its own, so up to a page behind the one before is zero, belongs to
nothing, and is mapped anyway. A segment that ends without zero-filled memory can be extended over it: nothing
moves, and the file does not grow. The next segment's pages must not be reached, whatever the size of pages.
"""

from __future__ import annotations

from bisect import bisect_left

from denizen.elf import Segment
from denizen.elf import constants as c
from denizen.elf.sections import SHT_NOBITS
from denizen.relocate.page_size import page_size
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.bytesio import Buffer
    from denizen.elf import Image

# Bytes of one segment's rest that are looked at; no part but a large string table would need more.
_LONGEST = 1 << 20
# Of a part's first byte: a word of the 64-bit class.
_ALIGNMENT = 8
# Types of section headers that account for no bytes of the file: SHT_NULL and SHT_NOBITS.
_NO_BYTES = (0, SHT_NOBITS)


class GrownPart(Value):
    """A part of the file that needs a place.

    Attributes:
        name: "interpreter", "strings", "dynamic" or "headers".
        size: its length in bytes.
        writable: ld.so writes to it.
    """

    name: str
    size: int
    writable: bool = False


class FilePlace(Value):
    """A place in the file and in memory."""

    offset: int
    address: int


class Slack(Value):
    """The unused bytes behind one segment; `index` is its row in the program header table."""

    index: int
    offset: int
    address: int
    size: int


def used_ranges(image: Image) -> list[tuple[int, int]]:
    """Return the (start, end) file offsets of all that headers account for."""
    return [
        *_tables(image),
        *[(row[4], row[4] + row[5]) for row in image.sections if row[5] and row[1] not in _NO_BYTES],
        *[(row[2], row[2] + row[5]) for row in image.segments if row[5]],
    ]


def _tables(image: Image) -> tuple[tuple[int, int], ...]:
    """Return the ranges of the headers themselves."""
    header = image.header
    return (
        (0, header.ehsize),
        (header.phoff, header.phoff + header.phnum * header.phentsize),
        (header.shoff, header.shoff + len(image.sections) * header.shentsize),
    )


def _slacks(image: Image, least: int) -> Iterator[Slack]:
    """Yield the unused bytes behind each segment that has at least `least` of them.

    The cheapest bound comes first: most segments end where the pages of the next one are too near.
    """
    page, last = page_size(image), 1 << image.header.bits
    addresses = sorted([row[3] for row in image.loads])
    for row in image.loads:
        _, flags, offset, address, _, size, memory_size, _ = row
        if not 0 < size == memory_size or not flags & c.PF_R:
            continue
        start, behind = offset + size, address + size
        following = bisect_left(addresses, behind)
        # A hostile file's segment may reach beyond the last address.
        limit = addresses[following] & -page if following < len(addresses) else last
        room = min(limit - behind, _LONGEST)
        if room < least or _zeros(image.buffer, start, least) < least:
            continue
        room = _zeros(image.buffer, start, _until_used(image, start, room))
        if room >= least:
            yield Slack(image.segments.index(row), start, behind, room)


def _zeros(buffer: Buffer, start: int, limit: int) -> int:
    """Return the number of NULs at `start`, at most `limit`."""
    rest = bytes(buffer[start : start + limit])
    # Mostly all are, and lstrip() looks at one byte at a time.
    return len(rest) if rest == bytes(len(rest)) else len(rest) - len(rest.lstrip(b"\0"))


def _until_used(image: Image, start: int, limit: int) -> int:
    """Return the number of bytes up to the first of `used_ranges` that ends beyond `start`, or to a payload.

    No more than `limit`. Most rows fail the first comparison: this takes a quarter of the time of a list and
    its minimum.
    """
    size = len(image.buffer)
    # What begins right behind the limit tells that no payload does.
    first, end = min(size, start + limit + 1), size + 1
    for at, stop in _tables(image):
        if at < first and stop > start:
            first, end = at, stop
    for row in image.sections:
        if row[4] < first and row[4] + row[5] > start and row[5] and row[1] not in _NO_BYTES:
            first, end = row[4], row[4] + row[5]
    for one in image.segments:
        if one[2] < first and one[2] + one[5] > start and one[5]:
            first, end = one[2], one[2] + one[5]
    # A range within the file ends before a payload begins, or where it does.
    if end > size:
        first = min(first, image.end) if size > start else start
    return min(max(first, start) - start, limit)


def fit(
    image: Image, parts: Sequence[GrownPart], *, first_only: bool = False
) -> tuple[dict[str, FilePlace], tuple[Segment, ...]] | None:
    """Return places for all parts within the file's slack, and the program headers then; None without room.

    `first_only`: only segments whose distance of address and offset is the first one's will do, as for the
    program headers (see spare_program_header.py).
    """
    more = _slacks(image, min([one.size for one in parts]))
    free: list[Slack] = []
    rows, first = list(image.segments), image.loads[:1] if first_only else []
    places: dict[str, FilePlace] = {}
    for part in sorted(parts, key=lambda one: -one.size):
        for at, slack in _each(free, more):
            row = rows[slack.index]
            pad = -slack.offset % _ALIGNMENT
            alike = not first_only or row.address - row.offset == first[0].address - first[0].offset
            writable = not part.writable or row.flags & c.PF_W
            if slack.size >= pad + part.size and alike and writable:
                places[part.name] = FilePlace(slack.offset + pad, slack.address + pad)
                size = slack.offset + pad + part.size - row.offset
                rows[slack.index] = Segment._make((*row[:5], size, size, row.alignment))
                free[at] = _rest(slack, pad + part.size)
                break
        else:
            return None
    return places, tuple(rows)


def _each(free: list[Slack], more: Iterator[Slack]) -> Iterator[tuple[int, Slack]]:
    """Yield the slacks that are known, then others, which become known, one at a time."""
    yield from enumerate(free)
    for slack in more:
        free.append(slack)
        yield len(free) - 1, slack


def with_fields(row: Segment, **fields: int) -> Segment:
    """Return a program header with some fields changed."""
    return Segment._make(
        [fields.get(name, old) for name, old in zip(Segment.__match_args__, row, strict=True)]
    )


def _rest(slack: Slack, taken: int) -> Slack:
    return Slack(slack.index, slack.offset + taken, slack.address + taken, slack.size - taken)
