"""Nix binary caches in a local directory: export store objects to one, import them from one.

Layout (Nix, src/libstore/binary-cache-store.cc): `nix-cache-info`, `<digest>.narinfo` for each
object, `nar/<file hash>.nar`. Archives are not compressed: the next copy is usually on a local disk,
and a server of the directory can compress as it serves. Any HTTP server can serve it, Nix can read it.

Importing trusts nothing but the signature: the narinfo's fingerprint is checked against the caller's
keys, the archive against the narinfo, before a byte of it is unpacked.
"""

from __future__ import annotations

import os

from denizen.disk import make_directories, open_regular, temporary_name, write_atomically
from denizen.errors import SourceFailed, StoreDamaged, display
from denizen.formats import narinfo
from denizen.formats.hashes import Hash
from denizen.formats.narinfo import NarInfo
from denizen.store.errors import doing
from denizen.store.nar_digest import Digest
from denizen.store.object_info import ObjectInfo
from denizen.store.progress import ignore
from denizen.store.trees.dump import BUFFER, dump
from denizen.store.trees.nar_hashing import Digester
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Self

    from denizen.formats.file_tree import Entry
    from denizen.formats.signature import PublicKey, SecretKey
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.object_staging import OpenNar, Work
    from denizen.store.progress import Told
    from denizen.store.upkeep.verification import Replacement

_PRIORITY = 40  # of cache.nixos.org; smaller is asked first
# A narinfo's URL must begin with this, so that its author cannot name a file outside the cache.
_ARCHIVES = "nar/"


class Moving(Value):
    """The change of objects that were made for another store directory.

    Attributes:
        store_dir: that directory.
        rewrite: returns the entries of the object `path` changed for this store.
    """

    store_dir: bytes
    rewrite: Callable[[StorePath, Iterable[Entry]], Iterable[Entry]]


class NotInCache(SourceFailed):
    """A cache does not have an object, or not in a form denizen reads."""

    cache: bytes
    path: StorePath
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"{self.path} cannot be had from {display(self.cache)}"


class NotTrusted(SourceFailed):
    """No trusted key signed a cache's narinfo of an object.

    Attributes:
        forged: names of trusted keys in whose name there is a signature that does not verify.
        signed_by: the names of all its signatures.
    """

    path: StorePath
    forged: tuple[str, ...]
    signed_by: tuple[str, ...]

    @property
    def what(self) -> str:
        return f"{self.path} is not signed by a trusted key"

    @property
    def why(self) -> str:
        if self.forged:
            return (
                f"the signature in the name of {display(', '.join(self.forged))} is not by that key: forged"
            )
        if not self.signed_by:
            return "it carries no signature"
        return f"it is signed by {display(', '.join(self.signed_by))}, whom you do not trust"

    @property
    def remedy(self) -> str:
        return "" if self.forged else "trust the cache's public key in the configuration, if you do"


class ContentChanged(StoreDamaged):
    """An object is no longer what was registered, so it is not exported."""

    path: StorePath
    REMEDY = "denizen store verify --contents"

    @property
    def what(self) -> str:
        return f"{self.path} has changed since it was registered"


def export(store: Store, info: ObjectInfo, cache: bytes, key: SecretKey | None, told: Told = ignore) -> bytes:
    """Write a valid object to the binary cache in the directory `cache`; return the path of its narinfo.

    `told` is called with the number of archive bytes written since the last call.

    Raises:
        DiskFailed: the object cannot be read, or the cache not written.
        ContentChanged: the object's content differs from its registered hash.
        NoSigner: `key` is given but no library that can sign is installed.
    """
    logical = store.layout.logical
    with doing("export to", cache):
        make_directories(cache + b"/nar")
        about = b"StoreDir: %b\nWantMassQuery: 1\nPriority: %d\n" % (logical, _PRIORITY)
        write_atomically(cache + b"/nix-cache-info", about)
        nar_hash = Hash("sha256", info.nar_hash)
        url = f"{_ARCHIVES}{nar_hash.base32}.nar"
        _write_archive(store, info, cache + b"/" + url.encode("ascii"), told)
        said = _told(info, nar_hash, url)
        signed = narinfo.sign(said, key, logical) if key else said
        place = cache + b"/" + info.path.digest.encode("ascii") + b".narinfo"
        write_atomically(place, narinfo.render(signed, logical))
    return place


def _told(info: ObjectInfo, nar_hash: Hash, url: str) -> NarInfo:
    return NarInfo(
        path=info.path,
        url=url,
        nar_hash=nar_hash,
        nar_size=info.nar_size,
        references=info.references,
        compression="none",
        file_hash=nar_hash,
        file_size=info.nar_size,
        deriver=info.deriver,
        signatures=info.signatures,
        content_address=info.content_address or "",
    )


def _write_archive(store: Store, info: ObjectInfo, place: bytes, told: Told) -> None:
    """Write the object's NAR to the file `place`, complete or not at all."""
    temporary = temporary_name(place)
    digester = Digester()
    buffer = memoryview(bytearray(BUFFER))
    try:
        with open(temporary, "wb", buffering=0) as stream:

            def take(piece: memoryview) -> memoryview:
                digester.feed(piece)
                done = 0
                while done < len(piece):
                    done += stream.write(piece[done:]) or 0
                told(done)
                return buffer

            dump(store.place_of(info.path), take, buffer)
            os.fsync(stream.fileno())
        if digester.result() != Digest(info.nar_hash, info.nar_size):
            raise ContentChanged(info.path)
        os.rename(temporary, place)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def import_closure(
    store: Store,
    cache: bytes,
    wanted: Iterable[StorePath],
    trusted: Sequence[PublicKey],
    *,
    told: Told = ignore,
    moved: Moving | None = None,
) -> list[ObjectInfo]:
    """Copy objects and all they reference from a binary cache; objects that are valid already are skipped.

    Each archive is read twice, once to check its hash and once to unpack it.

    Args:
        store: the store.
        cache: the cache's directory.
        wanted: the objects.
        trusted: the keys of which one must have signed each object.
        told: called with the number of bytes read since the last call.
        moved: for a cache of another store directory, how its objects are changed for this one.

    Raises:
        NotInCache: the cache lacks one of the objects.
        NotTrusted: no key in `trusted` signed one of the objects.
        BadNarInfo, WrongContent, BadNar: the data of one object is wrong; objects imported before it stay.
    """
    found: dict[StorePath, NarInfo] = {}
    pending = list(wanted)
    while pending:
        path = pending.pop()
        if path not in found and not store.is_valid(path):
            found[path] = offered(cache, path, trusted, moved.store_dir if moved else store.layout.logical)
            pending += [reference for reference in found[path].references if reference != path]
    with store.working() as work:
        work.need({reference for one in found.values() for reference in one.references})
        return [
            _added(work, _opener(cache, found[path], told), _promised(found[path]), moved)
            for path in _references_first(found)
        ]


def _added(work: Work, open_nar: OpenNar, promised: ObjectInfo, moved: Moving | None) -> ObjectInfo:
    if moved is None:
        return work.add_nar(open_nar, promised)
    return work.add_rewritten(open_nar, promised, lambda entries: moved.rewrite(promised.path, entries))


def store_dir_of(cache: bytes) -> bytes | None:
    """Return the store directory that a cache's objects are made for; None where it does not say.

    Raises DiskFailed.
    """
    place = cache + b"/nix-cache-info"
    with doing("read", place):
        try:
            with open(place, "rb", opener=open_regular) as stream:
                lines = stream.read(narinfo.MAX_SIZE).splitlines()
        except FileNotFoundError:
            return None
    named = [line.partition(b":")[2].strip() for line in lines if line.startswith(b"StoreDir:")]
    return named[0] if named and named[0].startswith(b"/") else None


def _references_first(found: dict[StorePath, NarInfo]) -> list[StorePath]:
    """Return the paths so that each follows the paths it references.

    A cycle, which no intact store holds, keeps the order in which its members were met.
    """
    done: dict[StorePath, None] = {}
    pending = list(found)
    seen: set[StorePath] = set()
    while pending:
        path = pending[-1]
        inner = [r for r in found[path].references if r in found and r not in done and r not in seen]
        seen.add(path)
        if inner:
            pending += inner
        else:
            done.setdefault(pending.pop())
    return list(done)


def offered(cache: bytes, path: StorePath, trusted: Sequence[PublicKey], logical: bytes) -> NarInfo:
    """Return the narinfo of `path` in the cache, checked to be signed by a key in `trusted`.

    Raises as `import_closure`.
    """
    place = cache + b"/" + path.digest.encode("ascii") + b".narinfo"
    with doing("read", place):
        try:
            with open(place, "rb", opener=open_regular) as stream:
                told = narinfo.parse(stream.read(narinfo.MAX_SIZE + 1), logical)
        except FileNotFoundError:
            raise NotInCache(cache, path, "it has no narinfo for it") from None
    if told.path != path:
        raise NotInCache(cache, path, f"its narinfo is about {told.path}")
    if told.compression != "none":
        raise NotInCache(cache, path, f"its archive is compressed with {display(told.compression)}")
    if not told.url.startswith(_ARCHIVES) or "/" in told.url.removeprefix(_ARCHIVES):
        raise NotInCache(cache, path, f"its archive is at '{display(told.url)}', not in {_ARCHIVES}")
    check_signed(told, trusted, logical)
    return told


def check_signed(info: NarInfo, trusted: Sequence[PublicKey], store_dir: bytes) -> PublicKey:
    """Return the trusted key that signed the narinfo.

    Raises:
        NotTrusted: none did.
    """
    message = narinfo.fingerprint(info, store_dir)
    for key in trusted:
        if any(key.verifies(message, signature) for signature in info.signatures):
            return key
    names = tuple(sorted({signature.partition(":")[0] for signature in info.signatures}))
    known = {key.name for key in trusted}
    raise NotTrusted(info.path, tuple(name for name in names if name in known), names)


def _promised(told: NarInfo) -> ObjectInfo:
    return ObjectInfo(
        path=told.path,
        nar_hash=told.nar_hash.digest,
        nar_size=told.nar_size,
        references=told.references,
        deriver=told.deriver,
        signatures=told.signatures,
        content_address=told.content_address or None,
    )


def _opener(cache: bytes, info: NarInfo, told: Told = ignore) -> OpenNar:
    place = cache + b"/" + os.fsencode(info.url)
    return lambda: _Counted(place, told)


class _Counted:
    """A file that calls `told` with the number of bytes of each read."""

    def __init__(self, place: bytes, told: Told) -> None:
        self._stream = open(place, "rb", buffering=0, opener=open_regular)  # noqa: SIM115  # closed by __exit__
        self._told = told

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        piece = self._stream.read(size) or b""
        self._told(len(piece))
        return piece


def replacement_from(cache: bytes | None) -> Replacement:
    """Return a function that finds intact content for `verification.repair` in the binary cache `cache`.

    Archives are looked up by the NAR hash that the store has registered, so no signature is needed.
    """

    def replacement(info: ObjectInfo) -> OpenNar | None:
        if cache is None:
            return None
        place = cache + b"/nar/" + Hash("sha256", info.nar_hash).base32.encode("ascii") + b".nar"
        if not os.path.exists(place):
            return None
        return _opener(
            cache, _told(info, Hash("sha256", info.nar_hash), os.fsdecode(place[len(cache) + 1 :]))
        )

    return replacement
