"""Entries of binfmt_misc: the programs that the kernel gives files of other formats to (pure).

Specification: Linux, Documentation/admin-guide/binfmt-misc.rst, and fs/binfmt_misc.c (entry_status) for the
text of an entry's file; update-binfmts(8), "FORMAT FILES", for what packages have in /usr/share/binfmts.
"""

from __future__ import annotations

from denizen.lazy_pattern import pattern
from denizen.value import Value

_ESCAPE = pattern(rb"\\x([0-9A-Fa-f]{2})|\\([\\nt])")
_PLAIN = {b"\\": b"\\", b"n": b"\n", b"t": b"\t"}


class Handler(Value):
    """An entry of binfmt_misc, which the kernel tries before ELF and scripts.

    Attributes:
        interpreter: the program that matching files are given to.
        extension: the extension of matching file names; b"" where they match by `magic`.
        offset, magic, mask: the bytes of matching files at `offset`, compared in the bits of `mask`.
    """

    interpreter: bytes
    extension: bytes = b""
    offset: int = 0
    magic: bytes = b""
    mask: bytes = b""

    def takes(self, name: bytes, start: bytes) -> bool:
        """Return whether a file of this name, with these first bytes, matches."""
        if self.extension:
            return name.rpartition(b"/")[2].rpartition(b".")[1:] == (b".", self.extension)
        found = start[self.offset : self.offset + len(self.magic)]
        kept = bytes([byte & bit for byte, bit in zip(found, self.mask, strict=False)])
        wanted = bytes([byte & bit for byte, bit in zip(self.magic, self.mask, strict=False)])
        return bool(wanted) and kept == wanted


def read_handler(text: bytes) -> Handler | None:
    """Return the entry described by a file of binfmt_misc; None if it is disabled or not an entry."""
    lines = text.split(b"\n")
    facts = dict(line.rstrip(b":").partition(b" ")[::2] for line in lines)
    interpreter, extension = facts.get(b"interpreter", b""), facts.get(b"extension", b"").lstrip(b".")
    if lines[0] != b"enabled" or not interpreter:
        return None
    try:
        magic = bytes.fromhex(facts.get(b"magic", b"").decode("ascii"))
        mask = bytes.fromhex(facts.get(b"mask", b"").decode("ascii")) or b"\xff" * len(magic)
        return Handler(interpreter, extension, int(facts.get(b"offset", b"0")), magic, mask)
    except ValueError:
        return None


def read_declaration(text: bytes) -> Handler | None:
    """Return the entry that a package's file declares; None if it is none.

    A detector, a program that looks at the whole file, is not asked: where it is, it tells one use of a magic
    number from the others.
    """
    facts: dict[bytes, bytes] = {}
    for line in text.split(b"\n"):
        key, _, rest = line.strip().partition(b" ")
        facts[key] = rest.strip()
    interpreter, extension = facts.get(b"interpreter", b""), facts.get(b"extension", b"")
    magic, mask = (_unescaped(facts.get(key, b"")) for key in (b"magic", b"mask"))
    offset = facts.get(b"offset", b"") or b"0"
    known = interpreter.startswith(b"/") and (extension or magic) and offset.isdigit() and len(offset) < 4
    if not known or (mask and len(mask) != len(magic)):
        return None
    return Handler(interpreter, extension, int(offset), magic, mask or b"\xff" * len(magic))


def _unescaped(text: bytes) -> bytes:
    return _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else _PLAIN[found[2]], text)
