"""`@once`: a property computed when first asked for, its refusal included (pure).

functools.cached_property forgets a failure and computes again: a file with a broken version table would
have it parsed once for each of the five questions that depend on it, and a hostile one makes that cost
what it likes. This one also takes no lock, which cached_property does before Python 3.12.
"""

from __future__ import annotations

from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # The same to a type checker, which knows this one by name.
    from functools import cached_property as once
else:

    class once:  # noqa: N801  # a decorator, named as one
        """Make a method a property that remembers what it answered or refused."""

        def __init__(self, compute: Callable[[object], object]) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: object | None, owner: type | None = None) -> object:
            if instance is None:
                return self
            # An answer stands in the instance's dictionary, where it is found before this descriptor.
            known = instance.__dict__
            fault = known.get(self)
            if fault is not None:
                raise fault.with_traceback(None)
            try:
                answer = known[self._name] = self._compute(instance)
            except BadInput as refusal:
                known[self] = refusal
                raise
            return answer


__all__ = ["once"]
