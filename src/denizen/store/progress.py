"""Telling whoever waits how far work has come (pure)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    # Hears that so much more is done, of what the function it is given to counts; from any thread.
    Told: TypeAlias = Callable[[int], None]


def ignore(_: int) -> None:
    """Nobody waits."""
