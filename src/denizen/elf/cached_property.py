"""`@once`: a property computed at first use that caches its value or its BadInput (pure).

functools.cached_property does not cache an exception but computes again: a broken version table would be
parsed once for each of the five properties that depend on it, at a cost that a hostile file decides. This
one also takes no lock, which cached_property does before Python 3.12.
"""

from __future__ import annotations

from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # Equivalent for a type checker, which knows cached_property by name.
    from functools import cached_property as once
else:

    class once:  # noqa: N801  # a decorator, named as one
        """A decorator that makes a method a property which caches its value or its BadInput."""

        def __init__(self, compute: Callable[[object], object]) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: object | None, owner: type | None = None) -> object:
            if instance is None:
                return self
            # The value is stored in the instance's dictionary, which Python searches before this descriptor.
            known = instance.__dict__
            if self in known:
                raise known[self].with_traceback(None)
            try:
                answer = known[self._name] = self._compute(instance)
            except BadInput as refusal:
                known[self] = refusal
                raise
            return answer


__all__ = ["once"]
