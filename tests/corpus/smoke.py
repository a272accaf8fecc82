"""Running one program of the corpus under plain `denizen run` on a host, and judging what it did."""

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.entries import Entry
from tests.corpus.likeness import Difference, compare
from tests.support.hosts import Host, HostDirectories, Outcome

# The first start fetches and unpacks, besides running.
COLD_TIMEOUT = 600.0
_LOADER_ERRORS = re.compile(r"error while loading shared libraries|version `[^']*' not found")


@dataclass(frozen=True)
class Result:
    """What became of one program on one host.

    Attributes:
        problem: "" where it did as it should.
        absent: a program of the host's that the command names and this host has not: it cannot be tried.
        cold: the first start; it resolves.
        warm: the second; None where the first went wrong.
    """

    entry: Entry
    host: str
    problem: str
    cold: Outcome
    warm: Outcome | None = None
    absent: str = ""

    @property
    def passed(self) -> bool:
        return not self.problem

    @property
    def counts(self) -> bool:
        """Whether it is one of those that the sum is about: programs of x86-64 and glibc."""
        return self.entry.machine == "x86-64" and not self.entry.musl and not self.absent

    @property
    def last(self) -> Outcome:
        return self.warm or self.cold


def try_out(entry: Entry, host: Host, directories: HostDirectories) -> Result:
    """Start it twice: the first start decides, the second must do within the entry's own time."""
    first = first_start(entry, host, directories)
    cold, problem = first.cold, first.problem
    absent = absent_word(entry, host) if problem else ""
    if absent:
        return Result(entry, host.name, problem, cold, absent=absent)
    if problem or entry.refusal:
        return Result(entry, host.name, problem, cold)
    warm = _smoke(entry, host, directories, entry.smoke.timeout)
    problem = judge(entry, warm)
    return Result(entry, host.name, f"second start: {problem}" if problem else "", cold, warm)


def first_start(entry: Entry, host: Host, directories: HostDirectories) -> Result:
    """Start it once, with the time that deciding takes."""
    cold = _smoke(entry, host, directories, COLD_TIMEOUT)
    return Result(entry, host.name, judge(entry, cold), cold)


def compare_entry(entry: Entry, host: Host, directories: HostDirectories) -> list[Difference]:
    """Return what an entry does otherwise under denizen; nothing where it fails natively."""
    words = list(map(placing(entry, host), entry.smoke.arguments))

    def start(command: Sequence[str | Path], timeout: float) -> Outcome:
        return start_entry(entry, host, directories, command, max(timeout, entry.smoke.timeout))

    if entry.refusal or judge(entry, start(words, 0.0)):
        return []
    return compare(entry.id, host, words, start)


def absent_word(entry: Entry, host: Host) -> str:
    """Return the program of the host's that the entry's command names and the host has not; "" for none."""
    return next((word for word in entry.smoke.arguments if _is_absent(word, host)), "")


def _is_absent(word: str, host: Host) -> bool:
    if not word.startswith("/"):
        return False
    code = "import os, sys; sys.exit(os.path.exists(sys.argv[1]))"
    return host.run([host.interpreter, "-c", code, word]).status == 0


def _smoke(entry: Entry, host: Host, directories: HostDirectories, timeout: float) -> Outcome:
    """Start it by `denizen run`."""
    place = placing(entry, host)
    command = host.denizen("run", "--", *map(place, entry.smoke.arguments))
    return start_entry(entry, host, directories, command, timeout)


def start_entry(
    entry: Entry, host: Host, directories: HostDirectories, command: Sequence[str | Path], timeout: float
) -> Outcome:
    """Start a command for an entry.

    `directories` is where the host's directories lie outside; the work directory is emptied before.
    """
    for path in directories.work.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for name, content in entry.smoke.files.items():
        (directories.work / name).parent.mkdir(parents=True, exist_ok=True)
        (directories.work / name).write_bytes(content)
    place = placing(entry, host)
    environment = {name: place(text) for name, text in entry.smoke.environment.items()}
    if host.environment:  # a host without any environment gives no HOME either
        environment.setdefault("HOME", str(host.directories.work))
    directory = Path(place(entry.smoke.directory))
    return host.run(command, env=environment, cwd=directory, stdin=entry.smoke.stdin, timeout=timeout)


def placing(entry: Entry, host: Host) -> Callable[[str], str]:
    """Return a function that puts the host's directories into a word of the entry's command."""
    top = host.directories.programs / entry.directory
    places = {"bin": top / entry.program, "dir": top, "work": host.directories.work}
    places |= {one.name: host.directories.programs / one.directory for one in entry.companions}

    def place(text: str) -> str:
        for name, path in places.items():
            text = text.replace("{" + name + "}", str(path))
        return text

    return place


def judge(entry: Entry, outcome: Outcome) -> str:
    """What is wrong with an outcome, "" for nothing."""
    if entry.refusal:
        return _judge_refusal(entry.refusal, outcome)
    smoke = entry.smoke
    if outcome.status is None:
        return "it did not end in time"
    if smoke.status is None and outcome.status in (125, 126, 127):
        return f"exit status {outcome.status}"
    if smoke.status is not None and outcome.status != smoke.status:
        return f"exit status {outcome.status} and not {smoke.status}"
    if not re.search(smoke.stdout, outcome.out):
        return f"stdout lacks {smoke.stdout}"
    if not re.search(smoke.stderr, outcome.err):
        return f"stderr lacks {smoke.stderr}"
    found = _LOADER_ERRORS.search(outcome.err)
    return found[0] if found else ""


def _judge_refusal(name: str, outcome: Outcome) -> str:
    if outcome.status in (None, 0):
        return f"it is not refused but ends with status {outcome.status}"
    return "" if name in outcome.err else f"the refusal does not name {name}"
