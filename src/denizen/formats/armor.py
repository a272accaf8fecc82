"""Decoder of OpenPGP ASCII armor, for keys (pure).

Specification: RFC 9580, section 6.2. gpgv takes binary keyrings only, while apt's Signed-By may name an
armored file or hold the block itself.

    armor = "-----BEGIN PGP PUBLIC KEY BLOCK-----" LF *( header LF ) LF base64 [ "=" crc24 ] LF
            "-----END PGP PUBLIC KEY BLOCK-----"

The checksum is ignored: RFC 9580 forbids relying on it, and a damaged key verifies no signature.

Limits: MAX_KEYRING bytes.
"""

from __future__ import annotations

import binascii

from denizen.errors import BadInput

MAX_KEYRING = 16 << 20
BEGIN = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
END = b"-----END PGP PUBLIC KEY BLOCK-----"


class BadArmor(BadInput):
    """A key block cannot be read.

    Attributes:
        problem: what is wrong.
    """

    problem: str
    WHAT = "a PGP key block cannot be read: {problem:text}"


def binary_keys(keyring: bytes) -> bytes:
    """Return the keyring in binary form: armored blocks are decoded and joined, a binary one is unchanged.

    Raises BadArmor.
    """
    if len(keyring) > MAX_KEYRING:
        raise BadArmor("it is too large")
    if BEGIN not in keyring:
        return keyring
    keys = b""
    for block in keyring.split(BEGIN)[1:]:
        body, end, _ = block.partition(END)
        if not end:
            raise BadArmor("it has no end")
        keys += _decoded(body)
    return keys


def _decoded(body: bytes) -> bytes:
    lines = [line.strip() for line in body.split(b"\n")[1:]]
    if b"" not in lines[:-1]:
        raise BadArmor("no blank line ends its headers")
    data = [line for line in lines[lines.index(b"") + 1 :] if line and not line.startswith(b"=")]
    try:
        return binascii.a2b_base64(b"".join(data), strict_mode=True)
    except binascii.Error as error:
        raise BadArmor(str(error)) from error
