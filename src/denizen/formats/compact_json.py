"""JSON reader, and writer of text without spaces, that need no import of the `json` package (pure).

Specification: RFC 8259. The reader is the one in C that `json.loads` calls, and accepts what that accepts
of text; what is written is `json.dumps(content, separators=(",", ":"))`, byte for byte. Importing `json`
imports `re` and its compiler, 5 ms where `python3 -c pass` takes 9. This is no part of indented_json.py,
which writes for people, because loading the C part takes 0.3 ms.

Limits: those of Python's reader: nesting ends in a RecursionError. What is written is denizen's own.
"""

from __future__ import annotations

# CPython's own, private and unchanged since 3.1; json.scanner and json.encoder take them from there too.
from _json import encode_basestring_ascii, make_scanner

from denizen.formats.indented_json import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


def compact_json(content: object) -> str:
    """Return `content` as a JSON document in ASCII and without spaces.

    Raises:
        TypeError: an object in it is of an unsupported type.
    """
    if isinstance(content, dict):
        return f"{{{','.join([f'{_ascii(key)}:{compact_json(item)}' for key, item in content.items()])}}}"
    if isinstance(content, list | tuple):
        return f"[{','.join(map(compact_json, content))}]"
    return _ascii(content) if isinstance(content, str) else json_text(content)


def _ascii(text: str) -> str:
    quoted: str = encode_basestring_ascii(text)
    return quoted


def parse_json(document: str) -> Any:
    """Return the content of a JSON document. Raises ValueError, RecursionError."""
    start = len(document) - len(document.lstrip(_SPACE))
    try:
        content, end = _scan(document, start)
    except StopIteration as at:
        raise ValueError(f"Expecting value: char {at.value}") from None
    if document[end:].strip(_SPACE):
        raise ValueError(f"Extra data: char {end}")
    return content


_SPACE = " \t\n\r"


class _Reading:
    """The settings of `json.loads`, as the scanner reads them."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    memo: ClassVar[dict[str, str]] = {}

    @staticmethod
    def parse_constant(name: str) -> float:
        """Return the number that is written as a word."""
        return float(name)


_scan = make_scanner(_Reading)  # type: ignore[arg-type]  # it reads attributes alone, of any object
