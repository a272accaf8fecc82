"""What the store knows of one object (pure)."""

from __future__ import annotations

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath


@value
class ObjectInfo:
    """What is registered of a valid object.

    Attributes:
        path: its digest and name; where it lies is the layout's business.
        nar_hash: SHA-256 of its NAR serialisation.
        nar_size: length of that, in bytes.
        references: the objects it mentions, sorted; itself too if it does.
        deriver: the derivation that made it.
        signatures: `<key name>:<base64>`, over the fingerprint of its narinfo.
        registered: when, in seconds since 1970.
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
