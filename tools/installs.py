#!/usr/bin/env python3
"""`make installs`: commands of real packages, chosen at random, installed and started.

    tools/installs.py [--count N] [--seed N] [--root DIR] [--details FILE] [--table FILE] [PACKAGE...]

Of the packages of the base suite that have a command, N are chosen by the seed. Each is installed into a
profile of its own by plain `denizen install`, and up to five of its commands are started with `--version`,
`--help` and the like. A command starts if one of these ends without a word of a loader, an interpreter or
denizen that something is missing. A package counts as good if all commands that were tried start. The closing
line is "N of N packages, N of N commands". With --details, what was tried already is not tried again.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from denizen.app.session import Session
from denizen.app.supply.configured_sources import configured_settings
from denizen.app.supply.ensure_index import ensure
from denizen.app.supply.open_index import open_index
from denizen.app.supply.own_architecture import own_architecture
from denizen.cli.command import OutputReporter
from denizen.cli.output import Output
from denizen.index.locate import BIN_DIRECTORIES
from denizen.sources.base import Scope
from denizen.sources.fetch_policy import FetchPolicy

TRIALS = (("--version",), ("--help",), ("-h",), ("-V",), ("-version",), ())
COMMANDS_EACH = 5
SECONDS = 15
# What loaders, interpreters and denizen say when a file of theirs is not there.
_LACKING = re.compile(
    r"error while loading shared libraries|cannot open shared object|symbol lookup error"
    r"|version `\S+' not found|bad interpreter|required file not found|^denizen: "
    r"|ModuleNotFoundError|ImportError|Can't locate \S+ in @INC|cannot load such file"
    r"|NoClassDefFoundError|Could not find or load main class|Cannot find module"
    r"|Could not find module|can't find package|cannot execute: |/usr/\S+: No such file or directory"
    r"|/usr/\S+: not found|exec: \S+: not found",
    re.MULTILINE,
)
# A window has nowhere to go here: the program is there.
_NO_DISPLAY = re.compile(r"(?i)display|\bX11\b|xcb|wayland|terminal")
_FATAL = {-4: "SIGILL", -6: "SIGABRT", -7: "SIGBUS", -8: "SIGFPE", -11: "SIGSEGV", -31: "SIGSYS"}


@dataclass(frozen=True)
class PackageTrial:
    """What became of one package; `commands` has the cause of each that does not start, else ""."""

    name: str
    error: str
    commands: dict[str, str]
    count: int
    seconds: float


def main() -> int:
    arguments = _arguments()
    root = arguments.root.absolute()
    names = arguments.packages or chosen(root, arguments.count, arguments.seed)
    known = _read(arguments.details)
    rows: list[PackageTrial] = []
    for number, name in enumerate(names, 1):
        row = known.get(name) or tried(root, name)
        rows.append(row)
        bad = [f"{command}: {cause}" for command, cause in row.commands.items() if cause]
        print(f"{number} {name}: {row.error or '; '.join(bad) or 'good'}", flush=True)
        if arguments.details and name not in known:
            with arguments.details.open("a") as stream:
                stream.write(json.dumps(asdict(row)) + "\n")
    if arguments.table:
        arguments.table.write_text("\n".join(failures(rows)) + "\n")
    print(summary(rows))
    return 0


def chosen(root: Path, count: int, seed: int) -> list[str]:
    """The packages of the base suite by the seed, of those with a command."""
    session = Session(
        os.environ, os.fspath(root), OutputReporter(Output(sys.stdout, sys.stderr), lambda: None)
    )
    suites = configured_settings(session)[0].suites[:1]
    ensure(session, suites, own_architecture(), Scope.PATHS, FetchPolicy())
    index = open_index(session, own_architecture(), suites)
    found = {
        place.package.decode()
        for directory in BIN_DIRECTORIES[:5]
        for place in index.paths(b"/" + directory + b"/*", glob=True)
    }
    return random.Random(seed).sample(sorted(found), count)  # noqa: S311  # a corpus that is the same each time


def tried(root: Path, name: str) -> PackageTrial:
    """Install a package into a profile of its own and start its commands; the profile is deleted then."""
    profile = root / "state" / "profiles" / "corpus"
    wipe = [*_denizen(root), "profile", "wipe", "--profile", "corpus"]
    if profile.is_symlink():  # a run that was ended left it
        subprocess.run(wipe, capture_output=True, check=True)
    words = [*_denizen(root), "install", name, "--profile", "corpus", "--json", "-q"]
    begun = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    seconds = round(time.monotonic() - begun, 1)
    if done.returncode:
        return PackageTrial(name, done.stderr.strip()[-600:] or f"status {done.returncode}", {}, 0, seconds)
    commands = sorted(path.name for path in (profile / "bin").iterdir()) if (profile / "bin").is_dir() else []
    preferred = sorted(commands, key=lambda command: (command != name, command))[:COMMANDS_EACH]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        causes = {command: lack_of(profile / "bin" / command, home) for command in preferred}
    subprocess.run(wipe, capture_output=True, check=True)
    return PackageTrial(name, "", causes, len(commands), seconds)


def lack_of(program: Path, home: str) -> str:
    """Why a command does not start with an empty directory for its home; "" where it does."""
    causes = []
    for words in TRIALS:
        cause = _start(program, words, home)
        if not cause:
            return ""
        causes.append(cause)
    return causes[0]


def _start(program: Path, words: Sequence[str], home: str) -> str:
    environment = {**os.environ, "HOME": home, "TERM": "dumb"}
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        environment.pop(name, None)
    try:
        done = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env=environment,
            cwd=home,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return ""  # it runs
    text = (done.stdout + done.stderr).decode(errors="replace")
    lacking = _LACKING.search(text)
    if lacking:
        line = next(line for line in text.splitlines() if lacking.group() in line)
        return line.strip()[:300]
    if done.returncode in _FATAL:
        return "" if _NO_DISPLAY.search(text) else _FATAL[done.returncode]
    return f"status {done.returncode}" if done.returncode in {126, 127} else ""


def failures(rows: Sequence[PackageTrial]) -> Iterator[str]:
    """The lines of a table of what did not start."""
    yield "| package | command | cause |"
    yield "|---|---|---|"
    for row in rows:
        if row.error:
            yield f"| {row.name} | (not installed) | {_cell(row.error.splitlines()[0])} |"
        for command, cause in row.commands.items():
            if cause:
                yield f"| {row.name} | {command} | {_cell(cause)} |"


def summary(rows: Sequence[PackageTrial]) -> str:
    """The closing line."""
    commands = [cause for row in rows for cause in row.commands.values()]
    good = sum(not row.error and not any(row.commands.values()) for row in rows)
    return f"{good} of {len(rows)} packages, {commands.count('')} of {len(commands)} commands"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")[:160]


def _denizen(root: Path) -> list[str]:
    return [sys.executable, "-m", "denizen", "--root", os.fspath(root)]


def _read(path: Path | None) -> dict[str, PackageTrial]:
    if path is None or not path.exists():
        return {}
    rows = [PackageTrial(**json.loads(line)) for line in path.read_text().splitlines()]
    return {row.name: row for row in rows}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("packages", nargs="*")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--root", type=Path, default=Path("build/installs"))
    parser.add_argument("--details", type=Path, help="JSON lines; what is in it is not tried again")
    parser.add_argument("--table", type=Path, help="a table of what did not start")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
