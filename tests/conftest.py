"""Settings shared by every test."""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.processes import new_threads

pytest_plugins = [
    "tests.support.process_coverage",
    "tests.support.traced_parts",
    "tests.support.fault_fixtures",
    "tests.support.order_of_tests",
]

# No deadlines: a noisy machine is not a failing property.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# A shell starts what runs in its background with SIGINT ignored, and that is inherited (POSIX sh, 2.11):
# tests that press Ctrl-C in a program would then wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Of the make that started the suite: a make that a test starts would say that it is one of several.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(name, None)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory with a short path, whatever TMPDIR says: the first line of a script has 255 bytes."""
    with tempfile.TemporaryDirectory(prefix="denizen-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of denizen's own, which forks helpers only while it has no other threads.

    A worker of the suite may have some; they hold no lock that a helper would wait for.
    """
    # By themselves, not by their number: one of them may end meanwhile.
    others = {thread for thread in threading.enumerate() if thread is not threading.current_thread()}
    monkeypatch.setattr(threading, "active_count", lambda: len(new_threads(others)))
