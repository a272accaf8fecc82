"""The results of library searches: the file found, and the paths tried without success (pure)."""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from denizen.elf import Image
    from denizen.linker.rule_tables import LinkerRule, Reason


class FoundObject(Value):
    """A file that passed all checks; `identity` is (device, inode)."""

    path: bytes
    rule: LinkerRule
    image: Image
    identity: tuple[int, int]


class SearchAttempt:
    """A path that was tried by `rule` without success, and the reason."""

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
    # Library name -> the file found, and the paths tried before it.
    Known: TypeAlias = dict[bytes, tuple[FoundObject | None, tuple[SearchAttempt, ...]]]
    # (Interpreter, VerifyTarget) -> the parts of the requesting object that matter -> its results.
    Answers: TypeAlias = dict[object, dict[object, Known]]
