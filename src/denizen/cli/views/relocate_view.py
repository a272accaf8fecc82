"""The result of `denizen relocate`, for people and as a document."""

from __future__ import annotations

from collections import Counter

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.relocate.relocate_tree import RelocatedTree


def lines(done: RelocatedTree, *, written: bool, verbose: bool) -> Iterator[str]:
    """Yield a summary and what is left; each file too if `verbose`."""
    for entry in done.entries:
        name = display(entry.path)
        if verbose and entry.places:
            yield f"{name}: {' and '.join(entry.ways)}, {_count(entry.places, 'place')}"
        for remark in entry.remarks if verbose else ():
            yield f"{name}: {remark}"
        for left in entry.left:
            yield f"{name}: left at {left.offset:#x}: {left.reason}"
    ways = Counter(way for entry in done.entries for way in entry.ways)
    changed = sum(1 for entry in done.entries if entry.places)
    verb = "changed" if written else "would change"
    detail = ", ".join(f"{way} {number}" for way, number in sorted(ways.items()))
    yield f"{changed} of {done.count} files {verb}" + (f" ({detail})" if detail else "")
    left_over = sum(len(entry.left) for entry in done.entries)
    if left_over:
        files = sum(1 for entry in done.entries if entry.left)
        yield f"{_count(left_over, 'mention')} in {_count(files, 'file')} left"


def document(done: RelocatedTree, *, written: bool) -> dict[str, object]:
    """Return the fields of docs/relocate.md."""
    return {
        "files": done.count,
        "written": written,
        "changed": [
            {
                "path": display(entry.path),
                "ways": list(entry.ways),
                "places": entry.places,
                "left": [{"offset": left.offset, "reason": left.reason} for left in entry.left],
                "remarks": list(entry.remarks),
            }
            for entry in done.entries
        ],
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
