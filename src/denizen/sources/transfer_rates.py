"""Rates of transfers: the user's upper limit, and the lower limit below which a mirror is given up."""

from __future__ import annotations

import threading
import time

from denizen.sources.transport import TransportError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class TooSlow(TransportError):
    """A mirror delivers fewer bytes per second than the least acceptable rate."""


class Throttle:
    """Keeps all transfers together below a rate in bytes per second; 0 for no limit."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = 0.0

    def spend(self, count: int, pause: Callable[[float], object]) -> None:
        """Account for `count` bytes, and wait by `pause` until they fit the rate."""
        if not self._rate:
            return
        with self._lock:
            now = self._clock()
            self._free_at = max(self._free_at, now) + count / self._rate
            delay = self._free_at - now
        if delay > 0:
            pause(delay)


class Pace:
    """Detects a transfer that is too slow: fewer than `least` bytes per second over `patience` seconds."""

    def __init__(self, least: int, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._least = least
        self._patience = patience
        self._clock = clock
        self._since = clock()
        self._count = 0

    def account(self, count: int) -> None:
        """Account for `count` bytes. Raises TooSlow when a window of `patience` seconds brought too few."""
        self._count += count
        passed = self._clock() - self._since
        if passed < self._patience:
            return
        if self._count < self._least * passed:
            raise TooSlow(f"only {self._count / passed:.0f} bytes a second for {passed:.0f} s")
        self._since, self._count = self._clock(), 0
