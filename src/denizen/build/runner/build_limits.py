"""Limits of one build: the time, the silence and the output after which its builder is stopped."""

from __future__ import annotations

import time

from denizen.errors import DenizenError
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class BuildLimits(Value):
    """The limits of one build; 0 is none.

    Attributes:
        timeout: seconds.
        max_silent_time: seconds without output.
        max_log: bytes of output; gcc's own build says 30 MB.
    """

    timeout: float = 0
    max_silent_time: float = 0
    max_log: int = 1 << 30


class BuilderHalted(DenizenError):
    """The error that a builder reached a limit."""

    reason: str
    WHAT = "{reason:text}"


def clock_of(limits: BuildLimits) -> Callable[[float], None]:
    """Return the function that tells whether the time of a builder that starts now is over.

    It is given the seconds since the builder last spoke, and raises BuilderHalted.
    """
    begun = time.monotonic()

    def look(silent: float) -> None:
        if limits.timeout and time.monotonic() - begun > limits.timeout:
            raise BuilderHalted(f"its builder was stopped after {limits.timeout:g} seconds")
        if limits.max_silent_time and silent > limits.max_silent_time:
            raise BuilderHalted(
                f"its builder was stopped after {limits.max_silent_time:g} seconds of silence"
            )

    return look


def check_output(limits: BuildLimits, size: int) -> None:
    """Raise BuilderHalted if a builder may not have said so many bytes."""
    if limits.max_log and size > limits.max_log:
        raise BuilderHalted(f"its builder was stopped: it had said more than {limits.max_log} bytes")
