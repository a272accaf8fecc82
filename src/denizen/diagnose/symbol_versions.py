"""Names of symbol versions as numbers: their order, and the newest GLIBC_ among them (pure)."""

from __future__ import annotations

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def version_key(name: bytes) -> tuple[tuple[bool, int, bytes], ...]:
    """Return a sort key for version names, in which numbers compare as numbers."""
    parts = name.replace(b"_", b".").split(b".")
    # Base 16 keeps the order of decimal digits, and Python limits only decimal numbers to 4300 digits.
    return tuple((part.isdigit(), int(part, 16) if part.isdigit() else 0, part) for part in parts)


def needed_versions(names: Iterable[bytes]) -> str | None:
    """Return the newest GLIBC_x.y among version names, as "x.y"; None for none."""
    found = [name for name in names if name.startswith(b"GLIBC_") and name[6:7].isdigit()]
    return display(max(found, key=version_key)[6:]) if found else None
