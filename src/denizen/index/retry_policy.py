"""How often an archive that does not hang together is asked again, and after how long.

An archive that is being updated names files in its Release before every mirror has them, for minutes;
behind a balancer, answers of before and after alternate from request to request. The next requests are
made past caches (`Source.anew`).
"""

from __future__ import annotations

import time

from denizen.sources.base import BadSignature, Downgrade, Expired, Incomplete
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.errors import DenizenError


@value
class Patience:
    """The policy: 153 seconds in all, as it stands.

    Attributes:
        rounds: times that all is asked again where a state was incomplete.
        brief: the same where a Release was not to be believed: seldom more than one server of several
            that lags behind, and as often somebody's attack.
        first, longest: seconds before the first round, doubled each time up to the longest.
        pause: waits for so many seconds.
    """

    rounds: int = 6
    brief: int = 1
    first: float = 3.0
    longest: float = 60.0
    pause: Callable[[float], object] = time.sleep

    def delays(self) -> Iterator[float]:
        """Yield the seconds to wait before each round."""
        for count in range(self.rounds):
            yield min(self.longest, self.first * 2**count)

    def rounds_for(self, failure: DenizenError | None) -> int:
        """Return how many rounds a failure is worth."""
        if isinstance(failure, Incomplete):
            return self.rounds
        return self.brief if isinstance(failure, (BadSignature, Downgrade, Expired)) else 0
