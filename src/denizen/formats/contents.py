"""Parser of Debian's Contents files, which map paths to packages (pure).

Specification: https://wiki.debian.org/DebianRepository/Format, "Contents indices".

    file     = [ preamble ] *( line LF )
    line     = path 1*WSP location        ; a path may hold spaces, the location may not
    location = name *( "," name )
    name     = [ [ area "/" ] section "/" ] package

Paths have no leading slash (older files: "./"). Lines come sorted by path. Real files have millions of
lines, so the readers below take decompressed chunks cut anywhere and do per line only what C does in
one call: 7.3 million lines take 5.8 s, where a regular expression with groups took 22.

Limits: MAX_LINE bytes of a line that continues in the next chunk, MAX_PREAMBLE of preamble. The total size is
bounded by the decompressor.
"""

from __future__ import annotations

from denizen.errors import BadInput, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    # (directory without slashes around it, location as written, file names) of consecutive lines with the
    # same directory and location. A tuple, because a million of them are made.
    Group: TypeAlias = tuple[bytes, bytes, list[bytes]]

# The longest path Linux takes is 4,096 bytes; a location of 200 packages is about as long.
MAX_LINE = 64 * 1024
# Bytes of the prose at the beginning of old files, which ends with the line below.
MAX_PREAMBLE = 64 * 1024
_PREAMBLE_END = [b"FILE", b"LOCATION"]


class BadContents(BadInput):
    """A Contents file breaks the format.

    Attributes:
        problem: the rule broken.
        text: the line, cut.
    """

    problem: str
    text: bytes
    WHAT = "a Contents file cannot be read: {problem:text}"

    @property
    def why(self) -> str:
        return f"the line is {display(self.text[:120])}" if self.text else ""


def whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes without a preamble, in chunks of whole lines; the last line ends in a newline.

    Raises BadContents: a line has more than MAX_LINE bytes.
    """
    rest = b""
    for chunk in _past_preamble(chunks):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
        if len(rest) > MAX_LINE:
            raise BadContents("a line has no end", rest)
    if rest:
        yield rest + b"\n"


def groups(chunks: Iterable[bytes]) -> Iterator[Group]:
    """Yield every path, as groups of names that share directory and location.

    Raises BadContents.
    """
    directory = location = None
    names: list[bytes] = []
    for block in whole_lines(chunks):
        for line in block.split(b"\n"):
            try:
                path, here = line.rsplit(None, 1)
            except ValueError:
                if not line:
                    continue
                raise BadContents("a line has no location", line) from None
            parent, _, name = path.rpartition(b"/")
            if here != location or parent != directory:
                if names and directory is not None and location is not None:
                    yield _clean(directory), location, names
                directory, location, names = parent, here, []
            names.append(name)
    if names and directory is not None and location is not None:
        yield _clean(directory), location, names


def lines_holding(chunks: Iterable[bytes], needle: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (path, location) of each line that contains `needle`.

    Only those lines are parsed; the others cost no more than a search (150 MB in 0.1 s). Raises BadContents.
    """
    for block in whole_lines(chunks):
        position = block.find(needle)
        while position >= 0:
            end = block.find(b"\n", position)
            line = block[block.rfind(b"\n", 0, position) + 1 : end]
            words = line.rsplit(None, 1)
            if len(words) != 2:
                raise BadContents("a line has no location", line)
            # Inlined: two calls less for each of 60,000 libraries.
            yield (words[0] if words[0][:1] != b"." else _clean(words[0])), words[1]
            position = block.find(needle, end)


def packages_of(location: bytes) -> tuple[bytes, ...]:
    """Return the package names in a location, without areas and sections."""
    return tuple([name.rpartition(b"/")[2] for name in location.split(b",")])


def _clean(path: bytes) -> bytes:
    return path[2:] if path.startswith(b"./") else b"" if path == b"." else path


def _past_preamble(chunks: Iterable[bytes]) -> Iterator[bytes]:
    head, rest = b"", iter(chunks)
    for chunk in rest:
        head += chunk
        if len(head) >= MAX_PREAMBLE:
            break
    yield _without_preamble(head)
    yield from rest


def _without_preamble(block: bytes) -> bytes:
    head = b"\n" + block[:MAX_PREAMBLE]
    start = head.find(b"\nFILE ")
    while start >= 0:
        end = head.find(b"\n", start + 1)
        if end >= 0 and head[start:end].split() == _PREAMBLE_END:
            return block[end:]
        start = head.find(b"\nFILE ", start + 1)
    return block
