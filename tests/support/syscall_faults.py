"""Injection of a fault into one system call of a store operation, by a seccomp filter or strace."""

import errno
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from tests.support import untraced
from tests.support.peers import require
from tests.support.read_only_trees import delete
from tests.support.supervised_calls import KILLED

# Everything that goes to a file system, but for the memory that Python maps.
CALLS = "%file,%desc,syncfs,flock,fallocate,sync"
_NOT_FILES = frozenset({"mmap", "dup", "dup2", "poll", "ioctl"})
# Calls for which a disk can be full (their manual pages name ENOSPC).
FULL = frozenset(
    {
        "openat", "mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
        "symlinkat", "write", "pwrite64", "writev", "fsync", "fdatasync", "syncfs", "ftruncate", "fallocate",
    }
)  # fmt: skip
# A kill at any other call leaves what a kill at the next of these does: they alone change a file system.
CHANGING = FULL | {"unlink", "unlinkat", "rmdir", "chmod", "fchmod", "fchmodat", "fchown", "utimensat"}

_UNFINISHED = " <unfinished ...>"

# As strace calls them, and the number of the error.
FAULTS = {
    "killed": ("signal=SIGKILL", KILLED),
    "EIO": ("error=EIO", errno.EIO),
    "ENOSPC": ("error=ENOSPC", errno.ENOSPC),
}


@contextmanager
def directory_in_memory() -> Iterator[Path]:
    """A directory in memory where there is one: with the same system calls, and no disk to wait for."""
    memory = Path("/dev/shm")  # a tmpfs on every Linux
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as directory:
        yield Path(directory)


def finished_calls(log: str) -> list[str]:
    """The system calls of a log of `strace -f`, a line each, in the order in which they returned.

    While another thread's call is told, strace writes a call in two: `PID name(... <unfinished ...>`, and
    `PID <... name resumed>...` when it returns.
    """
    begun: dict[str, str] = {}
    calls = []
    for line in log.splitlines():
        process = line.partition(" ")[0]
        if line.endswith(_UNFINISHED):
            begun[process] = line.removesuffix(_UNFINISHED)
        else:
            rest = re.sub(r"^\d+ +<\.\.\. \w+ resumed>", "", line)
            calls.append(line if rest == line else begun.pop(process, "") + rest)
    return calls


def fresh(base: Path, place: Path) -> Path:
    """A copy of what was prepared, to damage."""
    root = place / "root"
    if root.exists():
        delete(root)
    subprocess.run(["cp", "-a", base, root], check=True)
    return root


class Operations:
    """The server of tests.support.store_operations."""

    def __init__(self) -> None:
        require("strace")
        environment = untraced.environment() | {"PYTHONPATH": os.pathsep.join(sys.path)}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.support.store_operations"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        ready = self._answer()
        assert ready in ("supervised", "traced")
        self._supervised = ready == "supervised"

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def run(self, operation: str, root: Path, *strace: str) -> int:
        """The operation's status, run below strace with these options."""
        self._ask("stopped", operation, root)
        child = int(self._answer())
        command = ["strace", "-f", "-p", str(child), "-e", "signal=none", *strace]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as tracer:
            assert tracer.stderr is not None
            _await_attached(tracer.stderr)
            os.kill(child, signal.SIGCONT)
            tracer.stderr.read()
        return int(self._answer())

    def plainly(self, operation: str, root: Path) -> int:
        """Its status, run by itself."""
        self._ask("plainly", operation, root)
        return int(self._answer())

    def faults(
        self,
        operation: str,
        fault: str,
        calls: Counter[str],
        among: Collection[str],
        prepared: Callable[[], Path],
    ) -> Iterator[tuple[Path, int, str]]:
        """The root, the status and a name of each run in which one of `calls` met the fault.

        `among` are the names of the calls that meet it; `prepared` gives a root that is whole.
        """
        chosen = [
            (name, number)
            for name, count in sorted(calls.items())
            for number in (range(1, count + 1) if name in among else ())
        ]
        return self.chosen_faults(operation, fault, chosen, prepared)

    def chosen_faults(
        self, operation: str, fault: str, calls: Iterable[tuple[str, int]], prepared: Callable[[], Path]
    ) -> Iterator[tuple[Path, int, str]]:
        """As `faults`, for calls that are chosen by name and number."""
        for name, number in calls:
            root = prepared()
            status = self._faulty(operation, root, fault, name, number)
            yield root, status, f"{operation}: {fault} at {name} number {number}: status {status}"

    def calls(self, operation: str, root: Path, log: Path) -> Counter[str]:
        """How often it makes each system call that goes to a file system.

        The most that any of its threads or processes does: strace counts them for each.
        """
        assert self.run(operation, root, "-e", f"trace={CALLS}", "-o", str(log)) == 0
        made = Counter(re.findall(r"^(\d+) +([a-z0-9_]+)\(", log.read_text(errors="replace"), re.MULTILINE))
        most: Counter[str] = Counter()
        for (_, name), count in made.items():
            if name not in _NOT_FILES:
                most[name] = max(most[name], count)
        return most

    def _faulty(self, operation: str, root: Path, fault: str, name: str, number: int) -> int:
        injected, error = FAULTS[fault]
        if not self._supervised:
            inject = ("-e", f"trace={name}", "-e", f"inject={name}:{injected}:when={number}")
            return self.run(operation, root, *inject, "-o", "/dev/null")
        self._ask("faulty", operation, root, name, number, error)
        return int(self._answer())

    def _ask(self, *words: object) -> None:
        assert self._server.stdin is not None
        self._server.stdin.write("\t".join(map(str, words)) + "\n")
        self._server.stdin.flush()

    def _answer(self) -> str:
        assert self._server.stdout is not None
        return self._server.stdout.readline().strip()


def _await_attached(stream: IO[bytes]) -> None:
    line = stream.readline()
    assert b"attached" in line, line
