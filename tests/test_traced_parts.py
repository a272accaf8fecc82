"""Coverage's tracer is at work in tests, fixtures and denizen's modules, and not where they are prepared."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from tests.support.traced_parts import examples_traced, modules_traced


class Tracer:
    """Is running or not."""

    def __init__(self) -> None:
        self.running = True

    def start(self) -> None:
        assert not self.running
        self.running = True

    def stop(self) -> None:
        assert self.running
        self.running = False


def test_of_a_property_the_examples_are_traced_and_not_what_makes_them() -> None:
    tracer, seen = Tracer(), set()

    def saw(what: str) -> None:
        seen.add((what, tracer.running))

    @settings(max_examples=3, database=None)
    @given(strategies.builds(lambda: saw("made")))
    def holds(_: None) -> None:
        saw("tested")

    with examples_traced(holds, tracer):
        holds()
    assert seen == {("made", False), ("tested", True)}
    assert tracer.running
    holds()
    assert ("made", True) in seen


def test_a_property_that_fails_leaves_the_tracer_at_work() -> None:
    tracer = Tracer()

    @settings(max_examples=3, database=None)
    @given(strategies.integers())
    def fails(_: int) -> None:
        raise KeyError

    with pytest.raises(KeyError), examples_traced(fails, tracer):
        fails()
    assert tracer.running


def test_of_what_is_imported_a_packages_own_modules_are_traced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer, record = Tracer(), "import sys; sys.seen[__name__] = sys.tracer.running"
    for name, text in (("mine", "import mine.one"), ("mine/one", ""), ("other", "import mine")):
        place = tmp_path / ("mine/__init__.py" if name == "mine" else f"{name}.py")
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"{record}\n{text}\n{record}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "seen", {}, raising=False)
    monkeypatch.setattr(sys, "tracer", tracer, raising=False)
    # As the interpreter says which tracer runs.
    monkeypatch.setattr(sys, "gettrace", lambda: tracer if tracer.running else None)
    with modules_traced("mine", tracer, monkeypatch):
        importlib.import_module("other")
    assert sys.seen == {"mine": True, "mine.one": True, "other": False}  # type: ignore[attr-defined]
    assert tracer.running
    for name in sys.seen:  # type: ignore[attr-defined]
        del sys.modules[name]
