"""The list of installed things, a line for each."""

from __future__ import annotations

from denizen.app.formatting import human_size
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.profiles.summary import SummaryRow

_USUAL_PRIORITY = 5


def summary_lines(rows: Sequence[SummaryRow]) -> Iterator[str]:
    """Yield a line for each thing: name, version, source, size."""
    cells = [(display(one.name), display(one.version) or "-", display(one.source)) for one in rows]
    widths = [max((len(cell[column]) for cell in cells), default=0) for column in range(3)]
    for one, (name, version, source) in zip(rows, cells, strict=True):
        marks = " pinned" if one.pinned else ""
        marks += f" priority {one.priority}" if one.priority != _USUAL_PRIORITY else ""
        yield (
            f"{name:{widths[0]}}  {version:{widths[1]}}  {source:{widths[2]}}  {human_size(one.size)}{marks}"
        )
