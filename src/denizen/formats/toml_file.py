"""TOML files: how they are read, and the error that a file which people write cannot be used (pure).

Limits, before the parser sees the text: a size, and MAX_KEY_PARTS in a dotted key. tomllib takes time
quadratic in the parts of a key: 12 s for 20,000.
"""

from __future__ import annotations

import re
import tomllib

from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

# Bytes of a project's or a recipe's file.
MAX_SIZE = 1 << 20
MAX_KEY_PARTS = 200
# A string (to the end of its line where it has no end), a dot, or what lies between. Each is taken whole,
# without going back, so that the time is linear in the text's length.
_PIECES = re.compile(
    rb"""
    "(?:[^"\\\n]|\\.)*+"?
  | '[^'\n]*+'?
  | \.
  | [^"'.]++
""",
    re.VERBOSE,
)
# What no dotted key goes on behind.
_ENDS_KEY = re.compile(rb"[=,{}\[\]\n]")


class BadTomlFile(BadInput):
    """The error that a TOML file cannot be used, with all reasons.

    Attributes:
        path: the file's, as the user knows it.
        problems: all that is wrong, a sentence each.
    """

    path: str
    problems: tuple[str, ...]
    WHAT = "{path} is not usable"
    # What the remedy shows: a phrase that ends in "such as this", and a file or table to copy.
    SUCH_AS: ClassVar[str] = "a file such as this"
    EXAMPLE: ClassVar[str] = ""

    @property
    def why(self) -> str:
        return "\n".join(self.problems)

    @property
    def remedy(self) -> str:
        return f"{self.SUCH_AS}:\n{self.EXAMPLE}"


def parse_toml(text: bytes, path: str, error: type[BadTomlFile], max_size: int = MAX_SIZE) -> dict[str, Any]:
    """Return the document in a file's content.

    Args:
        text: the content; it may be cut behind `max_size` + 1 bytes.
        path: the file's, for the error.
        error: the class of the error to raise.
        max_size: in bytes.

    Raises `error`.
    """
    if len(text) > max_size:
        raise error(path, (f"it is larger than {max_size >> 10} KiB",))
    try:
        return toml_document(text)
    except ValueError as problem:
        raise error(path, (str(problem),)) from problem


def toml_document(text: bytes) -> dict[str, Any]:
    """Return the document in TOML text. Raises ValueError: it is not TOML, or over a limit."""
    if _has_long_key(text):
        raise ValueError(f"a name in it has more than {MAX_KEY_PARTS} parts")
    try:
        return tomllib.loads(text.decode("utf-8"))
    except RecursionError as problem:
        raise ValueError(str(problem)) from problem


def _has_long_key(text: bytes) -> bool:
    """Tell whether a dotted key may have more than MAX_KEY_PARTS parts; dots in strings do not count."""
    if text.count(b".") < MAX_KEY_PARTS:
        return False
    dots = 0
    for piece in _PIECES.finditer(text):
        found = piece.group()
        if found == b".":
            dots += 1
            if dots >= MAX_KEY_PARTS:
                return True
        elif found[0] not in b"\"'" and _ENDS_KEY.search(found):
            dots = 0
    return False
