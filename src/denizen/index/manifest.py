"""What indexes there are: one small deb822 file, replaced as a whole.

Replacing it is the moment an update takes effect. Until then a new index file is one nobody knows, and
after it the old one is: a reader that opened it keeps it.
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
    """The list of indexes cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} cannot be read"
    WHY = "{problem:text}"
    REMEDY = "denizen index update --force"


@value
class IndexEntry:
    """One index: of a suite of a source, for an architecture.

    Attributes:
        asked: the names the suite is asked for by ("stable"); `suite` is what it is ("trixie").
        identity, date: of the snapshot it was made from.
        rank: its place in the order of preference; the base suite is 0.
        checked: when it was last compared with the source, seconds since 1970.
        libraries: name of the library index's file.
        paths: name of the path index's file, "" for none.
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

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one index of."""
        return self.source, self.suite, self.architecture

    def is_called(self, name: str) -> bool:
        """Whether a suite of that name is meant by this."""
        return name == self.suite or name in self.asked


def read_manifest(directory: bytes) -> tuple[IndexEntry, ...]:
    """The indexes of a directory, in the order their suites are preferred; none if it has no manifest.

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
            # Another denizen's; everything in the directory can be made again.
            return ()
        return tuple([_entry(fields) for fields in rest])
    except KeyError as error:
        raise DamagedManifest(path, f"an entry lacks {error}") from error
    except (BadControl, ValueError) as error:
        raise DamagedManifest(path, str(error)) from error


def write_manifest(directory: bytes, entries: Sequence[IndexEntry]) -> None:
    """Put a new list in force. Raises OSError."""
    # Imported here because reading, which every lookup does, needs nothing of it (6 ms).
    from denizen.disk import write_atomically

    blocks = [b"Format: " + FORMAT + b"\n"]
    for entry in sorted(entries, key=lambda entry: entry.rank):
        fields = {name: getattr(entry, name) for name in _FIELDS} | {"asked": " ".join(entry.asked)}
        blocks.append("".join(f"{name}: {text}\n" for name, text in fields.items()).encode())
    write_atomically(os.path.join(directory, NAME), b"\n".join(blocks))


_FIELDS = (
    "source", "asked", "suite", "architecture", "rank", "identity", "date", "checked", "libraries", "paths",
)  # fmt: skip


def _entry(fields: Mapping[bytes, bytes]) -> IndexEntry:
    texts = {name: fields[name.encode()].decode() for name in _FIELDS}
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
    )
