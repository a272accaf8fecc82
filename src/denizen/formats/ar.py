r"""Parser of ar archives, as far as packages use them (pure).

Specification: deb(5) and ar(5), common format:

    archive = "!<arch>\n" { header content [ "\n" ] }      padded to an even offset
    header  = name 16, mtime 12, uid 6, gid 6, mode 8, size 10, "`\n": text padded with spaces

Long names (BSD's `#1/`, GNU's `//` table) do not occur in packages and are refused.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats.stream import ByteSource, Portion
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"!<arch>\n"
HEADER_SIZE = 60
_END = b"`\n"


class BadAr(BadInput):
    """The bytes are not an ar archive."""

    offset: int
    reason: str
    WHAT = "the archive is malformed at byte {offset}"
    WHY = "{reason:text}"


class ArMember(Value):
    """A file in the archive; `content` must be read before the next member is asked for."""

    name: str
    size: int
    content: Portion


def members(source: ByteSource) -> Iterator[ArMember]:
    """Yield the archive's members, in order.

    Raises:
        BadAr: the archive breaks a rule.
        Truncated: the stream ends inside a member.
    """
    if source.take(len(MAGIC), "the ar archive's magic") != MAGIC:
        raise BadAr(0, "it does not begin with !<arch>")
    while not source.at_end():
        offset = source.position
        name, size = _header(source.take(HEADER_SIZE, "a member's header"), offset)
        member = ArMember(name, size, Portion(source, size, f"the member {display(name)}"))
        yield member
        member.content.finish()
        # The last member's padding is often left out.
        if size & 1 and not source.at_end() and source.take(1, "padding") != b"\n":
            raise BadAr(source.position, "members are padded with a line break")


def _header(block: bytes, offset: int) -> tuple[str, int]:
    if block[58:60] != _END:
        raise BadAr(offset, "a member's header does not end as one")
    name = block[:16].rstrip(b" ").removesuffix(b"/")
    size = block[48:58].rstrip(b" ")
    if not name or not name.isascii() or not name.decode("ascii").isprintable() or b"/" in name:
        raise BadAr(offset, f"'{display(block[:16])}' is not a plain name")
    if not size.isdigit():
        raise BadAr(offset, f"'{display(block[48:58])}' is not a size")
    return name.decode("ascii"), int(size)
