"""The retry policy for archives whose files do not fit together: number of attempts and delays.

An archive that is being updated names files in its Release before every mirror has them, for minutes; behind
a load balancer, old and new answers alternate. The further requests are made past caches (`Source.anew`).
"""

from __future__ import annotations

import time

from denizen.sources.errors import BadSignature, Downgrade, Expired, Incomplete
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.errors import DenizenError


class RetryPolicy(Value):
    """The policy; the defaults wait for 153 seconds in all.

    Attributes:
        rounds: number of retries where a state was incomplete.
        brief: number of retries where a Release could not be verified: seldom more than one of several
            servers is out of date, and it is as often an attack.
        first, longest: seconds before the first retry, doubled each time up to the longest.
        pause: waits for a number of seconds.
    """

    rounds: int = 6
    brief: int = 1
    first: float = 3.0
    longest: float = 60.0
    pause: Callable[[float], object] = time.sleep

    def delays(self) -> Iterator[float]:
        """Yield the seconds to wait before each retry."""
        for count in range(self.rounds):
            yield min(self.longest, self.first * 2**count)

    def rounds_for(self, failure: DenizenError | None) -> int:
        """Return the number of retries for a failure."""
        if isinstance(failure, Incomplete):
            return self.rounds
        return self.brief if isinstance(failure, (BadSignature, Downgrade, Expired)) else 0
