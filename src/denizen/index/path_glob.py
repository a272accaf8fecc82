"""Globs over the paths of an archive: what `*`, `?`, `[...]` and `**` match (pure).

A glob is split at its last slash. `*` and `?` do not match a slash, `**` matches any number of
directories; a glob without a slash is one for the last component alone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from re import Pattern


def is_glob(text: bytes) -> bool:
    """Tell whether a question is a glob rather than a name."""
    return any(wild for wild, _ in _pieces(text))


def longest_literal(glob: bytes) -> bytes:
    """Return the longest part of a glob without wildcards, which is searched for."""
    return max((piece for wild, piece in _pieces(glob) if not wild), key=len, default=b"")


def first_literal(glob: bytes) -> bytes:
    """Return the first part of a glob without wildcards."""
    return next((piece for wild, piece in _pieces(glob) if not wild), b"")


def expression(glob: bytes) -> bytes:
    """Return the regular expression for a glob within one path component."""
    import re

    return b"".join([_wild(piece) if is_wild else re.escape(piece) for is_wild, piece in _pieces(glob)])


def _wild(piece: bytes) -> bytes:
    if piece == b"*":
        return b"[^/]*"
    if piece == b"?":
        return b"[^/]"
    negated = piece[1:2] == b"!"
    members = b"".join([b"\\x%02x" % code for code in _members(piece[2 if negated else 1 : -1])])
    if not members:
        # A range in descending order has no members.
        return b"[^/]" if negated else b"(?!)"
    return b"[^/" + members + b"]" if negated else b"[" + members + b"]"


def _members(inside: bytes) -> list[int]:
    codes: list[int] = []
    position = 0
    while position < len(inside):
        if inside[position + 1 : position + 2] == b"-" and position + 2 < len(inside):
            codes += range(inside[position], inside[position + 2] + 1)
            position += 3
        else:
            codes.append(inside[position])
            position += 1
    return codes


def _pieces(glob: bytes) -> Iterator[tuple[bool, bytes]]:
    """Yield the literals (False) and wildcards (True) of a glob."""
    start = position = 0
    while position < len(glob):
        length = _wild_length(glob, position)
        if length:
            if start < position:
                yield False, glob[start:position]
            yield True, glob[position : position + length]
            start = position + length
        position += length or 1
    if start < position:
        yield False, glob[start:]


def _wild_length(glob: bytes, position: int) -> int:
    character = glob[position : position + 1]
    if character in (b"*", b"?"):
        return 1
    # As in fnmatch: a closing bracket right after the opening one is a member; without any it is a literal.
    end = glob.find(b"]", position + (3 if glob[position + 1 : position + 2] == b"!" else 2))
    return end + 1 - position if character == b"[" and end > 0 else 0


def name_test(name: bytes) -> Pattern[bytes]:
    """Return the expression for the names that a glob of one component matches."""
    import re

    return re.compile(expression(name) + rb"\Z")


def directory_test(directory: bytes) -> Pattern[bytes]:
    """Return the expression for the directories, without slashes around, that a glob matches."""
    import re

    parts = [part for part in directory.split(b"/") if part]
    # "**" includes the slash after it, so that it also matches zero directories.
    pieces = [rb"(?:[^/]+/)*" if part == b"**" else expression(part) + b"/" for part in parts]
    if pieces and parts[-1] != b"**":
        pieces[-1] = pieces[-1][:-1]
    elif pieces:
        pieces[-1] = rb"(?:[^/]+(?:/[^/]+)*)?"
        if len(pieces) > 1:
            pieces[-2:] = [pieces[-2].removesuffix(b"/"), rb"(?:/[^/]+)*"]
    return re.compile(b"".join(pieces) + rb"\Z")
