"""The summary of a generation beside its manifest: a line for each element, for `denizen list` (pure).

    name TAB version TAB source TAB size TAB priority TAB pinned

To import a parser of JSON and the types of a manifest would take as long as Python itself.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.profiles.profile_manifest import ProfileElement

# Its name in a generation's tree.
FILE = "manifest.tsv"
MAX_SIZE = 16 << 20
_FIELDS = 6
# Of both numbers of a row: Python refuses to convert very long ones.
_MAX_DIGITS = 40


class SummaryRow(Value):
    """One installed thing, as a list shows it."""

    name: str
    version: str
    source: str
    size: int
    priority: int
    pinned: bool


def summary_row(one: ProfileElement) -> SummaryRow:
    """Return the row about an element."""
    source = f"{one.pins[0].source}/{one.pins[0].suite}" if one.pins else one.asked
    return SummaryRow(one.name, one.version, source, one.size, one.priority, one.pinned)


def write_summary(elements: Sequence[ProfileElement]) -> bytes:
    """Return the rows about elements as a file's bytes; what would break a line becomes a blank."""
    lines = []
    for one in map(summary_row, elements):
        fields = (one.name, one.version, one.source, str(one.size), str(one.priority), str(int(one.pinned)))
        lines.append("\t".join([" ".join(field.split()) for field in fields]) + "\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def read_summary(content: bytes) -> list[SummaryRow]:
    """Return the rows in a file's bytes; lines that are none are left out."""
    rows = []
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        fields = line.split("\t")
        if len(fields) != _FIELDS:
            continue
        name, version, source, size, priority, pinned = fields
        # Spelled out: a generator takes a third of the time that a row costs.
        is_row = size.isdecimal() and priority.isdecimal() and pinned.isdecimal()
        if is_row and len(size) + len(priority) <= _MAX_DIGITS:
            rows.append(SummaryRow(name, version, source, int(size), int(priority), pinned == "1"))
    return rows
