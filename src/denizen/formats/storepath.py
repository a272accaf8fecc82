"""Store paths `<store directory>/<digest>-<name>`: parsing, and the ways to compute one (pure).

Specification: Nix, doc/manual/source/protocols/store-path.md; src/libstore/store-api.cc ("STORE
PATHS", makeStorePath and its callers) and path.cc (checkName):

    digest      = Nix base 32 of the SHA-256 of the fingerprint, folded to 20 bytes by XOR
    fingerprint = type ":sha256:" inner ":" store directory ":" name
    type        = "text"   { ":" reference }               inner: hex SHA-256 of the content
                | "source" { ":" reference } [ ":self" ]   inner: hex SHA-256 of the NAR
                | "output:" id                             inner: hex of the derivation's hash modulo
                | "output:out"                             inner: hex SHA-256 of
                      "fixed:out:" [ "r:" ] algorithm ":" hex digest ":"
    name        = 1 to 211 of the characters A-Z a-z 0-9 + - . _ ? =

The store directory is part of every digest, and a parameter of every function here: with b"/nix/store" the
paths are the ones Nix computes. It is the store's logical directory, which may differ from its location.

Names `.` and `..`, and those that begin with `.-` or `..-`, are refused as Nix does since 2.20:
digest and name together could be taken for a relative path.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.formats import base32
from denizen.sha256 import digest_of
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.formats.hashes import Hash

NIX_STORE = b"/nix/store"
DIGEST_SIZE = 20
DIGEST_DIGITS = base32.digits_for(DIGEST_SIZE)
MAX_NAME = 211

# Sets, not regular expressions: importing re costs 8 ms, and looking up a path would need it only for this.
_NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._?=")
_DIGITS = frozenset(base32.ALPHABET)


class Method(Enum):
    """The data that the hash of a fixed output is taken over: the file's bytes, or the NAR of the tree."""

    FLAT = "flat"
    RECURSIVE = "recursive"


class BadStorePath(BadInput):
    """The text is not a store path, or not one in this store directory."""

    path: bytes
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"'{display(self.path[:400])}' is not a store path"


class BadObjectName(BadInput):
    """A name that a store path cannot have."""

    name: str
    REMEDY = "give another name with --name"

    @property
    def what(self) -> str:
        return f"'{display(self.name[:400])}' cannot be the name of a store object"

    @property
    def why(self) -> str:
        return (
            f"a name has 1 to {MAX_NAME} of the characters A-Z a-z 0-9 + - . _ ? = "
            "and does not begin as '.' or '..' would"
        )


class StorePath(Value):
    """A store path without its directory: 32 digits of the hash, and a name.

    Made by the functions of this module, which check both; sorted as Nix sorts paths.
    """

    digest: str
    name: str

    @property
    def base(self) -> str:
        """`<digest>-<name>`: the object's own name in the store directory."""
        return f"{self.digest}-{self.name}"

    def inside(self, store_dir: bytes) -> bytes:
        """Return the full path in `store_dir`."""
        return b"%b/%b" % (store_dir, self.base.encode("ascii"))

    def __lt__(self, other: StorePath) -> bool:
        return (self.digest, self.name) < (other.digest, other.name)

    def __str__(self) -> str:
        return self.base


def check_name(name: str) -> str:
    """Return `name` if it can be part of a store path.

    Raises:
        BadObjectName: it cannot.
    """
    if not is_object_name(name):
        raise BadObjectName(name)
    return name


def is_object_name(name: str) -> bool:
    """Return whether `name` can be part of a store path."""
    return (
        0 < len(name) <= MAX_NAME
        and _NAME_CHARACTERS.issuperset(name)
        and name not in (".", "..")
        and not name.startswith((".-", "..-"))
    )


def from_base(base: str | bytes) -> StorePath:
    """Return the store path with this `<digest>-<name>`.

    Raises:
        BadStorePath: it is not one.
    """
    raw = base if isinstance(base, bytes) else base.encode("utf-8", "surrogateescape")
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise BadStorePath(raw, "it holds characters outside ASCII") from None
    digest, name = text[:DIGEST_DIGITS], text[DIGEST_DIGITS + 1 :]
    if text[DIGEST_DIGITS : DIGEST_DIGITS + 1] != "-" or not _DIGITS.issuperset(digest):
        raise BadStorePath(raw, f"it does not begin with {DIGEST_DIGITS} digits of Nix base 32 and '-'")
    if not is_object_name(name):
        raise BadStorePath(raw, BadObjectName(name).why)
    return StorePath(digest, name)


def parse(path: bytes, store_dir: bytes) -> StorePath:
    """Return the store path written in full as `path`.

    Raises:
        BadStorePath: it is not directly in `store_dir`, or not a store path.
    """
    prefix = store_dir + b"/"
    if not path.startswith(prefix):
        raise BadStorePath(path, f"it is not in {display(store_dir)}")
    return from_base(path[len(prefix) :])


def containing(path: bytes, store_dir: bytes) -> tuple[StorePath, bytes]:
    """Return the store object that `path` lies in, and the rest of `path` (b"" or b"/...").

    Only the text of the path is looked at.

    Raises:
        BadStorePath: it lies outside the store.
    """
    end = path.find(b"/", len(store_dir) + 1)
    top = path if end < 0 else path[:end]
    return parse(top, store_dir), path[len(top) :]


def for_text(name: str, content: bytes, references: Iterable[StorePath], store_dir: bytes) -> StorePath:
    """Return the path of a text file by its content and references: `.drv` files, builtins.toFile.

    Raises:
        BadObjectName: the name cannot be part of a store path.
    """
    kind = _with_references("text", references, store_dir)
    return _compute(kind, digest_of(content), name, store_dir)


def for_source(
    name: str, nar: Hash, references: Iterable[StorePath], store_dir: bytes, *, refers_to_itself: bool = False
) -> StorePath:
    """Return the path of a tree that is named by the SHA-256 of its NAR.

    Raises:
        BadObjectName: the name cannot be part of a store path.
    """
    assert nar.algorithm == "sha256"
    kind = _with_references("source", references, store_dir) + (b":self" if refers_to_itself else b"")
    return _compute(kind, nar.digest, name, store_dir)


def for_fixed(name: str, method: Method, content: Hash, store_dir: bytes) -> StorePath:
    """Return the path of a fixed output, whose content is known beforehand, and of `add-fixed` files.

    Raises:
        BadObjectName: the name cannot be part of a store path.
    """
    if method is Method.RECURSIVE and content.algorithm == "sha256":
        return for_source(name, content, (), store_dir)
    inner = digest_of(f"fixed:out:{method_prefix(method)}{content}:".encode("ascii"))
    return _compute(b"output:out", inner, name, store_dir)


def for_output(derivation_name: str, output: str, modulo: bytes, store_dir: bytes) -> StorePath:
    """Return the path of an output that is named by its derivation's hash modulo (32 bytes).

    Raises:
        BadObjectName: the name cannot be part of a store path.
    """
    name = output_name(derivation_name, output)
    return _compute(f"output:{output}".encode(), modulo, name, store_dir)


def for_scratch(kind: bytes, name: str, store_dir: bytes) -> StorePath:
    """Return a path that no content has, for an output that is built before its own path is known.

    Raises:
        BadObjectName: the name cannot be part of a store path.
    """
    return _compute(kind, bytes(32), name, store_dir)


def output_name(derivation_name: str, output: str) -> str:
    """Return the name of an output: `hello` for the output `out` of hello.drv, `hello-dev` for `dev`."""
    return derivation_name if output == "out" else f"{derivation_name}-{output}"


def method_prefix(method: Method) -> str:
    """Return `r:` where the hash is over the NAR, else ""; as in `.drv` files and content addresses."""
    return "r:" if method is Method.RECURSIVE else ""


def _with_references(kind: str, references: Iterable[StorePath], store_dir: bytes) -> bytes:
    return b":".join([kind.encode("ascii"), *(path.inside(store_dir) for path in sorted(set(references)))])


def _compute(kind: bytes, inner: bytes, name: str, store_dir: bytes) -> StorePath:
    check_name(name)
    fingerprint = b"%b:sha256:%b:%b:%b" % (
        kind,
        inner.hex().encode("ascii"),
        store_dir,
        name.encode("ascii"),
    )
    return StorePath(base32.encode(fold(digest_of(fingerprint), DIGEST_SIZE)), name)


def fold(digest: bytes, size: int) -> bytes:
    """Return `digest` folded to `size` bytes: byte i is XORed into byte i mod size (Nix, compressHash)."""
    folded = bytearray(size)
    for position, byte in enumerate(digest):
        folded[position % size] ^= byte
    return bytes(folded)
