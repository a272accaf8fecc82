r"""Parser and writer of `.narinfo` files, a binary cache's metadata of a store object (pure).

Specification: Nix, src/libstore/nar-info.cc (NarInfo::NarInfo, to_string) and path-info.cc
(ValidPathInfo::fingerprint):

    narinfo = { key ": " value "\n" }
    fingerprint = "1;" path ";sha256:" NAR hash in base 32 ";" NAR size ";" references in full,
                  sorted, joined by ","

`StorePath`, `URL`, `NarHash` and `NarSize` must be there; `Compression` is bzip2 where absent. `Sig` may
be repeated, nothing else may. Unknown keys are skipped, as Nix does. A file has at most
`MAX_LINES` lines and `MAX_SIZE` bytes: the largest of cache.nixos.org, with a thousand
references, are under 100 kB.

Only the fingerprint is signed: `URL`, `Compression`, `FileHash` and `FileSize` may be forged by
the server of the file, and `Deriver` and `System` too. Fetched data must be checked against `NarHash`
and `NarSize`, and these against a signature, before any of it is used: store/binary_cache.py does it.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats import hashes, storepath
from denizen.formats.decimal_number import parse_number
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.hashes import Hash
    from denizen.formats.signature import SecretKey
    from denizen.formats.storepath import StorePath

MAX_SIZE = 1024 * 1024
MAX_LINES = 256
_UNKNOWN_DERIVER = "unknown-deriver"
_DEFAULT_COMPRESSION = "bzip2"
_REQUIRED = ("StorePath", "URL", "NarHash", "NarSize")


class BadNarInfo(BadInput):
    """A file breaks a rule of the format."""

    key: str
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"the narinfo's '{display(self.key[:80])}' is malformed" if self.key else "not a narinfo"


class NarInfo(Value):
    """A store object as a cache offers it.

    Attributes:
        path: the object.
        url: the compressed archive's, relative to the cache.
        nar_hash, nar_size: of the uncompressed archive.
        references: the objects it mentions.
        compression: the archive's format.
        file_hash, file_size: of the compressed archive, where stated.
        deriver: the derivation that made it.
        system: the kind of machine it is for.
        signatures: as written, `name:base64`.
        content_address: `fixed:r:sha256:...` or `text:sha256:...`, "" if it is not addressed by content.
    """

    path: StorePath
    url: str
    nar_hash: Hash
    nar_size: int
    references: tuple[StorePath, ...] = ()
    compression: str = _DEFAULT_COMPRESSION
    file_hash: Hash | None = None
    file_size: int | None = None
    deriver: StorePath | None = None
    system: str = ""
    signatures: tuple[str, ...] = ()
    content_address: str = ""


def parse(content: bytes, store_dir: bytes) -> NarInfo:
    """Return the object a `.narinfo` file describes.

    Raises:
        BadNarInfo: a line, key or value breaks the format.
        BadStorePath: a path is malformed or in another store directory.
        MalformedHash: a hash is malformed.
    """
    fields, signatures = _fields(content)
    for key in _REQUIRED:
        if not fields.get(key):
            raise BadNarInfo(key, "it is missing")
    deriver = fields.get("Deriver", _UNKNOWN_DERIVER)
    return NarInfo(
        path=storepath.parse(fields["StorePath"].encode("utf-8"), store_dir),
        url=fields["URL"],
        nar_hash=_sha256(fields["NarHash"]),
        nar_size=_number("NarSize", fields["NarSize"]),
        references=_references(fields.get("References", "")),
        compression=fields.get("Compression") or _DEFAULT_COMPRESSION,
        file_hash=hashes.parse(fields["FileHash"]) if fields.get("FileHash") else None,
        file_size=_number("FileSize", fields["FileSize"]) if fields.get("FileSize") else None,
        deriver=None if deriver in ("", _UNKNOWN_DERIVER) else storepath.from_base(deriver),
        system=fields.get("System", ""),
        signatures=tuple(signatures),
        content_address=fields.get("CA", ""),
    )


def render(info: NarInfo, store_dir: bytes) -> bytes:
    """Return the content of the `.narinfo` file, keys in the order Nix writes them."""
    lines: list[tuple[str, object]] = [
        ("StorePath", info.path.inside(store_dir).decode("utf-8")),
        ("URL", info.url),
        ("Compression", info.compression),
        ("FileHash", info.file_hash and info.file_hash.nix),
        ("FileSize", info.file_size),
        ("NarHash", info.nar_hash.nix),
        ("NarSize", info.nar_size),
        ("References", " ".join(path.base for path in sorted(info.references))),
        ("Deriver", info.deriver),
        ("System", info.system or None),
        *(("Sig", signature) for signature in info.signatures),
        ("CA", info.content_address or None),
    ]
    return "".join(f"{key}: {text}\n" for key, text in lines if text is not None).encode("utf-8")


def fingerprint(info: NarInfo, store_dir: bytes) -> bytes:
    """Return the text that signatures are made over."""
    references = b",".join(path.inside(store_dir) for path in sorted(info.references))
    facts = f"{info.nar_hash.nix};{info.nar_size}".encode("ascii")
    return b"1;%b;%b;%b" % (info.path.inside(store_dir), facts, references)


def sign(info: NarInfo, key: SecretKey, store_dir: bytes) -> NarInfo:
    """Return `info` with this key's signature added.

    Raises:
        NoSigner: the package that signs is not installed.
    """
    signature = key.sign(fingerprint(info, store_dir))
    return replace(info, signatures=tuple(sorted({*info.signatures, signature})))


def _fields(content: bytes) -> tuple[dict[str, str], list[str]]:
    if len(content) > MAX_SIZE:
        raise BadNarInfo("", f"it is larger than {MAX_SIZE} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadNarInfo("", "it is not UTF-8 text") from None
    fields: dict[str, str] = {}
    signatures: list[str] = []
    lines = text.removesuffix("\n").split("\n")
    if len(lines) > MAX_LINES:
        raise BadNarInfo("", f"it has more than {MAX_LINES} lines")
    for line in lines:
        key, found, content_text = line.partition(": ")
        # Some writers drop the space before an empty value: "References:".
        key, found = (key, found) if found else (key.removesuffix(":"), key.endswith(":") * ":")
        if not found or not key.isascii() or not key.isalnum():
            raise BadNarInfo("", f"'{display(line[:80])}' is not 'KEY: VALUE'")
        if not content_text.isprintable():
            raise BadNarInfo(key, "it holds control characters")
        if key == "Sig":
            signatures.append(content_text)
        elif key in fields:
            raise BadNarInfo(key, "it is there twice")
        else:
            fields[key] = content_text
    return fields, signatures


def _sha256(text: str) -> Hash:
    return hashes.parse(text, "sha256")


def _number(key: str, text: str) -> int:
    number = parse_number(text)
    if number is None:
        raise BadNarInfo(key, f"'{display(text[:40])}' is not a number of bytes")
    return number


def _references(text: str) -> tuple[StorePath, ...]:
    references = tuple(storepath.from_base(base) for base in text.split())
    if len(set(references)) != len(references):
        raise BadNarInfo("References", "one is there twice")
    return tuple(sorted(references))
