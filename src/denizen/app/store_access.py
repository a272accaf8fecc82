"""What the commands about the store share: which store, which object, sizes and ages as people write them."""

from __future__ import annotations

import os

from denizen.app.paths import paths_of
from denizen.cli.options import UsageError
from denizen.formats import storepath
from denizen.formats.hashes import Hash
from denizen.formats.storepath import BadStorePath
from denizen.store.local import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.formats.storepath import StorePath
    from denizen.store.info import ObjectInfo

_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def store_directory(context: Context) -> bytes:
    """Where the store is."""
    return paths_of(context).store


def open_store(context: Context) -> Store:
    """The store, which must exist."""
    return Store.open(store_directory(context))


def made_store(context: Context) -> Store:
    """The store, made if there is none."""
    return Store.create(store_directory(context))


def object_named(store: Store, text: str) -> StorePath:
    """The object an argument means: its path, a path in it, a link that leads into it, or its bare name.

    Raises:
        BadStorePath: none of these.
    """
    raw = os.fsencode(text)
    if b"/" not in raw and not os.path.lexists(raw):
        return storepath.from_base(raw)
    place = os.path.abspath(raw)
    try:
        return store.path_at(place)
    except BadStorePath:
        return store.path_at(os.path.realpath(place))


def shown(place: bytes) -> str:
    """A path of ours for a result line."""
    return os.fsdecode(place)


def document(store: Store, info: ObjectInfo) -> dict[str, object]:
    """An object as JSON shows it (docs/store.md)."""
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


def parse_size(command: str, text: str) -> int:
    """Bytes: a number, with K, M, G or T for powers of 1024."""
    unit = text[-1:].upper()
    number = text[:-1] if unit in _SIZES else text
    if not (number.isascii() and number.isdigit()):
        raise UsageError(command, f"{text!r} is not a size", "a size is written 500M or 10G")
    return int(number) * _SIZES.get(unit, 1)


def parse_age(command: str, text: str) -> int:
    """Seconds: a number with s, m, h, d or w."""
    number, unit = text[:-1], text[-1:]
    if unit not in _AGES or not (number.isascii() and number.isdigit()):
        raise UsageError(command, f"{text!r} is not an age", "an age is written 12h or 30d")
    return int(number) * _AGES[unit]


def human(size: int) -> str:
    """A size for people."""
    number, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{number:.0f} {units[0]}" if units[0] == "B" else f"{number:.1f} {units[0]}"
