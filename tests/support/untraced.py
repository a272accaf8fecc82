"""The environment for processes that are stopped or limited from outside.

Coverage's tracer takes a lock at each new function and is no match for a signal in between: the
process then waits for itself. And it writes a file of its own at the end, which a limit on files forbids.
"""

import os


def environment() -> dict[str, str]:
    """This process's own, in which Python programs are not traced."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
