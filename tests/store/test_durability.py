"""syncfs(2) as Python reaches it."""

import errno
import os
from pathlib import Path

import pytest

from denizen.store import durability


def test_the_core_of_ctypes_calls_it_and_tells_why_it_failed(tmp_path: Path) -> None:
    function, code = durability._function_by_core()
    descriptor = durability.file_system_of(os.fsencode(tmp_path))
    assert function(descriptor) == 0
    os.close(descriptor)
    assert (function(descriptor), code()) == (-1, errno.EBADF)


def test_a_failure_is_raised() -> None:
    with pytest.raises(OSError, match="descriptor"):
        durability.sync(-1)
