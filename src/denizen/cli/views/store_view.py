"""Store objects as commands print them."""

from __future__ import annotations

import os

from denizen.formats.hashes import Hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.store.local import Store
    from denizen.store.object_info import ObjectInfo


def shown(place: bytes) -> str:
    """Return a path in the store as text for output."""
    return os.fsdecode(place)


def document(store: Store, info: ObjectInfo) -> dict[str, object]:
    """Return an object as JSON shows it (docs/store.md)."""
    return {
        "path": shown(store.place_of(info.path)),
        "store_path": shown(info.path.inside(store.layout.logical)),
        "nar_hash": Hash("sha256", info.nar_hash).sri,
        "nar_size": info.nar_size,
        "references": [reference.base for reference in info.references],
        "deriver": info.deriver.base if info.deriver else None,
        "signatures": list(info.signatures),
        "registered": info.registered,
        "content_address": info.content_address,
    }
