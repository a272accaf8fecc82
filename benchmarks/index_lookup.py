"""Questions inside a process that has the index open, beside one `apt-file search` of the same.

Claims (issue 4): a soname within 100 us over 10,000 random ones, a glob over all paths within 1 s, and 1,000
times as fast as apt-file.
"""

import os
import random
import statistics
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.indexes import ARCHITECTURE, apt_file, configure, cost, mirror, update
from benchmarks.stores import seconds
from benchmarks.support import median_seconds, table
from denizen.index.library_index import LibraryIndex
from denizen.index.locate import Index

LOOKUPS = 10_000
GLOBS = (b"**/libssl.so.*", b"/usr/include/**/png.h", b"/usr/share/**/*.desktop", b"*conv*rt*", b"/usr/bin/*")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="denizen-lookup-") as top, mirror() as address:
        root = Path(top) / "denizen"
        configure(root, address)
        cost(update(root, "--paths"))
        apt = apt_file(Path(top) / "apt", address)
        theirs = 0.0
        if apt is not None:
            apt.run("apt-file", "update")
            path = "/usr/lib/x86_64-linux-gnu/libssl.so.3"
            theirs = cost(["apt-file", "search", "-F", path], apt.environment)[0]
        _measure(os.fsencode(root / "cache/index"), theirs)


def _measure(directory: bytes, theirs: float) -> None:
    opening = median_seconds(lambda: _ask_once(directory), repeats=20)
    index = Index(directory, ARCHITECTURE)
    sonames = _some_sonames(directory, index)
    each = statistics.median(_asked_anew(directory, sonames) for _ in range(3)) / LOOKUPS
    known = median_seconds(lambda: [index.knows(name) for name in sonames], repeats=3) / LOOKUPS
    rows = [("", "us", "apt-file search is")]
    for name, taken in (
        ("open, and the first soname", opening),
        (f"a soname, ranked, mean of {LOOKUPS:,}", each),
        ("whether anybody has it", known),
    ):
        rows.append((name, f"{taken * 1e6:,.0f}", f"{theirs / taken:,.0f} x" if theirs else ""))
    for glob in GLOBS:
        hits = _glob(index, glob)
        taken = seconds(partial(_glob, index, glob))
        name = f"{glob.decode()} ({len(hits):,} of all paths)"
        rows.append((name, f"{taken * 1e6:,.0f}", f"{theirs / taken:,.0f} x" if theirs else ""))
    print(table(rows))
    index.close()


def _glob(index: Index, glob: bytes) -> list[object]:
    return [*(index.paths(glob, glob=True) if b"/" in glob else index.files(glob))]


def _asked_anew(directory: bytes, sonames: list[bytes]) -> float:
    """Seconds for all, by an index that has answered nothing yet: what was asked is remembered."""
    index = Index(directory, ARCHITECTURE)
    taken = seconds(lambda: [index.providers(name) for name in sonames])
    index.close()
    return taken


def _ask_once(directory: bytes) -> None:
    index = Index(directory, ARCHITECTURE)
    index.providers(b"libssl.so.3")
    index.close()


def _some_sonames(directory: bytes, index: Index) -> list[bytes]:
    """One in ten of what is asked for is nobody's."""
    libraries = LibraryIndex(os.path.join(directory, index.entries[0].libraries.encode()))
    names = sorted(set(libraries.sonames()))
    libraries.close()
    chance = random.Random(1)
    chosen = chance.choices(names, k=LOOKUPS)
    return [name if number % 10 else b"libnobodys" + name[3:] for number, name in enumerate(chosen)]
