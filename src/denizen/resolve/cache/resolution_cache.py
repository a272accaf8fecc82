"""Resolutions that were made before, kept as long as everything they follow from is as it was.

One file for each question, named by its hash: the roots, what is asked for besides, and the suites. It holds
what the answer followed from and the answer:

    DIGEST LF JSON      SHA-256 of what follows it, in hex; then an array of
      circumstances     of the indexes (which, and the stamps of their files), of denizen's own code and rules
      testimony         [question, path, answer] of all that was asked of the file tree (`testimony`)
      resolution        as `encoded` writes it

It answers only where all of that still holds; a file that cannot be believed is as good as none. Nothing is
kept of a tree that changed a moment ago: within one tick of the kernel's clock a second change would show no
other time. Limits: `MAX_QUESTIONS`, `MAX_SIZE`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from enum import Enum

from denizen.disk import make_directories
from denizen.resolve import resolution as records
from denizen.resolve.cache.trace import holds
from denizen.resolve.resolution import Resolution
from denizen.value import fields_of, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView
    from denizen.resolve.cache.trace import Testimony, Witness

MAX_QUESTIONS = 100_000
MAX_SIZE = 64 << 20
# File systems count times to a tick of 1 to 10 ms; over a network, to whole seconds.
STILL_NS = 2_000_000_000
_HEX = 64


@value
class Question:
    """What a resolution is the answer to.

    Attributes:
        roots, added, extra, suites, given: as the resolver is given them.
        circumstances: what else it depends on, in words that differ where it may.
    """

    roots: tuple[bytes, ...]
    added: tuple[bytes, ...]
    extra: tuple[bytes, ...]
    suites: tuple[str, ...]
    circumstances: tuple[str, ...]
    given: tuple[bytes, ...] = ()

    @property
    def file_name(self) -> bytes:
        """The same in other circumstances, whose answer then takes its place."""
        asked = encoded((self.roots, self.added, self.extra, self.suites, self.given))
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest().encode()


def recalled(directory: bytes, question: Question, view: FileView) -> Resolution | None:
    """The answer that was given before, if all it followed from is as it was."""
    content = _content(os.path.join(directory, question.file_name))
    if hashlib.sha256(content[_HEX + 1 :]).hexdigest().encode() != content[:_HEX]:
        return None
    kept = json.loads(content[_HEX + 1 :])
    # First of all, for what another version wrote may have another form from here on.
    if kept[0] != list(question.circumstances):
        return None
    _, testimony, answer = kept
    told = {(asked, path.encode("latin-1")): one for asked, path, one in testimony}
    if not holds(told, view):
        return None
    made = decoded(answer)
    return made if isinstance(made, Resolution) else None


def keep(directory: bytes, question: Question, made: Resolution, witness: Witness) -> None:
    """Keep an answer, if what it followed from has stood still for a while; where it cannot be, none is."""
    if len(witness.testimony) > MAX_QUESTIONS or witness.newest > time.time_ns() - STILL_NS:
        return
    testimony = [[asked, path.decode("latin-1"), told] for (asked, path), told in _sorted(witness.testimony)]
    body = json.dumps([question.circumstances, testimony, encoded(made)], separators=(",", ":")).encode()
    content = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    with contextlib.suppress(OSError):
        make_directories(directory, 0o700)
        _write(os.path.join(directory, question.file_name), content)


def stamp(path: bytes) -> str:
    """What tells a file from one that is made anew. Raises OSError."""
    facts = os.stat(path)
    return f"{facts.st_ino} {facts.st_size} {facts.st_mtime_ns}"


def code_stamps(directories: Sequence[bytes]) -> str:
    """What tells denizen's own code and rules from another version's, below some of its directories."""
    digest = hashlib.sha256()
    for directory in directories:
        for name in sorted(os.listdir(directory)):
            if name.endswith((b".py", b".toml")):
                digest.update(b"%b %b\n" % (name, stamp(os.path.join(directory, name)).encode()))
    return digest.hexdigest()


def encoded(one: object) -> object:
    """A record as JSON has it: text is marked by what it is, a record is named."""
    if isinstance(one, bytes):
        return "b" + one.decode("latin-1")
    if isinstance(one, str):
        return "s" + one
    if isinstance(one, tuple):
        return [encoded(item) for item in one]
    if isinstance(one, Enum):
        return {type(one).__name__: [encoded(one.value)]}
    if hasattr(one, "__fields__"):
        return {type(one).__name__: [encoded(item) for item in fields_of(one)]}
    return one


def decoded(one: object) -> object:
    """What `encoded` was given."""
    if isinstance(one, str):
        return one[1:].encode("latin-1") if one[0] == "b" else one[1:]
    if isinstance(one, list):
        return tuple([decoded(item) for item in one])
    if isinstance(one, dict):
        ((name, fields),) = one.items()
        return getattr(records, name)(*[decoded(item) for item in fields])
    return one


def _sorted(testimony: Testimony) -> list[tuple[tuple[str, bytes], object]]:
    return sorted(testimony.items(), key=lambda row: row[0])


def _content(path: bytes) -> bytes:
    """A file that this user or root wrote and nobody else could; b"" for none."""
    try:
        with open(path, "rb") as stream:
            facts = os.fstat(stream.fileno())
            trusted = facts.st_uid in (os.geteuid(), 0) and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            return stream.read(MAX_SIZE) if trusted else b""
    except OSError:
        return b""


def _write(path: bytes, content: bytes) -> None:
    """Whole or not at all; not made durable, for what a crash leaves of it has another digest."""
    temporary = b"%b.%d" % (path, os.getpid())
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(content)
    os.rename(temporary, path)
