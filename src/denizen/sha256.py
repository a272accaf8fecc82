"""SHA-256 without OpenSSL where little is hashed (pure).

Importing `hashlib` loads OpenSSL, 2.7 ms where `python3 -c pass` takes 9. Python's own function, by which a
store path or a small file is hashed, is there in 0.1 ms. It hashes 350 MB/s and OpenSSL 1,850: at `LITTLE`
both have cost the same.
"""

from __future__ import annotations

import sys

try:
    if sys.version_info >= (3, 12):
        from _sha2 import sha256 as _own  # type: ignore[import-not-found,unused-ignore]  # in newer typeshed
    else:  # a module that is nowhere is looked for everywhere (cli.main.put_off_site)
        from _sha256 import sha256 as _own  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # a Python that was built without
    from hashlib import sha256 as _own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from denizen.bytesio import Buffer

# Bytes.
LITTLE = 1024 * 1024


def digest_of(content: Buffer) -> bytes:
    """Return the SHA-256 of a text, a name, a small file."""
    return bytes(_own(content).digest())


def hex_digest_of(content: Buffer) -> str:
    """Return the SHA-256 of a text, a name, a small file, in hex."""
    return digest_of(content).hex()


class Sha256:
    """The SHA-256 of pieces, by OpenSSL if it is loaded already, or they are more than `LITTLE` together."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []
        self._left = LITTLE
        # Without sha256 while another thread is importing it.
        loaded = getattr(sys.modules.get("hashlib"), "sha256", None)
        self._hash: Any = loaded() if loaded is not None else None

    def update(self, piece: Buffer) -> None:
        """Take the next bytes."""
        if self._hash is not None:
            self._hash.update(piece)
            return
        self._left -= len(piece)
        if self._left >= 0:
            self._kept.append(bytes(piece))
            return
        import hashlib

        self._hash = hashlib.sha256(b"".join(self._kept))
        self._kept.clear()
        self._hash.update(piece)

    def digest(self) -> bytes:
        """Return the digest of all pieces so far."""
        if self._hash is None:
            return digest_of(b"".join(self._kept))
        return bytes(self._hash.digest())
