"""The result of `denizen export`, for people and as a document."""

from __future__ import annotations

from denizen.app.formatting import mebibytes
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.exports.export import ExportMade

_SHOWN = 12


def lines(done: ExportMade) -> Iterator[str]:
    """Yield what was made, its digest and layers, and from what."""
    yield f"{display(done.target)}: {mebibytes(done.size)}"
    if done.digest:
        yield f"  {done.digest}, {len(done.layers)} layers"
    for title, size in done.layers:
        names = title.split(", ")
        more = f" and {len(names) - 2} more" if len(names) > 3 else ""
        yield f"  {mebibytes(size):>10}  {', '.join(names[:2] if more else names)}{more}"
    if done.packages and not done.layers:
        names = [one.title for one in done.packages[:_SHOWN]]
        more = f" and {len(done.packages) - _SHOWN} more" if len(done.packages) > _SHOWN else ""
        yield f"  from {', '.join(names)}{more}"


def document(done: ExportMade) -> dict[str, object]:
    """Return the fields of `--json`."""
    return {
        "target": display(done.target),
        "size": done.size,
        "digest": done.digest or None,
        "layers": [{"content": title, "size": size} for title, size in done.layers],
        "packages": [
            {"name": one.name, "version": one.version, "architecture": one.architecture, "sha256": one.sha256}
            for one in done.packages
        ],
    }
