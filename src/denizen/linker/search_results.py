"""The outcome of a search for one library: the file found, and the places looked at in vain (pure)."""

from __future__ import annotations

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from denizen.elf import Image
    from denizen.linker.rule_tables import LinkerRule, Reason


@value
class FoundObject:
    """A file that will do."""

    path: bytes
    rule: LinkerRule
    image: Image
    identity: tuple[int, int]


class SearchAttempt:
    """One place that was looked at in vain: `path` by `rule`, and why not."""

    __slots__ = ("path", "reason", "rule")

    def __init__(self, path: bytes, rule: LinkerRule, reason: Reason) -> None:
        self.path = path
        self.rule = rule
        self.reason = reason

    def __repr__(self) -> str:
        return f"SearchAttempt({self.path!r}, {self.rule.name}, {self.reason.name})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SearchAttempt):
            return NotImplemented
        return (self.path, self.rule, self.reason) == (other.path, other.rule, other.reason)

    def __hash__(self) -> int:
        return hash((self.path, self.rule, self.reason))


if TYPE_CHECKING:
    # Name -> the file, and what was tried before it.
    Known: TypeAlias = dict[bytes, tuple[FoundObject | None, tuple[SearchAttempt, ...]]]
    # The dynamic linker and what it takes -> who asks, as far as it matters -> what it knows.
    Answers: TypeAlias = dict[object, dict[object, Known]]
