"""Whole commands: `denizen find` beside `apt-file search` over the same lists, and beside an empty Python.

Claims (issue 4): a soname within 2.5 times `python -c pass`, and 20 times as fast as apt-file.
"""

import tempfile
from pathlib import Path

from benchmarks.indexes import apt_file, configure, cost, mirror, update
from benchmarks.stores import denizen
from benchmarks.support import PYTHON_PASS, median_starts, table
from tests.support.apt import Apt

SONAME = "libssl.so.3"
ROUNDS = 20
SEARCHES = 3
# (what is asked, of denizen, of apt-file); denizen's `find` of a plain word asks for a command.
QUESTIONS = (
    ("a soname", [SONAME], ["-F", f"/usr/lib/x86_64-linux-gnu/{SONAME}"]),
    ("a soname anywhere", [f"**/{SONAME}"], [SONAME]),
    ("a command", ["convert"], ["-F", "/usr/bin/convert"]),
    ("a path", ["/usr/include/zlib.h"], ["-F", "/usr/include/zlib.h"]),
    ("a glob", ["/usr/lib/**/zlib*.pc"], ["-x", r"^/usr/lib/(.*/)?zlib[^/]*\.pc$"]),
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="denizen-find-") as top, mirror() as address:
        root = Path(top) / "denizen"
        configure(root, address)
        cost(update(root, "--paths"))
        apt = apt_file(Path(top) / "apt", address)
        if apt is not None:
            apt.run("apt-file", "update")
        commands = [denizen(root, "find", *ours) for _, ours, _ in QUESTIONS]
        empty, *ours = median_starts([PYTHON_PASS, *commands], repeats=ROUNDS)
        theirs = [_search(apt, words) for _, _, words in QUESTIONS] if apt is not None else []
    rows = [("", "ms", "times python -c pass", "apt-file search, ms", "times denizen's")]
    rows.append(("python -c pass", f"{empty * 1000:.1f}", "1.00", "", ""))
    for number, (name, words, _) in enumerate(QUESTIONS):
        seconds = ours[number]
        row = (f"find {words[0]} ({name})", f"{seconds * 1000:.1f}", f"{seconds / empty:.2f}")
        other = (f"{theirs[number] * 1000:.0f}", f"{theirs[number] / seconds:.0f}") if theirs else ("", "")
        rows.append((*row, *other))
    print(table(rows))


def _search(apt: Apt, words: list[str]) -> float:
    command = ["apt-file", "search", *words]
    return sorted(cost(command, apt.environment)[0] for _ in range(SEARCHES))[SEARCHES // 2]
