"""Digest, what is known of a NAR without having it (pure)."""

from __future__ import annotations

from denizen.value import Value


class Digest(Value):
    """The digest of a NAR.

    Attributes:
        nar_hash: SHA-256 of the NAR.
        nar_size: its length in bytes.
        mentions: hash parts of the candidates it mentions.
    """

    nar_hash: bytes
    nar_size: int
    mentions: frozenset[bytes] = frozenset()
