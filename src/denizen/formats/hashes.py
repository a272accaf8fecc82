"""Hashes, and the forms in which Nix, Debian and the web write them (pure).

Forms: `sha256:<hex>`, `sha256:<Nix base 32>`, `sha256:<base64>` (Nix, src/libutil/hash.cc; distinguished
by length), and `sha256-<base64>` (Subresource Integrity, W3C, without options). Each digest has one
spelling in each form: hex is in lower case, base 64 with its padding.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats import base32
from denizen.value import Value

# Digest sizes in bytes. md5 and sha1 occur in old derivations and indexes; no content is trusted by them.
SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha512": 64}
HEX_DIGITS = frozenset(b"0123456789abcdef")


class MalformedHash(BadInput):
    """The text is not a digest in any known form."""

    text: str
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"'{display(self.text[:160])}' is not a hash"


class Hash(Value):
    """A digest and its algorithm."""

    algorithm: str
    digest: bytes

    @property
    def hex(self) -> str:
        """`ba7816bf...`, without the algorithm."""
        return self.digest.hex()

    @property
    def base32(self) -> str:
        """`1b8m03r63z...`, without the algorithm."""
        return base32.encode(self.digest)

    @property
    def nix(self) -> str:
        """`sha256:1b8m03r63z...`, as narinfo files write it."""
        return f"{self.algorithm}:{self.base32}"

    @property
    def sri(self) -> str:
        """`sha256-ungWv48B...=`, as lock files and web pages write it."""
        return f"{self.algorithm}-{to_base64(self.digest)}"

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"


def parse(text: str, algorithm: str | None = None) -> Hash:
    """Return the hash written in any form.

    `algorithm` is for text that names none (a `.drv`, a Packages file).

    Raises:
        MalformedHash, BadBase32: unknown algorithm, two algorithms that differ, wrong length or characters.
    """
    for separator in (":", "-"):
        named, found, digest = text.partition(separator)
        if found and named in SIZES:
            break
    else:
        named, separator, digest = algorithm or "", ":", text
    if named not in SIZES:
        raise MalformedHash(text, f"it names no algorithm among {', '.join(SIZES)}")
    if algorithm is not None and named != algorithm:
        raise MalformedHash(text, f"{algorithm} was expected")
    size = SIZES[named]
    if separator == "-":
        return Hash(named, _from_base64(digest, size, text))
    return Hash(named, _from_any(digest, size, text))


def to_base64(content: bytes) -> str:
    """Return bytes in base 64, padded and on one line."""
    # Not the module base64: it imports re (8 ms), and every store path needs this module.
    import binascii

    return binascii.b2a_base64(content, newline=False).decode("ascii")


def _from_any(digest: str, size: int, text: str) -> bytes:
    if len(digest) == 2 * size:
        if not HEX_DIGITS.issuperset(digest.encode("utf-8", "surrogatepass")):
            raise MalformedHash(text, "hexadecimal digits are 0-9 and a-f")
        return bytes.fromhex(digest)
    if len(digest) == base32.digits_for(size):
        return base32.decode(digest)
    return _from_base64(digest, size, text)


def _from_base64(digest: str, size: int, text: str) -> bytes:
    import binascii

    try:
        content = binascii.a2b_base64(digest, strict_mode=True)
    except (binascii.Error, ValueError):  # ValueError: a character outside ASCII
        raise MalformedHash(text, "its digest is in none of the forms hex, base 32 and base 64") from None
    if len(content) != size or to_base64(content) != digest:
        raise MalformedHash(
            text, f"its digest is not {size} bytes long, or not spelled the one way base 64 has"
        )
    return content
