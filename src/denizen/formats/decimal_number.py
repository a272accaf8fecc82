"""Sizes and times as decimal digits, in `.narinfo` and sidecar files (pure)."""

from __future__ import annotations

MAX_NUMBER = 2**63 - 1


def parse_number(text: str) -> int | None:
    """Return the number that a text is, up to MAX_NUMBER; None if it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))):
        return None
    return number if (number := int(text)) <= MAX_NUMBER else None
