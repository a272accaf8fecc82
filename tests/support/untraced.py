"""The environment for processes that are stopped or limited by a test: without coverage's tracer.

Coverage's tracer takes a lock at each new function, and a signal in between leaves the process waiting for
itself. It also writes a file of its own at the end, which a limit on files forbids.
"""

import os


def environment() -> dict[str, str]:
    """Return this process's environment without tracing of Python programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
