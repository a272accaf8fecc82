"""The real archive's indexes and packages, fetched once and kept below XDG_CACHE_HOME/denizen-tests."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from denizen.cli.command import Context
from denizen.cli.output import open_output


def real_archive() -> Context:
    """A command's context over the kept files."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    output = open_output(os.environ, color="never", verbosity=-1)
    return Context(os.environ, output, os.path.join(cache, "denizen-tests"), json=False)


@contextlib.contextmanager
def one_at_a_time(context: Context) -> Iterator[None]:
    """One worker at a time, so that each index and package is fetched once."""
    assert context.root is not None
    os.makedirs(context.root, exist_ok=True)
    with open(os.path.join(context.root, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
