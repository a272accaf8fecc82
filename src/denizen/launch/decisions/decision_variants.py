"""Names of directories of decisions for one value of LD_LIBRARY_PATH; loader/library_path.c has them too."""

from __future__ import annotations

import os

from denizen.launch.decisions.program_identity import sum_words
from denizen.launch.fast_path import VARIANTS

# In the place of a hash of options where there are none.
_NO_OPTIONS = b"plain"
_WORD = 8


def library_path_key(library_path: str) -> bytes:
    """Return what a value of LD_LIBRARY_PATH is called by: two sums, in hexadecimal.

    They tell values apart; nothing is believed for the name of its directory.
    """
    content = os.fsencode(library_path)
    sums = sum_words(content + bytes(-len(content) % _WORD))
    return b"%x-%x" % tuple(int.from_bytes(sums[at : at + _WORD], "little") for at in (0, _WORD))


def variant_with(options: bytes, library_path: str) -> bytes:
    """Return the name of a set of options (b"" for the defaults) together with a value of LD_LIBRARY_PATH."""
    return b"%b-%b" % (options or _NO_OPTIONS, library_path_key(library_path))


def beginning_for(directory: bytes) -> bytes:
    """Return the path of the directories beside a directory of decisions, up to a value's key."""
    if os.path.basename(os.path.dirname(directory)) == VARIANTS:
        return directory + b"-"
    return os.path.join(directory, VARIANTS, _NO_OPTIONS + b"-")
