"""Stores and trees for tests."""

import os
from collections.abc import Mapping
from pathlib import Path

from denizen.store.local import Store
from denizen.store.object_info import ObjectInfo
from denizen.store.trees.dump import BUFFER, dump


def make_store(directory: Path, logical: bytes | None = None) -> Store:
    """Return a new store in `directory`."""
    return Store.create(os.fsencode(directory), logical)


def make_tree(top: Path, files: Mapping[str, str]) -> Path:
    """Write files below `top` with their directories; a name that ends in `*` is executable."""
    for name, content in files.items():
        path = top / name.rstrip("*")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o755 if name.endswith("*") else 0o644)
    return top


def add_text(store: Store, scratch: Path, name: str, content: str) -> ObjectInfo:
    """Add an object that is one file; it references the objects that `content` mentions."""
    scratch.mkdir(exist_ok=True)
    (scratch / name).write_text(content)
    with store.working() as work:
        return work.add(os.fsencode(scratch / name), name)


def on_disk(store: Store, info: ObjectInfo) -> Path:
    """Return an object's path on disk."""
    return Path(os.fsdecode(store.place_of(info.path)))


def dumped(path: Path) -> bytes:
    """Return the NAR of a tree on disk, as the store dumps it."""
    whole = bytearray()
    buffer = memoryview(bytearray(BUFFER))

    def take(piece: memoryview) -> memoryview:
        whole.extend(piece)
        return buffer

    dump(os.fsencode(path), take, buffer)
    return bytes(whole)
