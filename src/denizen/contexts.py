"""`contextmanager` and `suppress`: contextlib's, without what that module imports (pure).

Importing contextlib takes 2 ms where `python3 -c pass` takes 9: it imports collections, functools and types
for what is not needed here. To a type checker these are contextlib's own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import contextmanager, suppress
    from types import TracebackType

else:

    def contextmanager(function: Callable[..., Generator[object, None, None]]) -> Callable[..., object]:
        """Return a function whose result runs the generator `function`: to its yield, and after the block."""

        def context(*arguments: object, **keywords: object) -> _GeneratorContext:
            return _GeneratorContext(function(*arguments, **keywords))

        context.__doc__, context.__wrapped__ = function.__doc__, function
        context.__name__, context.__qualname__ = function.__name__, function.__qualname__
        return context

    class suppress:  # noqa: N801  # as contextlib's
        """A context that ends without an error where one of the given classes was raised inside."""

        def __init__(self, *classes: type[BaseException]) -> None:
            self._classes = classes

        def __enter__(self) -> None:
            return None

        def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
            return kind is not None and issubclass(kind, self._classes)


class _GeneratorContext:
    def __init__(self, generator: Generator[object, None, None]) -> None:
        self._generator = generator

    def __enter__(self) -> object:
        try:
            return next(self._generator)
        except StopIteration:
            raise RuntimeError("the generator of a context did not yield") from None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            if error is None:
                next(self._generator)
            else:
                self._generator.throw(error)
        except StopIteration as ended:
            # A StopIteration out of the block that comes back as it was goes on.
            return ended is not error
        except BaseException as raised:
            # What the block raised goes on from where it was raised; in a generator, a StopIteration comes
            # back as the cause of a RuntimeError (PEP 479).
            if raised is not error and (
                not isinstance(error, StopIteration) or raised.__cause__ is not error
            ):
                raise
            if error is not None:
                error.__traceback__ = traceback
            return False
        raise RuntimeError("the generator of a context yielded twice")


__all__ = ["contextmanager", "suppress"]
