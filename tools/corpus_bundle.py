#!/usr/bin/env python3
"""`make corpus-bundle`: programs that others published, bundled, on hosts that lack things.

    tools/corpus_bundle.py [--list NAME] [--host NAME]... [--root DIR] [--details FILE] [ID...]

Each program is bundled here with its whole directory (`denizen bundle --tree`), and the bundle is started
twice on each host, with nothing else of denizen's there. For a library that a Python opens, the Python is
bundled, with what the library needs. Prints a line for each, then the table.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.corpus.entries import LISTS, Entry, load
from tests.corpus.fetching import fetch
from tests.corpus.smoke import Result, absent_word, judge, placing, start_entry
from tests.corpus.table import table
from tests.support.hosts import HOSTS, Host, HostDirectories, Outcome
from tests.support.kept_files import kept_by_tests
from tests.support.python_prefix import python_prefix

_HOSTS = ["bare root", "no user namespaces", "container", "noexec /tmp", "read-only root"]
_MACHINE = "x86-64"


def main() -> int:
    arguments = _arguments()
    entries = [one for one in load(arguments.corpus) if _is_meant(one, arguments.ids)]
    results: list[Result] = []
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="denizen-bundles-") as made:
        for entry in entries:
            fetch(entry, arguments.programs)
            bundle = Path(made) / entry.id
            problem = _bundle(entry, bundle, arguments)
            if problem:
                refused[entry.id] = problem
                print(f"{entry.id:22} NOT BUNDLED  {problem}", flush=True)
                continue
            print(f"{entry.id:22} bundled, {bundle.stat().st_size / 1e6:.1f} MB", flush=True)
            results += _on_hosts(entry, bundle, arguments)
            bundle.unlink()
    print(table(results, arguments.host or _HOSTS))
    results = [one for one in results if not one.absent]
    failed = sum(not one.passed for one in results)
    print(f"{len(results) - failed} passed, {failed} failed, {len(refused)} programs not bundled")
    if arguments.details:
        rows = [{"id": one.entry.id, "host": one.host, "problem": one.problem} for one in results]
        arguments.details.write_text(json.dumps({"starts": rows, "refused": refused}, indent=1))
    return 1 if failed or refused else 0


def _is_meant(entry: Entry, ids: list[str]) -> bool:
    return entry.machine == _MACHINE and not entry.refusal and (not ids or entry.id in ids)


def _is_started(entry: Entry) -> bool:
    """Tell whether the entry is a program; else a Python opens it."""
    return entry.smoke.arguments[0] == "{bin}"


def _bundle(entry: Entry, bundle: Path, arguments: argparse.Namespace) -> str:
    """Bundle the program; return why that failed, "" if it did not."""
    top = arguments.programs / entry.directory
    what = [top / entry.program, "--tree", top]
    if not _is_started(entry):
        prefix = python_prefix()
        what = [prefix / "bin" / "python3", "--tree", prefix, "--with", top / entry.program]
    command = [sys.executable, "-m", "denizen", "-q", *(["--root", arguments.root] if arguments.root else [])]
    command += ["bundle", *what, "-o", bundle, "--level", arguments.level]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else " ".join(done.stderr.split())[-300:] or str(done.returncode)


def _on_hosts(entry: Entry, bundle: Path, arguments: argparse.Namespace) -> Iterator[Result]:
    for name in arguments.host or _HOSTS:
        with tempfile.TemporaryDirectory(prefix="denizen-corpus-") as place:
            root, work = Path(place) / "root", Path(place) / "work"
            for directory in (root, work):
                directory.mkdir(mode=0o777)
                directory.chmod(0o777)
            (root / entry.id).hardlink_to(bundle)
            host = HOSTS[name](HostDirectories(root, arguments.programs, work))
            result = _try_out(entry, host, HostDirectories(root, arguments.programs, work))
            print(f"{entry.id:22} {name:20} {_verdict(result)}", flush=True)
            yield result


def _verdict(result: Result) -> str:
    if result.absent:
        return f"n/a: {result.absent} is not there"
    said = (result.last.err.strip() or result.last.out.strip()).splitlines()
    return f"{result.problem}: {said[-1][:150] if said else ''}" if result.problem else "ok"


def _try_out(entry: Entry, host: Host, outside: HostDirectories) -> Result:
    """Start the bundle twice: the first start unpacks it."""
    words = (str(host.directories.root / entry.id), *entry.smoke.arguments[1:])
    # What is unpacked outlives the work directory, which is emptied before each start.
    bundled = replace(
        entry, smoke=replace(entry.smoke, arguments=words, environment=_with_cache(entry, host))
    )
    cold = _start(bundled, host, outside)
    problem = judge(entry, cold)
    absent = absent_word(entry, host) if problem else ""
    if absent:
        return Result(entry, host.name, problem, cold, absent=absent)
    warm = None if problem else _start(bundled, host, outside)
    return Result(entry, host.name, problem or (judge(entry, warm) if warm else ""), cold, warm)


def _with_cache(entry: Entry, host: Host) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(host.directories.root / "cache"), **entry.smoke.environment}


def _start(entry: Entry, host: Host, outside: HostDirectories) -> Outcome:
    words = list(map(placing(entry, host), entry.smoke.arguments))
    return start_entry(entry, host, outside, words, max(60.0, entry.smoke.timeout))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these programs")
    parser.add_argument(
        "--list", dest="corpus", type=lambda name: LISTS.get(name) or Path(name), default=LISTS["programs"],
        metavar="NAME", help="one of: " + ", ".join(LISTS),
    )  # fmt: skip
    parser.add_argument("--host", action="append", choices=list(HOSTS), help="one of: " + ", ".join(HOSTS))
    parser.add_argument("--programs", type=Path, default=kept_by_tests() / "corpus" / "programs")
    parser.add_argument("--root", type=Path, help="denizen's root, with packages fetched before")
    parser.add_argument("--level", default="3", help="of compression: the table is about starts")
    parser.add_argument("--details", type=Path, help="write all problems there, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
