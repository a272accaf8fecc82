#!/usr/bin/env python3
"""`make first-starts`: programs that others published, started at one moment by a denizen that has nothing.

    tools/first_starts.py [--count N] [--rounds N] [--indexed] [--host NAME] [ID...]

Each round begins with an empty root: no packages, no store, no decisions, and no index but with `--indexed`.
The programs are the first of the corpus that run on x86-64 with glibc; what each must do is written there.
Prints a line for each start that went wrong, below it all that the start said, and a line for each round; its
closing line is "N of M right".
"""

import argparse
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.corpus.entries import Entry, load
from tests.corpus.fetching import fetch
from tests.corpus.smoke import Result, first_start
from tests.support.hosts import HOSTS, HostDirectories
from tests.support.kept_files import kept_by_tests
from tests.support.local_mirror import mirrored_archive
from tests.support.real_archive import keep_indexes, lend, real_archive


def main() -> int:
    arguments = _arguments()
    entries = _entries(arguments.ids, arguments.count)
    for entry in entries:
        fetch(entry, arguments.programs)
    right = tried = 0
    for number in range(1, arguments.rounds + 1):
        begun = time.monotonic()
        results = run_round(entries, arguments)
        passed = sum(result.passed for result in results)
        for result in results:
            if not result.passed:
                print(told(result), flush=True)
        took = time.monotonic() - begun
        print(f"round {number}: {passed} of {len(results)} right, {took:.0f} s", flush=True)
        right, tried = right + passed, tried + len(results)
    print(f"{right} of {tried} right")
    return 0 if right == tried else 1


def run_round(entries: Sequence[Entry], arguments: argparse.Namespace) -> list[Result]:
    """Start every program once, at one moment, with an empty root that all share."""
    with tempfile.TemporaryDirectory(prefix="denizen-first-") as name:
        root = Path(name, "root")
        root.mkdir()
        if arguments.indexed:
            _lend_indexes(root)
        together = threading.Barrier(len(entries))

        def start(entry: Entry) -> Result:
            work = Path(name, "work", entry.id)
            work.mkdir(parents=True)
            directories = HostDirectories(root, arguments.programs, work)
            host = HOSTS[arguments.host](directories)
            together.wait()
            return first_start(entry, host, directories)

        with mirrored_archive(root), ThreadPoolExecutor(len(entries)) as pool:
            return list(pool.map(start, entries))


def _lend_indexes(root: Path) -> None:
    context = real_archive()
    keep_indexes(context)
    lend(context, root)
    shutil.rmtree(root / "cache/packages", ignore_errors=True)


def _entries(ids: Sequence[str], count: int) -> list[Entry]:
    if ids:
        return [entry for entry in load() if entry.id in ids]
    return [one for one in load() if one.machine == "x86-64" and not one.musl and not one.refusal][:count]


def told(result: Result) -> str:
    """Return what is wrong with a start, and below it the whole text of both its streams."""
    lines = [f"FAIL {result.entry.id}: {result.problem} (status {result.cold.status})"]
    for name, text in (("stderr", result.cold.err), ("stdout", result.cold.out)):
        lines += [f"    {name}: {line}" for line in text.splitlines()]
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="these programs")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--indexed", action="store_true", help="with the tests' kept indexes of the archive")
    parser.add_argument("--host", default="bare root", choices=list(HOSTS))
    parser.add_argument("--programs", type=Path, default=kept_by_tests() / "corpus" / "programs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
