"""Sidecar files: the registered metadata of one object, from which the database can be rebuilt (pure).

Format (docs/formats/sidecar.md): UTF-8 lines, each ended by a newline, in this order; the optional
ones may be missing, `signature` may be repeated:

    sidecar    = "denizen-object 1" "name: " name "nar-hash: sha256:" base32 "nar-size: " decimal
                 "registered: " decimal { "reference: " name } [ "deriver: " name ]
                 [ "content-address: " text ] { "signature: " text } "end"

The last line distinguishes a complete file from a truncated one. Limits: `MAX_SIZE` bytes.
"""

from __future__ import annotations

from denizen.errors import StoreDamaged
from denizen.formats import base32
from denizen.formats.base32 import BadBase32
from denizen.formats.decimal_number import parse_number
from denizen.formats.storepath import BadStorePath, StorePath, from_base
from denizen.store.object_info import ObjectInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    T = TypeVar("T")

MAX_SIZE = 64 * 1024 * 1024
_MAGIC = "denizen-object 1"
_END = "end"
_DIGEST_SIZE = 32
# Nix's own narSize is signed 64 bit.


class BadSidecar(StoreDamaged):
    """A sidecar is malformed.

    Attributes:
        path: the object the sidecar belongs to.
        line: the first line that is wrong, counted from 1.
    """

    path: StorePath
    line: int
    reason: str
    WHY = "line {line}: {reason:text}"
    REMEDY = "denizen store verify --repair"

    @property
    def what(self) -> str:
        return f"the sidecar of {self.path} is damaged"


def write(info: ObjectInfo) -> bytes:
    """Return the content of an object's sidecar."""
    lines = [
        _MAGIC,
        f"name: {info.path}",
        f"nar-hash: sha256:{base32.encode(info.nar_hash)}",
        f"nar-size: {info.nar_size}",
        f"registered: {info.registered}",
        *(f"reference: {reference}" for reference in info.references),
        *([f"deriver: {info.deriver}"] if info.deriver is not None else []),
        *([f"content-address: {info.content_address}"] if info.content_address is not None else []),
        *(f"signature: {signature}" for signature in info.signatures),
        _END,
        "",
    ]
    return "\n".join(lines).encode()


def read(content: bytes, path: StorePath) -> ObjectInfo:
    """Return the info in a sidecar's `content`, which must describe the object `path`.

    Raises:
        BadSidecar: a line is missing, out of place or malformed.
    """
    lines = _Lines(path, content)
    lines.expect(_MAGIC)
    if lines.value("name") != path.base:
        raise lines.broken("it describes another object")
    info = ObjectInfo(
        path=path,
        nar_hash=lines.parsed("nar-hash", _digest),
        nar_size=lines.parsed("nar-size", parse_number),
        registered=lines.parsed("registered", parse_number),
        references=tuple(lines.repeated("reference", _name)),
        deriver=lines.optional("deriver", _name),
        content_address=lines.optional("content-address", str),
        signatures=tuple(lines.repeated("signature", str)),
    )
    lines.expect(_END)
    return info


class _Lines:
    """The lines of a sidecar that are still to be parsed."""

    def __init__(self, path: StorePath, content: bytes) -> None:
        self._path = path
        self._at = 0
        try:
            self._lines = content.decode().split("\n")
        except UnicodeDecodeError:
            raise BadSidecar(path, 1, "it is not UTF-8") from None

    def broken(self, reason: str) -> BadSidecar:
        return BadSidecar(self._path, self._at, reason)

    def expect(self, line: str) -> None:
        found, self._at = self._here(), self._at + 1
        if found != line:
            raise self.broken(f"'{line}' was expected")

    def value(self, key: str) -> str:
        found, self._at = self._here(), self._at + 1
        if not found.startswith(f"{key}: "):
            raise self.broken(f"'{key}: ' was expected")
        return found[len(key) + 2 :]

    def parsed(self, key: str, parse: Callable[[str], T | None]) -> T:
        parsed = parse(self.value(key))
        if parsed is None:
            raise self.broken(f"not a {key}")
        return parsed

    def optional(self, key: str, parse: Callable[[str], T | None]) -> T | None:
        return self.parsed(key, parse) if self._here().startswith(f"{key}: ") else None

    def repeated(self, key: str, parse: Callable[[str], T | None]) -> Iterator[T]:
        while self._here().startswith(f"{key}: "):
            yield self.parsed(key, parse)

    def _here(self) -> str:
        return self._lines[self._at] if self._at < len(self._lines) else ""


def _digest(text: str) -> bytes | None:
    algorithm, _, digits = text.partition(":")
    try:
        digest = base32.decode(digits)
    except BadBase32:
        return None
    return digest if algorithm == "sha256" and len(digest) == _DIGEST_SIZE else None


def _name(text: str) -> StorePath | None:
    try:
        return from_base(text)
    except BadStorePath:
        return None
