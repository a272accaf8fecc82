"""Parser of tar archives, member by member (pure).

Specification: POSIX.1-2017 pax ("ustar Interchange Format", "pax Interchange Format"), and GNU tar's
manual ("Basic Tar Format") for long names (types L and K) and numbers in base 256. As in deb(5).

    archive = { member } 512 zero bytes, then zero bytes to the end
    member  = header block, content padded with anything to a multiple of 512

Extensions come before the member they describe: L and K give its name and link target, a pax header x
gives `path`, `linkpath` and `size`; a global pax header g is skipped. Sparse files, multi-volume
archives and unknown types are refused, and so is a directory, link or device with content.
An archive without its zero block is treated as truncated.

Why not tarfile: for an archive of 116,148 members it takes 35 us each where this and all the checks
of `archive_tree` take 13; it decodes names to str, and repairs archives that must be refused.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats.stream import BLOCK, ByteSource
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.bytesio import Buffer

_BLOCK_SIZE = 512
_ZEROS = bytes(_BLOCK_SIZE)
# Bytes of an extension, which holds a path or a few pax records.
MAX_EXTENSION = 64 * 1024
MAX_SIZE = 2**63 - 1
# Content up to this size is yielded in one piece.
_SMALL = BLOCK


class MemberKind(Enum):
    """The kinds of members."""

    FILE = "a file"
    DIRECTORY = "a directory"
    SYMLINK = "a symbolic link"
    HARD_LINK = "a hard link"
    CHARACTER_DEVICE = "a character device"
    BLOCK_DEVICE = "a block device"
    FIFO = "a named pipe"


_KINDS = {
    b"0": MemberKind.FILE,
    b"\0": MemberKind.FILE,
    b"7": MemberKind.FILE,
    b"1": MemberKind.HARD_LINK,
    b"2": MemberKind.SYMLINK,
    b"3": MemberKind.CHARACTER_DEVICE,
    b"4": MemberKind.BLOCK_DEVICE,
    b"5": MemberKind.DIRECTORY,
    b"6": MemberKind.FIFO,
}


class BadTar(BadInput):
    """The bytes are not a tar archive, or one of a kind that packages do not use."""

    offset: int
    name: bytes
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        inside = f", in '{display(self.name[:400])}'" if self.name else ""
        return f"the tar archive is malformed at byte {self.offset}{inside}"


class TarMember(Value):
    """A member as the archive has it: the name is not checked, and may lead anywhere.

    Attributes:
        name: its path in the archive.
        kind: its kind.
        mode: its permission bits.
        size: a file's size in bytes.
        target: of a link, as written.
        content: a file's bytes, which must be read before the next member is asked for.
    """

    name: bytes
    kind: MemberKind
    mode: int
    size: int
    target: bytes
    content: Iterable[Buffer] = ()


class _Extensions:
    """The name, link target and size that extension headers give to the next member."""

    __slots__ = ("name", "size", "target")

    def __init__(self) -> None:
        self.name: bytes | None = None
        self.target: bytes | None = None
        self.size: int | None = None


def members(source: ByteSource) -> Iterator[TarMember]:
    """Yield the archive's members, in order.

    Raises:
        BadTar: the archive breaks a rule.
        Truncated: the stream ends before the archive does.
    """
    extensions = _Extensions()
    while (block := source.take(_BLOCK_SIZE, "a tar header")) != _ZEROS:
        _check_sum(block, source)
        if _extend(extensions, block, source):
            continue
        size = extensions.size if extensions.size is not None else _number(block[124:136], source)
        if size <= _SMALL:
            content = (source.take(size, "a member's content"),) if size else ()
            yield _member(block, extensions, size, content, source)
        else:
            end = source.position + size
            yield _member(block, extensions, size, source.chunks(size, "a member's content"), source)
            source.skip(end - source.position, "a member's content")
        if size % _BLOCK_SIZE:
            source.take(-size % _BLOCK_SIZE, "padding")
        extensions = _Extensions()
    _want_zeros(source)


def _member(
    block: bytes, extensions: _Extensions, size: int, content: Iterable[Buffer], source: ByteSource
) -> TarMember:
    name = extensions.name if extensions.name is not None else _name(block)
    kind = _KINDS.get(block[156:157])
    if kind is None:
        raise BadTar(source.position, name, f"members of type '{display(block[156:157])}' are not supported")
    # Pre-POSIX archives mark a directory only by a slash at the end of its name.
    if block[156] == 0 and name.endswith(b"/"):
        kind = MemberKind.DIRECTORY
    if size and kind is not MemberKind.FILE:
        raise BadTar(source.position, name, f"{kind.value} cannot have content")
    target = extensions.target if extensions.target is not None else _text(block[157:257])
    return TarMember(name, kind, _number(block[100:108], source), size, target, content)


def _name(block: bytes) -> bytes:
    name = _text(block[:100])
    # GNU's magic is "ustar  ": it stores times in the place of POSIX's prefix.
    if block[257:265] == b"ustar\x0000" and block[345]:
        return _text(block[345:500]) + b"/" + name
    return name


def _extend(extensions: _Extensions, block: bytes, source: ByteSource) -> bool:
    """Read an extension if the block begins one; return whether it does."""
    kind = block[156:157]
    if kind not in (b"L", b"K", b"x", b"g"):
        return False
    size = _number(block[124:136], source)
    if size > MAX_EXTENSION:
        raise BadTar(source.position, b"", f"an extension of more than {MAX_EXTENSION} bytes")
    content = source.take(size, "an extension")
    source.take(-size % _BLOCK_SIZE, "padding")
    if kind == b"L":
        extensions.name = _text(content)
    elif kind == b"K":
        extensions.target = _text(content)
    elif kind == b"x":
        _extend_by_pax(extensions, content, source)
    return True


def _extend_by_pax(extensions: _Extensions, content: bytes, source: ByteSource) -> None:
    start = 0
    while start < len(content):
        length, space, _ = content[start : start + 12].partition(b" ")
        end = start + (int(length) if space and length.isdigit() else 0)
        key, equals, text = content[start + len(length) + 1 : end - 1].partition(b"=")
        if not equals or end > len(content) or content[end - 1 : end] != b"\n":
            raise BadTar(source.position, b"", "a pax record is malformed")
        if key == b"path":
            extensions.name = text
        elif key == b"linkpath":
            extensions.target = text
        elif key == b"size":
            extensions.size = _pax_size(text, source)
        elif key.startswith(b"GNU.sparse."):
            raise BadTar(source.position, b"", "sparse files are not supported")
        start = end


def _pax_size(text: bytes, source: ByteSource) -> int:
    if not text.isdigit() or len(text) > 19 or int(text) > MAX_SIZE:
        raise BadTar(source.position, b"", f"'{display(text[:40])}' is not a size")
    return int(text)


def _number(field: bytes, source: ByteSource) -> int:
    """Parse a number in octal digits, or in base 256 where the first bit is set."""
    digits = field.strip(b" \0")
    # isdigit: int() would take signs, underscores and 0o too.
    if digits.isdigit():
        try:
            return int(digits, 8)
        except ValueError:
            pass
    elif not digits:
        return 0
    elif field[0] == 0x80 and (number := int.from_bytes(field[1:], "big")) <= MAX_SIZE:
        return number
    raise BadTar(source.position, b"", f"'{display(field)}' is not a number")


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _check_sum(block: bytes, source: ByteSource) -> None:
    stored = _number(block[148:156], source)
    # The checksum field itself counts as eight spaces.
    if sum(block) - sum(block[148:156]) + 8 * 32 != stored:
        raise BadTar(source.position - _BLOCK_SIZE, b"", "a header's checksum is wrong")


def _want_zeros(source: ByteSource) -> None:
    """Read on to the end, so that the checksum of a compressed stream is verified too."""
    while rest := source.read(BLOCK):
        if rest.count(0) != len(rest):
            raise BadTar(source.position, b"", "bytes follow the archive's end")
