"""exportReferencesGraph: the graph of an input, for the builder to read (pure).

Specification: Nix, src/libstore/build/local-derivation-goal.cc, store-api.cc (makeValidityRegistration,
pathInfoToJSON). As a variable it is a list of pairs, a file's name and a store path; the file has, for each
object of the path's closure, sorted, the object's path, an empty line (its deriver), the number of its
references, and those. Among structured attributes it is an object of lists of paths, and each name becomes
an attribute: a list of objects.
"""

from __future__ import annotations

from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.formats import storepath
from denizen.formats.hashes import Hash
from denizen.lazy_pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from denizen.formats.storepath import StorePath
    from denizen.store.object_info import ObjectInfo

VARIABLE = b"exportReferencesGraph"
_FILE_NAME = pattern(rb"[A-Za-z_][A-Za-z0-9_.\-]*")


def graph_requests(text: bytes, name: str, store_dir: bytes) -> dict[bytes, StorePath]:
    """Return which path's graph goes into which file. Raises BadDerivation."""
    words = text.split()
    if len(words) % 2:
        raise BadDerivation(name, "exportReferencesGraph has an odd number of words")
    for file in words[::2]:
        if _FILE_NAME.fullmatch(file) is None:
            raise BadDerivation(name, f"exportReferencesGraph names a file '{display(file)}'")
    paths = [storepath.containing(path, store_dir)[0] for path in words[1::2]]
    return dict(zip(words[::2], paths, strict=True))


def registration_text(infos: Sequence[ObjectInfo], store_dir: bytes) -> bytes:
    """Return the graph of these objects, sorted by path, as text."""
    lines: list[bytes] = []
    for info in infos:
        lines += [info.path.inside(store_dir), b"", b"%d" % len(info.references)]
        lines += [reference.inside(store_dir) for reference in info.references]
    return b"".join([line + b"\n" for line in lines])


def graph_document(
    infos: Sequence[ObjectInfo], closure_size: Callable[[StorePath], int], store_dir: bytes
) -> list[dict[str, Any]]:
    """Return the graph of these objects, sorted by path, as JSON holds it."""
    return [_entry(info, closure_size(info.path), store_dir) for info in infos]


def _entry(info: ObjectInfo, closure_size: int, store_dir: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "path": info.path.inside(store_dir).decode(),
        "narHash": Hash("sha256", info.nar_hash).nix,
        "narSize": info.nar_size,
        "references": [path.inside(store_dir).decode() for path in info.references],
        "closureSize": closure_size,
    }
    if info.content_address is not None:
        entry["ca"] = info.content_address
    return entry


def with_graphs(
    attributes: Mapping[str, Any],
    graph_of: Callable[[list[StorePath]], list[dict[str, Any]]],
    store_dir: bytes,
) -> dict[str, Any]:
    """Return structured attributes with the graphs that they ask for. Raises BadStorePath."""
    wanted = attributes.get(VARIABLE.decode())
    if not isinstance(wanted, dict):
        return dict(attributes)
    graphs = {
        key: graph_of([storepath.parse(str(path).encode(), store_dir) for path in _listed(paths)])
        for key, paths in wanted.items()
    }
    return {**attributes, **graphs}


def _listed(paths: object) -> list[object]:
    return paths if isinstance(paths, list) else [paths]
