"""`contextmanager` and `suppress`: what contextlib's do, whatever happens inside."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from denizen import contexts

MAKERS = [contextlib.contextmanager, contexts.contextmanager]
Outcome = tuple[list[str], object]


def outcome(generator: Callable[[list[str]], Iterator[str]], body: Callable[[], None], maker: Any) -> Outcome:
    """What the generator and its block did, and how the block ended."""
    said: list[str] = []
    try:
        with maker(generator)(said) as given:
            said.append(f"given {given}")
            body()
            said.append("after")
    except BaseException as error:  # noqa: BLE001  # whatever it is, both must raise the same
        return said, (type(error), error.args, type(error.__cause__))
    return said, None


def plain(said: list[str]) -> Iterator[str]:
    said.append("enter")
    yield "value"
    said.append("leave")


def cleaning(said: list[str]) -> Iterator[str]:
    try:
        yield "value"
    finally:
        said.append("cleaned")


def swallowing(said: list[str]) -> Iterator[str]:
    try:
        yield "value"
    except (OSError, StopIteration):
        said.append("swallowed")


def translating(said: list[str]) -> Iterator[str]:
    try:
        yield "value"
    except OSError as error:
        said.append("translated")
        raise LookupError("translated") from error


def never_yielding(said: list[str]) -> Iterator[str]:
    said.append("entered")
    if said:
        return
    yield "value"


def yielding_twice(said: list[str]) -> Iterator[str]:
    yield "one"
    said.append("again")
    yield "two"


def quiet() -> None:
    pass


def failing(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    "body",
    [
        quiet,
        failing(OSError(2, "no")),
        failing(ValueError("bad")),
        failing(KeyboardInterrupt()),
        failing(StopIteration("over")),
        failing(RuntimeError("mine")),
    ],
    ids=["quiet", "os-error", "value-error", "interrupt", "stop", "runtime-error"],
)
@pytest.mark.parametrize(
    "generator", [plain, cleaning, swallowing, translating, never_yielding, yielding_twice]
)
def test_a_generator_does_what_it_does_by_contextlib(
    generator: Callable[[list[str]], Iterator[str]], body: Callable[[], None]
) -> None:
    theirs, ours = (outcome(generator, body, maker) for maker in MAKERS)
    assert ours[0] == theirs[0]
    # The sentence about a generator that yields twice or never is each one's own.
    generators_fault = generator in (never_yielding, yielding_twice)
    assert ours[1] == theirs[1] or (generators_fault and str(ours[1])[:20] == str(theirs[1])[:20])


def test_a_method_and_its_words_are_kept() -> None:
    class Place:
        @contexts.contextmanager
        def at(self, name: str, *, times: int) -> Iterator[str]:
            """Say the name."""
            yield name * times

    with Place().at("x", times=3) as found:
        assert found == "xxx"
    assert (Place.at.__name__, Place.at.__doc__) == ("at", "Say the name.")


def test_only_the_named_errors_are_suppressed() -> None:
    with contexts.suppress(FileNotFoundError, ValueError):
        raise FileNotFoundError
    with contexts.suppress(OSError):
        pass
    with pytest.raises(KeyError), contexts.suppress(OSError):
        raise KeyError


def test_it_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import denizen.contexts; print(*set(sys.modules) - before)"
    words = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{code}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"__future__", "denizen", "denizen.contexts"}
