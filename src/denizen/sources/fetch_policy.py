"""The policy of downloads: attempts, waits, timeouts, least and largest rate, transfers at a time (pure).

sources/fetcher.py applies it; index/retry_policy.py repeats a whole update of an index;
`for_running_program` and `before_start` are the policies while a program waits.
"""

from __future__ import annotations

from denizen.value import Value

# Seconds until a connection has to be there, and in which a server may send nothing (transport.py).
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 30.0


class FetchPolicy(Value):
    """Limits on attempts, time and rate.

    Attributes:
        attempts: requests per address before the next mirror is asked.
        backoff, max_backoff: seconds before the second attempt, doubled each time up to the maximum,
            which also bounds a server's Retry-After.
        workers: number of transfers at a time.
        max_rate: bytes per second of all transfers together, 0 for no limit.
        min_rate, patience: a mirror that delivers fewer bytes per second than `min_rate` for `patience`
            seconds is given up.
        offline: fetch nothing.
    """

    attempts: int = 4
    backoff: float = 0.5
    max_backoff: float = 20.0
    workers: int = 4
    max_rate: int = 0
    min_rate: int = 1024
    patience: float = 20.0
    offline: bool = False


def for_running_program(*, offline: bool) -> FetchPolicy:
    """Return the policy for what a running program waits for.

    Without a network the program is to see its own error after half a second.
    """
    return FetchPolicy(attempts=2, patience=10.0, offline=offline)


def before_start(*, offline: bool) -> FetchPolicy:
    """Return the policy for what a program would start without: a network that is gone is not waited for."""
    return FetchPolicy(attempts=1, patience=10.0, offline=offline)
