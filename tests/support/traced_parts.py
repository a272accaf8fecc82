"""What coverage's tracer sees of a run: tests, fixtures and denizen's modules.

A plugin of pytest. The tracer makes all that Python executes half as fast again, wanted or not. How pytest
collects tests and how Hypothesis makes examples is not denizen, and is left out: a fifth of the time of
properties, and a third of the time of collecting.
"""

import sys
from _frozen_importlib_external import SourceFileLoader
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

import pytest
from coverage.tracer import CTracer

from tests.support.process_tracer import STOPS_AT_ONCE


def tracer_here() -> Any:
    """Return the tracer of this thread if it can be stopped and started at no cost."""
    tracer: Any = sys.gettrace()
    return tracer if STOPS_AT_ONCE and isinstance(tracer, CTracer) else None


@contextmanager
def stopped(tracer: Any) -> Iterator[None]:
    """Leave the tracer out; it is started and stopped in pairs, lest it take lines for another function's."""
    tracer.stop()
    try:
        yield
    finally:
        tracer.start()


def traced(tracer: Any, function: Callable[..., object], *words: object, **named: object) -> object:
    """Call a function with the tracer, which is stopped."""
    tracer.start()
    try:
        return function(*words, **named)
    finally:
        tracer.stop()


@contextmanager
def examples_traced(test: Any, tracer: Any) -> Iterator[None]:
    """Trace a property for each of its examples, and not what Hypothesis does to make them."""
    handle = test.hypothesis
    plain = handle.inner_test

    # Hypothesis takes what it calls for a function with this one's code and signature.
    @wraps(plain)
    def example(*words: object, **named: object) -> object:
        return traced(tracer, plain, *words, **named)

    handle.inner_test = example
    try:
        with stopped(tracer):
            yield
    finally:
        handle.inner_test = plain


@contextmanager
def modules_traced(package: str, tracer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Trace the modules of a package while they are executed, and nothing else."""
    plain = SourceFileLoader.exec_module

    def executed(loader: SourceFileLoader, module: ModuleType) -> None:
        if module.__name__.partition(".")[0] != package or sys.gettrace() is not None:
            plain(loader, module)
        else:
            traced(tracer, plain, loader, module)

    with monkeypatch.context() as patches, stopped(tracer):
        patches.setattr(SourceFileLoader, "exec_module", executed)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect tests without the tracer."""
    tracer = tracer_here()
    if tracer is None:
        return (yield)
    with modules_traced("denizen", tracer, pytest.MonkeyPatch()):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a property with the tracer in its examples alone."""
    tracer = tracer_here()
    if tracer is None or not hasattr(pyfuncitem.obj, "hypothesis"):
        return (yield)
    with examples_traced(pyfuncitem.obj, tracer):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test that is marked `unmeasured` without coverage's tracer."""
    tracer = sys.gettrace() if item.get_closest_marker("unmeasured") else None
    if tracer is None:
        return (yield)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        # Coverage's tracer in C is made for this: its next call puts it in the place of this one in Python.
        sys.settrace(tracer)
