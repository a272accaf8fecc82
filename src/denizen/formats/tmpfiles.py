"""Directories that packages declare in /usr/lib/tmpfiles.d (pure); specification: tmpfiles.d(5)."""

from __future__ import annotations

# Lines that make a directory; modifiers may follow the letter.
_MAKING = frozenset(b"dDvqQ")


def directories_in(text: bytes) -> list[bytes]:
    """Return the paths of the directories; those with specifiers (%u), quotes or blanks are left out."""
    found = []
    for line in text.split(b"\n"):
        words = line.split(None, 2)
        is_made = len(words) > 1 and words[0][0] in _MAKING and words[1].startswith(b"/")
        if is_made and not any(letter in words[1] for letter in b"%\"'\\"):
            found.append(words[1])
    return found
