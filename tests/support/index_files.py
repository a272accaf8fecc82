"""Index files that hold only sonames, for tests of whether a name is known."""

import struct
from collections.abc import Sequence
from itertools import accumulate

from denizen.index.index_file import MAGIC


def index_file(names: Sequence[bytes]) -> bytes:
    """Return the bytes of an index that knows these sonames."""
    return index_of([name + b"\t0\t0\t/usr/lib/x\t" for name in names])


def index_of(rows: Sequence[bytes]) -> bytes:
    """Return the bytes of an index with these lines about sonames (denizen.index.library_index)."""
    lines = [row + b"\n" for row in sorted(rows)]
    starts = [0, *accumulate(map(len, lines))][: len(lines)]
    content, offsets = b"".join(lines), struct.pack(f"<{len(lines)}I", *starts)
    start = len(MAGIC) + 4 + 2 * 32
    sections = (
        struct.pack("<16sQQ", b"sonames", start, len(content)),
        struct.pack("<16sQQ", b"sonames.at", start + len(content), len(offsets)),
    )
    return MAGIC + struct.pack("<I", 2) + b"".join(sections) + content + offsets
