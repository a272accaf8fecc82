"""Told, the type of progress callbacks (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    # Called from any thread with the amount done since the last call; the function it is passed to says
    # in which unit.
    Told: TypeAlias = Callable[[int], None]


def ignore(_: int) -> None:
    """Ignore progress: the default callback."""
