"""The manifest: a small deb822 file that lists the indexes, replaced as a whole.

An update takes effect at the moment when the manifest is replaced. Before it no reader opens a new index
file; afterwards no reader opens the old one, and a reader that has it open keeps it.
"""

from __future__ import annotations

import os

from denizen.errors import StoreDamaged
from denizen.formats.deb822 import BadControl, paragraphs
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = b"2"
NAME = b"manifest"


class DamagedManifest(StoreDamaged):
    """The error that the manifest cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} cannot be read"
    WHY = "{problem:text}"
    REMEDY = "denizen index update --force"


@value
class IndexEntry:
    """One index: of a suite of a source, for an architecture.

    Attributes:
        asked: the names by which the suite is asked for ("stable"); `suite` is its codename ("trixie").
        identity, date: of the snapshot from which it was made.
        rank: its place in the order of preference; the base suite is 0.
        checked: when it was last compared with the source, seconds since 1970.
        libraries: name of the library index's file.
        paths: name of the path index's file, "" for none.
        provenance: of the source when the index was made; "" if an older denizen made it, which did not
            require that a Release states its source's Origin.
    """

    source: str
    asked: tuple[str, ...]
    suite: str
    architecture: str
    rank: int
    identity: str
    date: int
    checked: int
    libraries: str
    paths: str = ""
    provenance: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Source, suite and architecture; the manifest has one index for each combination."""
        return self.source, self.suite, self.architecture

    def is_called(self, name: str) -> bool:
        """Tell whether the suite has this name."""
        return name == self.suite or name in self.asked


def read_manifest(directory: bytes) -> tuple[IndexEntry, ...]:
    """Return the indexes of a directory in the order of preference; () if it has no manifest.

    Raises DamagedManifest.
    """
    path = os.path.join(directory, NAME)
    try:
        with open(path, "rb") as stream:
            text = stream.read()
    except FileNotFoundError:
        return ()
    try:
        head, *rest = list(paragraphs(text)) or [{}]
        if head.get(b"format") != FORMAT:
            # The format of another version of denizen; everything in the directory can be made again.
            return ()
        return tuple([_entry(fields) for fields in rest])
    except KeyError as error:
        raise DamagedManifest(path, f"an entry lacks {error}") from error
    except (BadControl, ValueError) as error:
        raise DamagedManifest(path, str(error)) from error


def write_manifest(directory: bytes, entries: Sequence[IndexEntry]) -> None:
    """Replace the manifest. Raises OSError."""
    # Imported here (6 ms): reading, which every lookup does, does not need it.
    from denizen.disk import write_atomically

    blocks = [b"Format: " + FORMAT + b"\n"]
    for entry in sorted(entries, key=lambda entry: entry.rank):
        fields = {name: getattr(entry, name) for name in _FIELDS} | {"asked": " ".join(entry.asked)}
        blocks.append("".join(f"{name}: {text}\n" for name, text in fields.items()).encode())
    write_atomically(os.path.join(directory, NAME), b"\n".join(blocks))


_FIELDS = (
    "source", "asked", "suite", "architecture", "rank", "identity", "date", "checked", "libraries", "paths",
    "provenance",
)  # fmt: skip
# Manifests of older versions lack these.
_LATER = ("provenance",)


def _entry(fields: Mapping[bytes, bytes]) -> IndexEntry:
    texts = {name: fields[name.encode()].decode() for name in _FIELDS if name not in _LATER}
    for name in ("libraries", "paths"):
        if "/" in texts[name]:
            raise ValueError(f"{name} is no file name")
    return IndexEntry(
        texts["source"],
        tuple(texts["asked"].split()),
        texts["suite"],
        texts["architecture"],
        int(texts["rank"]),
        texts["identity"],
        int(texts["date"]),
        int(texts["checked"]),
        texts["libraries"],
        texts["paths"],
        *[fields.get(name.encode(), b"").decode() for name in _LATER],
    )
