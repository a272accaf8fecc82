#!/usr/bin/env python3
"""`make corpus`: programs that others published, under plain `denizen run`, on hosts that lack things.

    tools/corpus.py [--list NAME] [--host NAME]... [--table FILE] [--details FILE] [ID...]

Fetches each program into the tests' cache (2.6 GB for the list `programs`, the default; 2 GB for each forty)
with the registries' own clients. Prints a line for each start, then the table; its closing line is "N passed,
N failed".
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.corpus.entries import LISTS, Entry, load
from tests.corpus.fetching import fetch
from tests.corpus.smoke import Result, try_out
from tests.corpus.table import table
from tests.support.hosts import HOSTS, HostDirectories
from tests.support.kept_files import kept_by_tests
from tests.support.local_mirror import mirrored_archive

_DEFAULT_HOSTS = ["bare root"]
# Hosts that see the same paths as the same user share a store; what is decided is forgotten in between.
_STORES = {"as it is": "machine", "env -i": "machine", "another uid": "another"}
# Here nothing can be decided any more: run after one that shares its store.
_AS_LEFT = ("read-only store",)


def main() -> int:
    arguments = _arguments()
    entries = [entry for entry in load(arguments.corpus) if not arguments.ids or entry.id in arguments.ids]
    names = arguments.host or _DEFAULT_HOSTS
    for entry in entries:
        fetch(entry, arguments.programs)
    results = [result for name in names for result in run_on(name, entries, arguments)]
    if arguments.table:
        arguments.table.write_text(table(results, names))
    if arguments.details:
        arguments.details.write_text(json.dumps([_details(result) for result in results], indent=1))
    tried = [result for result in results if not result.absent]
    failed = sum(not result.passed for result in tried)
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


def run_on(name: str, entries: Sequence[Entry], arguments: argparse.Namespace) -> Iterable[Result]:
    """Every program on one host, which is made for it."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="denizen-corpus-")))
        directories = HostDirectories(_root_for(name, arguments), arguments.programs, work)
        stack.enter_context(mirrored_archive(directories.root))
        host = HOSTS[name](directories)
        for entry in entries:
            result = try_out(entry, host, directories)
            print(_line(result), flush=True)
            yield result


def _root_for(name: str, arguments: argparse.Namespace) -> Path:
    """Denizen's root; what was fetched for another is carried over, `--fresh` begins with nothing."""
    root: Path = arguments.roots / _STORES.get(name, "bare")
    others = [other for other in arguments.roots.glob("*/cache") if other.parent != root]
    if arguments.fresh:
        shutil.rmtree(root, ignore_errors=True)
    elif name not in _AS_LEFT:
        shutil.rmtree(root / "state", ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)
    if others and not arguments.fresh and not (root / "cache").exists():
        subprocess.run(["cp", "-a", "--reflink=auto", others[0], root / "cache"], check=True)
    return root


def _line(result: Result) -> str:
    warm = "" if result.warm is None else f"{result.warm.seconds:6.2f} s"
    verdict = "ok  " if result.passed else "n/a " if result.absent else "FAIL"
    said = (result.last.err.strip() or result.last.out.strip()).splitlines()
    why = "" if result.passed else f"  {result.problem}: {said[0][:150] if said else ''}"
    return f"{result.host:18} {result.entry.id:22} {verdict} {result.cold.seconds:7.2f} s {warm:9}{why}"


def _details(result: Result) -> dict[str, object]:
    last = result.last
    fields: dict[str, object] = {"id": result.entry.id, "host": result.host, "problem": result.problem}
    fields |= {"status": last.status, "absent": result.absent, "seconds": last.seconds}
    said = {"out": last.out[:4000], "err": last.err[:8000], "peak_kib": last.peak}
    return {**fields, **said, "cold": result.cold.seconds, "at": time.time()}


def _description(name: str) -> Path:
    return LISTS.get(name) or Path(name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these programs")
    parser.add_argument(
        "--list", dest="corpus", type=_description, default=LISTS["programs"], metavar="NAME",
        help="one of: " + ", ".join(LISTS) + "; or a file of the same form",
    )  # fmt: skip
    parser.add_argument("--host", action="append", choices=list(HOSTS), help="one of: " + ", ".join(HOSTS))
    parser.add_argument("--programs", type=Path, default=kept_by_tests() / "corpus" / "programs")
    parser.add_argument("--roots", type=Path, default=kept_by_tests() / "corpus" / "roots")
    parser.add_argument("--fresh", action="store_true", help="with an empty store")
    parser.add_argument("--table", type=Path, help="write the table there")
    parser.add_argument("--details", type=Path, help="write all that was printed there, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
