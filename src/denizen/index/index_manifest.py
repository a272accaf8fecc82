"""The manifest: a small file that lists the indexes, replaced as a whole.

Its form is deb822 without comments and folded lines, which only `write_manifest` writes. Every lookup reads
it: `formats.deb822`, the parser of what others write, would take five times as long.

An update takes effect at the moment when the manifest is replaced. Before it no reader opens a new index
file; afterwards no reader opens the old one, and a reader that has it open keeps it.
"""

from __future__ import annotations

import os

from denizen.errors import StoreDamaged
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = "2"
NAME = b"manifest"


class DamagedManifest(StoreDamaged):
    """The error that the manifest cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} cannot be read"
    WHY = "{problem:text}"
    REMEDY = "denizen index update --force"


class IndexEntry(Value):
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
            content = stream.read()
    except FileNotFoundError:
        return ()
    try:
        head, *rest = _paragraphs(content.decode()) or [{}]
        if head.get("Format") != FORMAT:
            # The format of another version of denizen; everything in the directory can be made again.
            return ()
        return tuple([_entry(fields) for fields in rest])
    except KeyError as error:
        raise DamagedManifest(path, f"an entry lacks {error}") from error
    except ValueError as error:
        raise DamagedManifest(path, str(error)) from error


def library_files(directory: bytes) -> dict[tuple[str, str, str], bytes]:
    """Return the path of each index's libraries by the index's key. Raises DamagedManifest."""
    return {
        entry.key: os.path.join(directory, os.fsencode(entry.libraries)) for entry in read_manifest(directory)
    }


def write_manifest(directory: bytes, entries: Sequence[IndexEntry]) -> None:
    """Replace the manifest. Raises OSError."""
    # Imported here (6 ms): reading, which every lookup does, does not need it.
    from denizen.disk import write_atomically

    blocks = [f"Format: {FORMAT}\n"]
    for entry in sorted(entries, key=lambda entry: entry.rank):
        fields = {name: getattr(entry, name) for name in _FIELDS} | {"asked": " ".join(entry.asked)}
        blocks.append("".join(f"{name}: {text}\n" for name, text in fields.items()))
    write_atomically(os.path.join(directory, NAME), "\n".join(blocks).encode())


_FIELDS = (
    "source", "asked", "suite", "architecture", "rank", "identity", "date", "checked", "libraries", "paths",
    "provenance",
)  # fmt: skip


def _paragraphs(text: str) -> list[dict[str, str]]:
    blocks = [[line.partition(":") for line in block.splitlines()] for block in text.split("\n\n")]
    return [{name: rest.strip() for name, _, rest in lines} for lines in blocks if lines]


def _entry(fields: Mapping[str, str]) -> IndexEntry:
    for name in ("libraries", "paths"):
        if "/" in fields[name]:
            raise ValueError(f"{name} is no file name")
    return IndexEntry(
        fields["source"],
        tuple(fields["asked"].split()),
        fields["suite"],
        fields["architecture"],
        int(fields["rank"]),
        fields["identity"],
        int(fields["date"]),
        int(fields["checked"]),
        fields["libraries"],
        fields["paths"],
        # Manifests of older versions lack it.
        fields.get("provenance", ""),
    )
