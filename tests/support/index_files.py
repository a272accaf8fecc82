"""Index files that hold only sonames, for tests of whether a name is known."""

import struct
from collections.abc import Sequence
from itertools import accumulate

from denizen.index.index_file import MAGIC


def index_file(names: Sequence[bytes]) -> bytes:
    """Return the bytes of an index that knows these sonames."""
    lines = [name + b"\t0\t0\t/usr/lib/x\t\n" for name in sorted(names)]
    starts = [0, *accumulate(map(len, lines))][: len(lines)]
    content, offsets = b"".join(lines), struct.pack(f"<{len(lines)}I", *starts)
    start = len(MAGIC) + 4 + 2 * 32
    sections = (
        struct.pack("<16sQQ", b"sonames", start, len(content)),
        struct.pack("<16sQQ", b"sonames.at", start + len(content), len(offsets)),
    )
    return MAGIC + struct.pack("<I", 2) + b"".join(sections) + content + offsets
