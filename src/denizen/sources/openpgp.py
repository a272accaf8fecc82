"""Verification of OpenPGP signatures, by gpgv where present, by pysequoia otherwise.

Both return the text that was signed, and only that text is used: an InRelease may contain other bytes
before, after and between (apt was deceived in this way in CVE-2013-1051 and CVE-2016-1252).

gpgv's status lines are documented in GnuPG's doc/DETAILS. VALIDSIG alone is not enough: it is also given
for expired and revoked keys, beside EXPKEYSIG and REVKEYSIG in place of GOODSIG.
"""

from __future__ import annotations

import os

from denizen.errors import HostLacks
from denizen.formats.armor import binary_keys
from denizen.sources.errors import BadSignature, NoRoom

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from pysequoia import Cert

    from denizen.sources.keyring import Keyring
else:
    Protocol = object

_TIMEOUT = 30
_BEGIN = b"-----BEGIN PGP SIGNED MESSAGE-----"
_SIGNATURE = b"-----BEGIN PGP SIGNATURE-----"
_END = b"-----END PGP SIGNATURE-----"
# One good signature of a trusted key is enough, as for apt: Debian signs with several keys, and an old host
# lacks the newest. No signature may be bad.
_GOOD = b"GOODSIG"
_FATAL = {b"BADSIG": "the text was changed after it was signed"}
_WORTHLESS = {
    b"EXPKEYSIG": "the key has expired",
    b"REVKEYSIG": "the key was revoked",
    b"EXPSIG": "the signature has expired",
    # Given beside ERRSIG, which alone means that the algorithms are not accepted.
    b"NO_PUBKEY": "signed by a key that is in no keyring",
    b"ERRSIG": "signed by an algorithm that is not accepted, such as SHA-1",
    b"NODATA": "there is no signature",
    b"UNEXPECTED": "there is no signature",
}


class NoVerifier(HostLacks):
    """Neither gpgv nor pysequoia is installed."""

    WHAT = "signatures cannot be checked on this machine"
    WHY = "neither the program gpgv nor the Python module pysequoia is installed"
    REMEDY = "pip install 'denizen[openpgp]'"


class Verifier(Protocol):
    """Checks signatures against keyrings."""

    def inline(self, name: str, text: bytes, keyrings: Sequence[Keyring]) -> bytes:
        """Return the signed part of a cleartext-signed message. Raises BadSignature."""

    def detached(self, name: str, text: bytes, signature: bytes, keyrings: Sequence[Keyring]) -> bytes:
        """Return `text` after checking its detached `signature`. Raises BadSignature."""


def best_verifier(search_path: str | None = None) -> Verifier:
    """Return a verifier that runs gpgv if it is on `search_path`, else one by pysequoia.

    Raises NoVerifier.
    """
    # Imported here, like all that only a check needs: saves starts that fetch no index 28 ms.
    import shutil

    program = shutil.which("gpgv", path=search_path)
    if program is not None:
        return GpgvVerifier(program)
    try:
        return SequoiaVerifier()
    except ImportError:
        raise NoVerifier from None


class ChosenWhenAsked:
    """The best verifier available, determined when the first signature is checked. Raises NoVerifier."""

    def __init__(self, search_path: str | None) -> None:
        self._search_path = search_path
        self._chosen: Verifier | None = None

    def inline(self, name: str, text: bytes, keyrings: Sequence[Keyring]) -> bytes:
        return self._best().inline(name, text, keyrings)

    def detached(self, name: str, text: bytes, signature: bytes, keyrings: Sequence[Keyring]) -> bytes:
        return self._best().detached(name, text, signature, keyrings)

    def _best(self) -> Verifier:
        self._chosen = self._chosen or best_verifier(self._search_path)
        return self._chosen


class GpgvVerifier:
    """A verifier that runs GnuPG's gpgv, a program without configuration and key database."""

    def __init__(self, program: str) -> None:
        self._program = program

    def inline(self, name: str, text: bytes, keyrings: Sequence[Keyring]) -> bytes:
        require_one_message(name, text, keyrings)
        return self._check(name, {"message": text}, keyrings)

    def detached(self, name: str, text: bytes, signature: bytes, keyrings: Sequence[Keyring]) -> bytes:
        self._check(name, {"signature": signature, "message": text}, keyrings)
        return text

    def _check(self, name: str, parts: dict[str, bytes], keyrings: Sequence[Keyring]) -> bytes:
        import tempfile

        try:
            with tempfile.TemporaryDirectory(prefix="denizen-gpgv-") as directory:
                return self._run(name, directory, parts, keyrings)
        except OSError as error:
            raise NoRoom(os.fsencode(tempfile.gettempdir()), str(error)) from error

    def _run(self, name: str, directory: str, parts: dict[str, bytes], keyrings: Sequence[Keyring]) -> bytes:
        import subprocess

        output = os.path.join(directory, "output")
        # --homedir: without a keyring gpgv would use the user's trustedkeys.gpg.
        command = [self._program, "--homedir", directory, "--status-fd", "1", "--weak-digest", "SHA1"]
        for number, keyring in enumerate(keyrings):
            path = os.path.join(directory, f"keyring{number}.gpg")
            _write(path, binary_keys(keyring.keys))
            command += ["--keyring", path]
        if "signature" not in parts:
            command += ["--output", output]
        for part, content in parts.items():
            _write(os.path.join(directory, part), content)
            command.append(os.path.join(directory, part))
        try:
            finished = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BadSignature(name, "gpgv did not come to an end", _names(keyrings)) from None
        problem = judge_status(finished.stdout)
        if problem:
            raise BadSignature(name, problem, _names(keyrings))
        return _read(output) if "signature" not in parts else b""


def judge_status(status: bytes) -> str:
    """Return what is wrong according to gpgv's status lines, "" if nothing (pure)."""
    words = {line.split(b" ")[1] for line in status.split(b"\n") if line.startswith(b"[GNUPG:] ")}
    for word, problem in _FATAL.items():
        if word in words:
            return problem
    if _GOOD in words:
        return ""
    return next((problem for word, problem in _WORTHLESS.items() if word in words), "there is no signature")


def require_one_message(name: str, text: bytes, keyrings: Sequence[Keyring]) -> None:
    """Raise BadSignature for anything but exactly one cleartext-signed message (pure).

    Verifiers differ in their treatment of text around a message and of two messages in one file.
    """
    lines = text.rstrip(b"\n").split(b"\n")
    if lines[0] != _BEGIN:
        raise BadSignature(name, "it is not signed", _names(keyrings))
    if lines.count(_BEGIN) != 1 or lines.count(_SIGNATURE) != 1 or lines[-1] != _END:
        raise BadSignature(name, "there is more in it than one signed message", _names(keyrings))


class SequoiaVerifier:
    """A verifier by Sequoia's Python module pysequoia, for machines without GnuPG."""

    def __init__(self) -> None:
        import pysequoia

        self._sequoia = pysequoia

    def inline(self, name: str, text: bytes, keyrings: Sequence[Keyring]) -> bytes:
        require_one_message(name, text, keyrings)
        try:
            verified = self._sequoia.verify(bytes=text, store=lambda _: self._certificates(keyrings))
        except (RuntimeError, ValueError) as error:
            raise BadSignature(name, _first_line(error), _names(keyrings)) from error
        if not verified.valid_sigs or verified.bytes is None:
            raise BadSignature(name, "there is no signature", _names(keyrings))
        # The last newline belongs to the armor, not to the text (RFC 9580, 7.2); gpgv adds one.
        return bytes(verified.bytes) + b"\n"

    def detached(self, name: str, text: bytes, signature: bytes, keyrings: Sequence[Keyring]) -> bytes:
        try:
            verified = self._sequoia.verify(
                bytes=text,
                store=lambda _: self._certificates(keyrings),
                signature=self._sequoia.Sig.from_bytes(signature),
            )
        except (RuntimeError, ValueError) as error:
            raise BadSignature(name, _first_line(error), _names(keyrings)) from error
        if not verified.valid_sigs:
            raise BadSignature(name, "there is no signature", _names(keyrings))
        return text

    def _certificates(self, keyrings: Sequence[Keyring]) -> list[Cert]:
        return [
            certificate
            for keyring in keyrings
            for certificate in self._sequoia.Cert.split_bytes(binary_keys(keyring.keys))
        ]


def _names(keyrings: Sequence[Keyring]) -> tuple[str, ...]:
    return tuple([keyring.name for keyring in keyrings])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()
