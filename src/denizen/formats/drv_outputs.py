"""The outputs that a `.drv` file states, read without the rest of it (pure).

Specification: `formats.aterm`, whose parser reads all of the file and needs `re` (10 ms to import where a
whole `python -c pass` takes 13). The outputs stand at the beginning. Only what needs no escapes is read; all
else is answered by None, and is the parser's.
"""

from __future__ import annotations

_BEGINNING = b"Derive([("
_END = b")],["


def stated_outputs(content: bytes) -> dict[bytes, bytes] | None:
    """Return the path of each output by name; None where one is blank, or is not simply written."""
    end = content.find(_END)
    if not content.startswith(_BEGINNING) or end < 0:
        return None
    outputs: dict[bytes, bytes] = {}
    for row in content[len(_BEGINNING) : end].split(b"),("):
        fields = row.split(b",")
        plain = [field[1:-1] for field in fields if len(field) >= 2 and field[:1] == field[-1:] == b'"']
        if len(plain) != len(fields) or len(plain) != 4 or b"\\" in row or b'"' in b"".join(plain):
            return None
        name, path = plain[:2]
        if not path:
            return None
        outputs[name] = path
    return outputs
