"""Ed25519 keys and signatures in Nix's form `name:base64` (pure).

Specification: Nix, src/libutil/signature (crypto.cc): a public key holds 32 bytes, a secret key 64 (the
seed, then the public key), a signature 64. The name identifies the key, and proves nothing.
"""

from __future__ import annotations

import binascii

from denizen.errors import BadInput, HostLacks, display
from denizen.formats import ed25519
from denizen.formats.hashes import to_base64
from denizen.value import Value

SECRET_SIZE = 64


class BadKey(BadInput):
    """The text is not a key. The text itself is not kept, as it may be a secret."""

    kind: str
    reason: str
    WHAT = "this is not a {kind:text}"
    WHY = "{reason:text}"


class NoSigner(HostLacks):
    """Signing needs the cryptography package."""

    WHAT = "cannot sign here"
    WHY = "signing needs the Python package 'cryptography', which is not installed"
    REMEDY = "pip install 'denizen[sign]'"


class PublicKey(Value):
    """A named trusted key; `key` is its 32 bytes."""

    name: str
    key: bytes

    def verifies(self, message: bytes, signature: str) -> bool:
        """Return whether `signature` was made by this key over `message`; False for malformed text."""
        name, _, encoded = signature.partition(":")
        return name == self.name and ed25519.verify(self.key, message, _decoded(encoded) or b"")

    def __str__(self) -> str:
        return f"{self.name}:{to_base64(self.key)}"


class SecretKey(Value):
    """A named key to sign with; repr does not show its secret."""

    name: str
    seed: bytes
    public: bytes

    def sign(self, message: bytes) -> str:
        """Return the signature over `message`, with the key's name.

        Raises:
            NoSigner: the package that signs is not installed.
        """
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        except ImportError:
            raise NoSigner from None
        return f"{self.name}:{to_base64(Ed25519PrivateKey.from_private_bytes(self.seed).sign(message))}"

    @property
    def public_key(self) -> PublicKey:
        """The key by which others verify its signatures."""
        return PublicKey(self.name, self.public)

    def __repr__(self) -> str:
        return f"SecretKey({self.name!r})"


def parse_public(text: str) -> PublicKey:
    """Return a public key, written as in trusted-public-keys.

    Raises:
        BadKey: it is not one.
    """
    return PublicKey(*_parse(text, "public key", ed25519.KEY_SIZE))


def parse_secret(text: str) -> SecretKey:
    """Return a secret key, as `nix-store --generate-binary-cache-key` writes it.

    Raises:
        BadKey: it is not one.
    """
    name, content = _parse(text, "secret key", SECRET_SIZE)
    return SecretKey(name, content[:32], content[32:])


def _parse(text: str, kind: str, size: int) -> tuple[str, bytes]:
    name, found, encoded = text.strip().partition(":")
    if not found or not name:
        raise BadKey(kind, "a key is written NAME:BASE64")
    content = _decoded(encoded)
    if content is None or len(content) != size:
        raise BadKey(kind, f"after '{display(name)}:' come {size} bytes in base 64")
    return name, content


def _decoded(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error, and characters outside ASCII
        return None
