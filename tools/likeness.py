#!/usr/bin/env python3
"""Programs natively and under `denizen run`, on this machine as it is: the same output and status.

    tools/likeness.py [--system COUNT] [--programs] [NAME...]

200 executables of the system, chosen by a fixed seed, and with --programs those of the corpus that start
natively. A part of `make corpus`; its closing line is "N alike, N differ".
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.corpus.entries import load
from tests.corpus.fetching import fetch
from tests.corpus.likeness import Difference, compare_system_program, system_programs
from tests.corpus.smoke import compare_entry
from tests.support.hosts import HostDirectories, as_it_is, read_only_root
from tests.support.kept_files import kept_by_tests
from tests.support.local_mirror import mirrored_archive


def main() -> int:
    arguments = _arguments()
    alike, differ = 0, 0
    with tempfile.TemporaryDirectory(prefix="denizen-likeness-") as work:
        arguments.root.mkdir(parents=True, exist_ok=True)
        directories = HostDirectories(arguments.root, kept_by_tests() / "corpus" / "programs", Path(work))
        directories.programs.mkdir(parents=True, exist_ok=True)
        with mirrored_archive(directories.root):
            for name, found in _all(arguments, directories):
                alike, differ = (alike, differ + 1) if found else (alike + 1, differ)
                for difference in found:
                    print(difference, flush=True)
                if arguments.verbose and not found:
                    print(f"{name}: alike", flush=True)
    print(f"{alike} alike, {differ} differ")
    return 1 if differ else 0


def _all(
    arguments: argparse.Namespace, directories: HostDirectories
) -> Iterator[tuple[str, list[Difference]]]:
    host = read_only_root(directories)
    for path in system_programs(arguments.system):
        if not arguments.names or path.name in arguments.names:
            yield path.name, compare_system_program(path, host)
    if not arguments.programs:
        return
    for entry in load():
        if not arguments.names or entry.id in arguments.names:
            fetch(entry, directories.programs)
            yield entry.id, compare_entry(entry, as_it_is(directories), directories)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these programs")
    parser.add_argument("--system", type=int, default=200, metavar="COUNT", help="so many of the system's")
    parser.add_argument("--programs", action="store_true", help="the corpus too")
    parser.add_argument("--root", type=Path, default=kept_by_tests() / "corpus" / "roots" / "likeness")
    parser.add_argument("--verbose", action="store_true", help="a line for each that is alike, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
