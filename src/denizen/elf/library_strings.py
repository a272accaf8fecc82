"""The strings among a program's constants that look like names of libraries (pure).

Which of them count as names that the program may open: resolve/dlopen_names.py (`strings`).
"""

from __future__ import annotations

from denizen.elf.constants import PF_W, PF_X, PT_LOAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf.image import Image

# Bytes that are searched before and after ".so" for the whole soname.
_REACH = 64
_PART = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-")
# Bytes of a file's constants that are searched for strings; takes 10 ms.
MAX_SCANNED = 16 << 20


def library_strings(image: Image) -> Iterator[bytes]:
    """Yield the strings among a program's constants that contain ".so", as sonames do, in order and once."""
    seen: set[bytes] = set()
    data = image.buffer
    if isinstance(data, memoryview):
        return
    for start, end in constant_ranges(image):
        at = start - 1
        while (at := data.find(b".so", at + 1, end)) >= 0:
            name = _around(bytes(data[max(0, at - _REACH) : at + _REACH]), min(at, _REACH))
            if name and name not in seen:
                seen.add(name)
                yield name


def constant_ranges(image: Image) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) offsets of the read-only segments that are not code.

    If there are none, yield those of all read-only segments, which then contain the constants.
    """
    readable = [s for s in image.segments if s.type == PT_LOAD and not s.flags & PF_W]
    left = MAX_SCANNED
    for segment in [s for s in readable if not s.flags & PF_X] or readable:
        yield segment.offset, segment.offset + min(segment.file_size, left)
        left -= min(segment.file_size, left)


def _around(window: bytes, at: int) -> bytes:
    """Return the string that has ".so" at offset `at` of the window; b"" if the window cuts it off."""
    start, end = at, at
    while start and window[start - 1] in _PART:
        start -= 1
    while end < len(window) and window[end] in _PART:
        end += 1
    ends = end < len(window) and window[end] == 0
    starts = start > 0 and window[start - 1] in b"\0/"
    return window[start:end] if starts and ends else b""
