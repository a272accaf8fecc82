"""TOML files that people write: how they are read, unknown keys, the error that one cannot be used (pure).

The tables of denizen.toml (project_tables.py) are read by fhs/project_environment.py,
profiles/project_profile.py and recipes/project_develop.py, recipe.toml by recipes/recipe.py, a system's
description by system/spec_reader.py.

Limits, before the parser sees the text: a size, and MAX_KEY_PARTS in a dotted key. tomllib takes time
quadratic in the parts of a key: 12 s for 20,000.
"""

from __future__ import annotations

import re
import tomllib

from denizen.errors import BadInput, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, ClassVar

# Bytes of a project's or a recipe's file.
MAX_SIZE = 1 << 20
MAX_KEY_PARTS = 200
# Unknown keys for which a known one is proposed, 0.1 ms each.
MAX_PROPOSALS = 20
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


def unknown_keys(table: Iterable[str], known: Iterable[str], where: str = "") -> Iterator[str]:
    """Yield a sentence for each key of a table that is not among the known ones.

    Args:
        table: the keys that there are.
        known: those that there may be, in the order in which people are told them.
        where: words behind the key, as " in [phases]".
    """
    names = tuple(known)
    for number, key in enumerate(key for key in table if key not in names):
        near = meant_instead(key, names) if number < MAX_PROPOSALS else ""
        yield f"there is no key {display(key)!r}{where}" + (near or f"; there are {', '.join(names)}")


def meant_instead(word: str, known: Iterable[str]) -> str:
    """Return a question that names the known word nearest to one that is not known, "" if none is near."""
    # Imported for a mistake alone: 4 ms.
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), tuple(known), n=1, cutoff=0.75)
    return f"; is {near[0]} meant?" if near else ""


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
