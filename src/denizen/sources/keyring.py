"""Keyrings of sources: a value apart from their use, which imports more than a start of `find` can pay."""

from __future__ import annotations

from denizen.value import Value


class Keyring(Value):
    """Trusted keys; `name` is the keyring's path, or a description of it."""

    name: str
    keys: bytes
