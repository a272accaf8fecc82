"""ObjectInfo, the registered metadata of one store object (pure)."""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath


class ObjectInfo(Value):
    """The registered metadata of a valid object.

    Attributes:
        path: its digest and name; `StoreLayout` gives its place on disk.
        nar_hash: SHA-256 of its NAR serialisation.
        nar_size: length of its NAR serialisation, in bytes.
        references: the objects it mentions, sorted; itself too if it does.
        deriver: the derivation that made it.
        signatures: `<key name>:<base64>`, over the fingerprint of its narinfo.
        registered: time of registration, in seconds since 1970.
        content_address: `fixed:r:sha256:...` or `text:sha256:...` where the path follows from the
            content alone.
    """

    path: StorePath
    nar_hash: bytes
    nar_size: int
    references: tuple[StorePath, ...] = ()
    deriver: StorePath | None = None
    signatures: tuple[str, ...] = ()
    registered: int = 0
    content_address: str | None = None
