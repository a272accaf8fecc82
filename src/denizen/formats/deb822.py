"""Parser of Debian's control format (deb822): paragraphs of fields (pure).

Specification: deb822(5) and Debian Policy 5.1.

    file       = *( blank / comment ) *( paragraph 1*blank ) [ paragraph ]
    paragraph  = 1*( field / comment )
    field      = name ":" *WSP value LF *( continuation )
    continuation = WSP text LF        ; its first character is dropped, "." alone is an empty line
    name       = 1*<printable but ":" and SPACE>, not starting with "-" or "#"
    comment    = "#" text LF

Names compare without case and are returned in lower case; a name twice in one paragraph is refused. This
is the strict parser for small files (Release, .sources, a package's control); `packages` parses the 50 MB of
Packages files.

Limits: MAX_PARAGRAPHS and MAX_FIELDS.
"""

from __future__ import annotations

from denizen.errors import BadInput, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PARAGRAPHS = 100_000
MAX_FIELDS = 1_000


class BadControl(BadInput):
    """A control file breaks the format.

    Attributes:
        line: the line's number, from 1.
        problem: the rule broken.
        text: the line.
    """

    line: int
    problem: str
    text: bytes
    WHAT = "line {line} of a control file: {problem:text}"

    @property
    def why(self) -> str:
        return display(self.text[:80])


def paragraphs(text: bytes) -> Iterator[dict[bytes, bytes]]:
    """Yield each paragraph as lower-case name to value, continuation lines joined by newlines.

    Raises:
        BadControl: at the first line that breaks the grammar or a limit.
    """
    # Lists until the paragraph is complete: appending to bytes would copy all lines before.
    fields: dict[bytes, list[bytes]] = {}
    name = b""
    count = 0
    for number, raw in enumerate(text.split(b"\n"), start=1):
        line = raw.rstrip(b"\r")
        if not line.strip():
            if fields:
                count += 1
                if count > MAX_PARAGRAPHS:
                    raise BadControl(number, "too many paragraphs", line)
                yield _complete(fields)
            fields, name = {}, b""
        elif line[:1] == b"#":
            continue
        elif line[:1] in b" \t":
            if not name:
                raise BadControl(number, "continues a field that was never begun", line)
            fields[name].append(_continued(line))
        else:
            name, value = _field(line, number)
            if name in fields:
                raise BadControl(number, "the same field twice", line)
            if len(fields) >= MAX_FIELDS:
                raise BadControl(number, "too many fields", line)
            fields[name] = [value]
    if fields:
        yield _complete(fields)


def _complete(fields: dict[bytes, list[bytes]]) -> dict[bytes, bytes]:
    return {name: b"\n".join(lines) for name, lines in fields.items()}


def _continued(line: bytes) -> bytes:
    text = line[1:]
    return b"" if text.rstrip() == b"." else text


def _field(line: bytes, number: int) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name[:1] == b"-" or not name.isascii() or b" " in name or b"\t" in name:
        raise BadControl(number, "neither a field, a continuation nor a comment", line)
    return name.lower(), value.strip()
