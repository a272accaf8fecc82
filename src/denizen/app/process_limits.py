"""Limits of this process that are raised for a while and restored before it becomes a program."""

from __future__ import annotations

import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """Raise the soft limit of open files to the hard one meanwhile: every examined library stays mapped."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# The largest library that Python opens for denizen, OpenSSL's, has 5 MB; a heap grows by less.
_SMALL_ROOM = 8 << 20


def is_short_of_addresses() -> bool:
    """Return whether less of this process's limit of addresses is left than one more library takes."""
    import resource

    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return False
    try:
        with open("/proc/self/statm", "rb") as stream:
            pages = int(stream.read().split()[0])
    except OSError:
        return False
    return limit - pages * resource.getpagesize() < _SMALL_ROOM
