"""The same program natively and under `denizen run`: with denizen in front nothing starts worse than without.

The system's programs are asked for their version or help where no file system can be written; those of the
corpus do what their entries say. Two native runs tell what differs from run to run, which is not compared.
"""

import os
import random
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.hosts import Host, Outcome

SEED = 13
_TIMEOUT = 10.0
# The first start decides, and fetches where something is lacking.
_COLD_TIMEOUT = 600.0
_DIRECTORIES = ("/usr/local/bin", "/usr/bin", "/bin")
# They change what no read-only file system protects, talk to others' processes, or wait for a terminal.
_LEFT_OUT = re.compile(
    r"reboot|halt|poweroff|shutdown|kill|systemctl|loginctl|login|passwd|su$|sudo|dbus|ssh-agent|gpg-agent|"
    r"wall|write|mesg|init|tset|reset|script|screen|tmux|yes|watch|top|dialog|newgrp|sg$|nsenter|unshare|"
    r"denizen|bwrap|docker|podman|pytest|x-terminal|xterm|nix"
)
# Of those that are chosen they alone do not end, asked for version or help: one waits for a display, the
# other computes for minutes. There is nothing to compare, which took half a minute each to find out.
_ENDLESS = re.compile(r"jconsole$|llvm-PerfectShuffle")
_NUMBERS = re.compile(rb"0x[0-9a-f]+|\d+")


@dataclass(frozen=True)
class Difference:
    """What a program did under denizen and not natively.

    Attributes:
        what: of what kind: "status", "stdout", "stderr".
        start: "first" or "second".
    """

    program: str
    start: str
    what: str
    natively: str
    under: str

    def __str__(self) -> str:
        shown = (text.strip()[-300:] for text in (self.natively, self.under))
        return "{}, {} start: {}\n  natively: {}\n  under denizen: {}".format(
            self.program, self.start, self.what, *shown
        )


def system_programs(count: int) -> list[Path]:
    """Return executables of the system's directories, the same ones each time."""
    found: dict[str, Path] = {}
    for directory in map(Path, _DIRECTORIES):
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            ordinary = path.is_file() and os.access(path, os.X_OK) and not path.stat().st_mode & 0o6000
            if ordinary and not _LEFT_OUT.match(path.name):
                found.setdefault(path.name, path)
    names = sorted(found)
    chosen = random.Random(SEED).sample(names, min(count, len(names)))
    return [found[name] for name in sorted(chosen) if not _ENDLESS.match(name)]


def compare_system_program(path: Path, host: Host) -> list[Difference]:
    """Ask it for its version, or for help where that is no word of its."""

    def start(words: Sequence[str | Path], timeout: float) -> Outcome:
        with tempfile.TemporaryDirectory(dir=host.directories.work) as work:
            return host.run(words, env={"HOME": work}, cwd=Path(work), timeout=timeout)

    first = start([path, "--version"], _TIMEOUT)
    words = [path, "--version" if first.status == 0 else "--help"]
    return compare(path.name, host, words, start)


def compare(
    name: str,
    host: Host,
    words: Sequence[str | Path],
    start: Callable[[Sequence[str | Path], float], Outcome],
) -> list[Difference]:
    """Return what differs of two starts under denizen; nothing where the native ones fail to end."""
    natively: list[Outcome] = []
    for _ in range(2):
        natively.append(start(words, _TIMEOUT))
        if natively[-1].status is None:
            return []
    command = host.denizen("run", "--", *map(str, words))
    found = [
        *_differences(name, "first", natively, start(command, _COLD_TIMEOUT)),
        # With as much patience: a machine may be busier than it was natively.
        *_differences(name, "second", natively, start(command, _COLD_TIMEOUT)),
    ]
    # What denizen says of a first start is on stderr.
    return [one for one in found if (one.start, one.what) != ("first", "stderr")]


def _differences(name: str, which: str, natively: Sequence[Outcome], under: Outcome) -> list[Difference]:
    parts: dict[str, Callable[[Outcome], bytes]] = {
        "status": lambda one: str(one.status).encode(),
        "stdout": lambda one: one.stdout,
        "stderr": lambda one: one.stderr,
    }
    found = []
    for what, part in parts.items():
        steady, *other = {_steady(part(one)) for one in natively}
        if not other and _steady(part(under)) != steady:
            shown = [os.fsdecode(part(one)) for one in (natively[0], under)]
            found.append(Difference(name, which, what, *shown))
    return found


def _steady(text: bytes) -> bytes:
    """Without numbers of processes, addresses and times; in status all counts."""
    return text if len(text) <= 4 else _NUMBERS.sub(b"0", text)
