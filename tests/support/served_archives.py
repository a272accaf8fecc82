"""A denizen root whose only source is a test archive behind a faulty server; denizen runs as a process."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from denizen.app.supply.provenance_cache import NAME
from denizen.disk import make_directories
from denizen.formats.percent import path_as_word
from tests.support.debian_archive import Archive, keyring, sample
from tests.support.denizen_command import denizen
from tests.support.faulty_server import Server
from tests.support.untraced import environment


class ServedArchive:
    """The archive, its server, and denizen's root."""

    def __init__(self, directory: Path) -> None:
        self.archive = Archive(directory / "archive")
        sample(self.archive)
        self.server = Server(self.archive.root)
        self.root = directory / "root"
        self.key = directory / "key.gpg"
        self.key.write_bytes(keyring())

    def run(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """(stdout, stderr) of a command that ends with `status`."""
        done = denizen(self.root, *arguments, status=status)
        return done.stdout.decode(), done.stderr.decode()

    def start(self, *arguments: str, prepare: Callable[[], None] | None = None) -> "subprocess.Popen[bytes]":
        """A command that is not waited for; `prepare` runs in its process before it."""
        return subprocess.Popen(
            [sys.executable, "-m", "denizen", "--root", os.fspath(self.root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            preexec_fn=prepare,  # noqa: PLW1509  # limits of a process can be set nowhere else
        )

    def index_files(self) -> list[str]:
        """What lies in the directory of indexes, but what is only kept once the settings are 2 s old."""
        return sorted(set(os.listdir(self.root / "cache/index")) - {os.fsdecode(NAME)})


@contextmanager
def served(directory: Path) -> Iterator[ServedArchive]:
    """Return the server, with its archive configured as the source "debian"."""
    made = ServedArchive(directory)
    configured = made.root / "config/sources/debian.sources"
    make_directories(os.fsencode(configured.parent))
    with made.server:
        key = path_as_word(os.fsencode(made.key))
        configured.write_text(f"Types: deb\nURIs: {made.server.url}\nSuites: stable\nSigned-By: {key}\n")
        yield made


def interrupt(process: "subprocess.Popen[bytes]", kind: signal.Signals = signal.SIGINT) -> tuple[int, str]:
    """Return (exit status, stderr) of a process after a signal."""
    process.send_signal(kind)
    _, stderr = process.communicate(timeout=30)
    return process.returncode, stderr.decode()
