"""The mounts of a process, as /proc/PID/mountinfo tells them (pure).

Specification: proc(5). A line is

    mount-id parent-id major:minor root mount-point options *( optional ) "-" type source super-options

with one blank between fields. In a path a blank, a tab, the end of a line and a backslash are written as
three octal digits behind a backslash; nothing else is, so that a path may have a carriage return.
"""

from __future__ import annotations

from denizen.value import Value

# The backslash last: what another one's digits follow is no escape.
_ESCAPES = ((rb"\040", b" "), (rb"\011", b"\t"), (rb"\012", b"\n"), (rb"\134", b"\\"))


class Mount(Value):
    """A mount.

    Attributes:
        root: the path in its file system that is seen.
        point: the path at which it is seen.
        kind: the type of the file system.
        source: the device, or what else the type calls its source.
    """

    root: bytes
    point: bytes
    kind: bytes
    source: bytes


def read_mountinfo(text: bytes) -> list[Mount]:
    """Return the mounts, in the order of the text; lines that are none are left out."""
    found = []
    for line in text.split(b"\n"):
        before, _, after = line.partition(b" - ")
        fields, behind = before.split(b" "), after.split(b" ")
        if len(fields) > 5 and len(behind) > 1:
            row = (fields[3], fields[4], behind[0], behind[1])
            # Asked of the line once: hardly any has an escape, and four calls for each cost half of its time.
            found.append(Mount(*(map(_unescaped, row) if b"\\" in line else row)))
    return found


def _unescaped(field: bytes) -> bytes:
    for escape, byte in _ESCAPES:
        field = field.replace(escape, byte)
    return field
