"""The codes of modules in the order in which they are loaded, marshalled together (pure).

Imported where a file of module_cache.py is written, and not before.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType


def marshalled_codes(codes: dict[str, CodeType | None], limit: int) -> dict[str, bytes]:
    """Return the marshals of modules' codes, each after those of the modules that it imports.

    Those of up to `limit` bytes together are one marshal, of a dictionary by name, which all of them have.
    """
    return {
        name: content for group in _groups(_needed_first(codes), limit) for name, content in group.items()
    }


def _needed_first(codes: dict[str, CodeType | None]) -> dict[str, CodeType | None]:
    """Return codes in an order in which a module's package and what it imports come before it."""
    found: dict[str, CodeType | None] = {}

    def add(name: str, code: CodeType | None) -> None:
        # A dotted name is that of an import; any other one costs at most the best order.
        for one in (name.rpartition(".")[0], *(code.co_names if code is not None else ())):
            if one in left:
                add(one, left.pop(one))
        found[name] = code

    left = dict(codes)
    while left:
        add(*left.popitem())
    return found


def _groups(codes: dict[str, CodeType | None], limit: int) -> Iterator[dict[str, bytes]]:
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
