"""Chains of dependencies and differences of closures, as commands print them."""

from __future__ import annotations

from denizen.app.formatting import binary_size
from denizen.cli.views.store_view import shown
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from denizen.store.closure_difference import PackageChange
    from denizen.store.local import Store
    from denizen.store.reference_offsets import Dependency, HashMention

_FIRST = 3
_WHERE = {"content": "at {}", "link": "link, at {}", "name": "its name, at {}"}


def chain_lines(store: Store, chain: Sequence[Dependency], *, everything: bool) -> Iterator[str]:
    """Yield the lines for a chain: each object, and below it the mentions of the next one."""
    for depth, step in enumerate(chain):
        margin = "    " * depth
        yield margin + shown(store.place_of(step.path))
        mentions = step.mentions if everything else step.mentions[:_FIRST]
        yield from [f"{margin}  {_mention_line(one)}" for one in mentions]
        left = len(step.mentions) - len(mentions)
        if left:
            yield f"{margin}  and {left} more: --all"


def _mention_line(one: HashMention) -> str:
    where = _WHERE[one.kind].format(one.offset)
    return f"{display(one.file) or '.'} ({where}): {display(one.text)}"


def chain_document(store: Store, chain: Iterable[Dependency]) -> list[dict[str, object]]:
    """Return a chain as JSON shows it (docs/store.md)."""
    return [
        {
            "path": shown(store.place_of(step.path)),
            "mentions": [
                {
                    "file": display(one.file),
                    "kind": one.kind,
                    "offset": one.offset,
                    "text": display(one.text),
                }
                for one in step.mentions
            ],
        }
        for step in chain
    ]


def change_line(change: PackageChange) -> str:
    """Return the line for a package: `name: 1.0 → 1.1, +8.0 KiB`."""
    versions = f"{_versions(change.before)} → {_versions(change.after)}"
    sign = "+" if change.growth > 0 else "-"
    parts = [versions] if change.before != change.after else []
    parts += [f"{sign}{binary_size(abs(change.growth))}"] if change.growth else []
    return f"{change.name}: {', '.join(parts)}"


def _versions(versions: Sequence[str]) -> str:
    """Return versions as Nix shows them: ∅ for a package that is not there, ε for one without a version."""
    return ", ".join(version or "ε" for version in versions) or "∅"


def changes_document(changes: Iterable[PackageChange]) -> list[dict[str, object]]:
    """Return the difference of two closures as JSON shows it (docs/store.md)."""
    return [
        {
            "name": one.name,
            "before": list(one.before),
            "after": list(one.after),
            "growth": one.growth,
        }
        for one in changes
    ]
