"""The content of the files of module_cache.py, which only a start that writes one needs."""

# No `from __future__ import annotations`, as module_cache.py says.
import marshal
import os
import sys
from _frozen_importlib_external import SourceFileLoader

from denizen.cli.loaded_at_once import LOADED_AT_ONCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType
    from typing import TypeAlias

    Row: TypeAlias = tuple[str, int, int, bool, int, int]
    # The same with what the file has for the code.
    Full: TypeAlias = tuple[str, int, int, bool, bytes]

# Bytes of codes that are read at once: a larger buffer is new memory each time, a page fault per page.
_TOGETHER = 96 * 1024


def _stamp(file: str) -> tuple[str, int, int]:
    facts = os.stat(file)
    return file, facts.st_mtime_ns, facts.st_size


def content(name: str, place: tuple[str, ...], modules: "dict[str, Full]") -> tuple[bytes, bytes]:
    """Return the table of the file `name` and the codes; modules that are loaded at once come first."""
    first = [one for one in LOADED_AT_ONCE.get(name, ()) if one in modules]
    ordered = {one: modules[one] for one in first} | modules
    table: dict[str, Row] = {}
    # Of modules that are read at once there is one.
    places: dict[bytes, int] = {}
    end = 0
    for module, (file, time, size, is_package, code) in ordered.items():
        if code not in places:
            places[code], end = end, end + len(code)
        table[module] = (file, time, size, is_package, places[code], len(code))
    return marshal.dumps((place, len(first), table)), b"".join(places)


def rows(names: "Sequence[str]", *, at_once: bool) -> "dict[str, Full]":
    """Return the rows of modules that have been imported. Raises OSError for one without a source."""
    loaders = [(name, sys.modules[name].__loader__) for name in names]
    sources = {name: loader for name, loader in loaders if isinstance(loader, SourceFileLoader)}
    codes = {name: loader.get_code(name) for name, loader in sources.items()}
    sizes = _TOGETHER if at_once else 1
    content = {name: marshalled for group in _groups(codes, sizes) for name, marshalled in group.items()}
    return {
        name: (*_stamp(loader.path), loader.is_package(name), content[name])
        for name, loader in sources.items()
    }


def _groups(codes: "dict[str, CodeType | None]", limit: int) -> "Iterator[dict[str, bytes]]":
    """Yield the marshals of codes by name: of one alone, or the same for several of up to `limit` bytes."""
    group: dict[str, CodeType | None] = {}
    size = 0
    for name, code in codes.items():
        alone = marshal.dumps(code)
        if limit <= len(alone):
            yield {name: alone}
            continue
        if size + len(alone) > limit:
            yield dict.fromkeys(group, marshal.dumps(group))
            group, size = {}, 0
        group[name], size = code, size + len(alone)
    if group:
        yield dict.fromkeys(group, marshal.dumps(group))
