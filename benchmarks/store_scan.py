"""Looking for 20,000 hashes in the system's libraries: pure Python, hyperscan, a regular expression.

Claim (store/trees/reference_scanner.py): over 1,000 MB/s in pure Python, and hyperscan several times that.
"""

import os
import re
import sysconfig
import time
from collections.abc import Callable

from benchmarks.support import table
from denizen.store.trees.hyperscan_search import hyperscan_matcher
from denizen.store.trees.reference_scanner import ALPHABET, HASH_LENGTH, Scanner, runs_in

MOST, CHUNK = 300_000_000, 1 << 20


def main() -> None:
    data = libraries()
    hashes = [bytes(ALPHABET[byte % 32] for byte in os.urandom(HASH_LENGTH)) for _ in range(20_000)]
    pattern = re.compile(rb"[%b]{%d,}" % (ALPHABET, HASH_LENGTH))
    rows = [["", "MB/s"]]
    matchers = {"pure": runs_in, "hyperscan": hyperscan_matcher(), "regular expression": pattern.findall}
    for name, matcher in matchers.items():
        if matcher is None:
            rows.append([name, "not installed"])
            continue
        scanner = Scanner(hashes, matcher)
        rows.append([name, f"{len(data) / 1e6 / seconds(lambda s=scanner: feed(s, data)):,.0f}"])  # type: ignore[misc]  # bound now
    print(f"{len(data) / 1e6:.0f} MB")
    print(table(rows))


def libraries() -> bytes:
    directory = os.path.join("/usr/lib", sysconfig.get_config_var("MULTIARCH"))
    whole = bytearray()
    for entry in os.scandir(directory):
        if ".so" in entry.name and entry.is_file(follow_symlinks=False) and len(whole) < MOST:
            with open(entry.path, "rb") as stream:
                whole += stream.read()
    return bytes(whole)


def feed(scanner: Scanner, data: bytes) -> None:
    for start in range(0, len(data), CHUNK):
        scanner.feed(data[start : start + CHUNK])


def seconds(step: Callable[[], object]) -> float:
    before = time.perf_counter()
    step()
    return time.perf_counter() - before
