"""The most memory a command ever has, for a file of 2 GB and one of 2 MB.

Claim (issue 3): flat. Read from the child's own resource usage (getrusage(2), ru_maxrss).
"""

import os
import tempfile
from pathlib import Path

from benchmarks.stores import clean_environment, denizen
from benchmarks.support import table

SIZES = {"2 MB": 2 << 20, "2 GB": 2 << 30}


def main() -> None:
    rows = [["", *[f"{name}, MiB" for name in SIZES]]]
    with tempfile.TemporaryDirectory() as directory:
        top = Path(directory)
        for name, size in SIZES.items():
            with (top / name).open("wb") as stream:
                os.truncate(stream.fileno(), size)
        for words in (("hash",), ("dump",), ("add", "--name", "big")):
            peaks = [peak(denizen(top, "store", *words, str(top / name))) for name in SIZES]
            rows.append([f"store {words[0]}", *[f"{each / 2**20:.1f}" for each in peaks]])
    print(table(rows))


def peak(command: list[str]) -> int:
    """The child's largest resident set, in bytes."""
    child = os.fork()
    if not child:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execvpe(command[0], command, clean_environment())  # so that wait4 tells of it alone
    _, status, usage = os.wait4(child, 0)
    assert status == 0, command
    return usage.ru_maxrss * 1024
