"""A root without /sys gets the kernel's lists of processors."""

import pytest

from denizen.fileview import MemoryView
from denizen.launch.resources.processors import missing_processor_directories, missing_processor_lists

_PLACE = b"/sys/devices/system/cpu/"


@pytest.mark.parametrize(("count", "content"), [(1, b"0\n"), (2, b"0-1\n"), (64, b"0-63\n")])
def test_the_lists_are_the_kernels(count: int, content: bytes) -> None:
    made = missing_processor_lists(MemoryView({b"/bin/x": b""}), count)
    assert made == {_PLACE + name: content for name in (b"possible", b"online")}


def test_each_processor_has_a_directory() -> None:
    assert missing_processor_directories(MemoryView({}), 2) == (_PLACE + b"cpu0", _PLACE + b"cpu1")


def test_what_the_kernel_says_stays() -> None:
    view = MemoryView({b"/sys/kernel/x": b""})
    assert missing_processor_lists(view, 2) == {}
    assert missing_processor_directories(view, 2) == ()


def test_an_unknown_count_tells_nothing() -> None:
    assert missing_processor_lists(MemoryView({}), 0) == {}
