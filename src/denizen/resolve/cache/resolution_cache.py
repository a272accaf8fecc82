"""Earlier resolutions, valid as long as every input that they depend on is unchanged.

One file for each question, named by a hash of the roots, the additional requests and the suites. It holds the
inputs of the answer and the answer:

    DIGEST LF JSON      SHA-256 of the JSON, in hex; then an array of
      circumstances     the indexes (their identities and the stamps of their files), denizen's code and rules
      trace         [question, path, answer] for all questions asked of the file tree (trace.py)
      resolution        as `encoded` writes it

An answer is used only if all of these are unchanged; a file that another user could have written is ignored.
No answer is kept if the file tree changed a moment ago: a second change within one tick of the kernel's clock
would not change a file's time. Limits: `MAX_QUESTIONS`, `MAX_SIZE`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time

from denizen.disk import make_directories
from denizen.resolve import resolution as records
from denizen.resolve.cache.trace import holds
from denizen.resolve.resolution import Resolution
from denizen.value import Enum, fields_of, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.fileview import FileView
    from denizen.resolve.cache.trace import Trace, TracedView

MAX_QUESTIONS = 100_000
MAX_SIZE = 64 << 20
# File systems count times in ticks of 1 to 10 ms; network file systems in whole seconds.
STILL_NS = 2_000_000_000
_HEX = 64


@value
class Question:
    """The key of a resolution in the cache.

    Attributes:
        roots, added, extra, suites, given: the resolver's arguments.
        circumstances: all other inputs as text, which differs where an input differs.
    """

    roots: tuple[bytes, ...]
    added: tuple[bytes, ...]
    extra: tuple[bytes, ...]
    suites: tuple[str, ...]
    circumstances: tuple[str, ...]
    given: tuple[bytes, ...] = ()

    @property
    def file_name(self) -> bytes:
        """The file name: a hash of the question without its circumstances.

        An answer in other circumstances replaces the older one.
        """
        asked = encoded((self.roots, self.added, self.extra, self.suites, self.given))
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest().encode()


def lookup(directory: bytes, question: Question, view: FileView) -> Resolution | None:
    """Return the cached resolution if everything that it depends on is unchanged; else None."""
    content = _content(os.path.join(directory, question.file_name))
    if hashlib.sha256(content[_HEX + 1 :]).hexdigest().encode() != content[:_HEX]:
        return None
    kept = json.loads(content[_HEX + 1 :])
    # Compared first: the rest may have another form if another version of denizen wrote it.
    if kept[0] != list(question.circumstances):
        return None
    _, trace, answer = kept
    told = {(asked, path.encode("latin-1")): one for asked, path, one in trace}
    if not holds(told, view):
        return None
    made = decoded(answer)
    return made if isinstance(made, Resolution) else None


def keep(directory: bytes, question: Question, made: Resolution, traced: TracedView) -> None:
    """Store a resolution, if no input changed in the last moments; do nothing where it cannot be written."""
    if len(traced.trace) > MAX_QUESTIONS or traced.newest > time.time_ns() - STILL_NS:
        return
    trace = [[asked, path.decode("latin-1"), told] for (asked, path), told in _sorted(traced.trace)]
    body = json.dumps([question.circumstances, trace, encoded(made)], separators=(",", ":")).encode()
    content = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    with contextlib.suppress(OSError):
        make_directories(directory, 0o700)
        _write(os.path.join(directory, question.file_name), content)


def stamp(path: bytes) -> str:
    """Return text that differs for a file and one that replaces it: inode, size, mtime in ns.

    Raises OSError.
    """
    facts = os.stat(path)
    return f"{facts.st_ino} {facts.st_size} {facts.st_mtime_ns}"


def code_stamps(directories: Sequence[bytes]) -> str:
    """Return a hash of the sizes and times of denizen's own code and rules in some directories.

    It differs for another version of denizen.
    """
    digest = hashlib.sha256()
    for directory in directories:
        for name in sorted(os.listdir(directory)):
            if name.endswith((b".py", b".toml")):
                digest.update(b"%b %b\n" % (name, stamp(os.path.join(directory, name)).encode()))
    return digest.hexdigest()


def encoded(one: object) -> object:
    """Return a record as JSON has it: bytes and text carry a mark of their type, a record its class name."""
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
    """Return the record that `encoded` was given."""
    if isinstance(one, str):
        return one[1:].encode("latin-1") if one[0] == "b" else one[1:]
    if isinstance(one, list):
        return tuple([decoded(item) for item in one])
    if isinstance(one, dict):
        ((name, fields),) = one.items()
        return getattr(records, name)(*[decoded(item) for item in fields])
    return one


def _sorted(trace: Trace) -> list[tuple[tuple[str, bytes], object]]:
    return sorted(trace.items(), key=lambda row: row[0])


def _content(path: bytes) -> bytes:
    """Return the content of a file that only this user or root could write.

    Return b"" for any other, or for none.
    """
    try:
        with open(path, "rb") as stream:
            facts = os.fstat(stream.fileno())
            trusted = facts.st_uid in (os.geteuid(), 0) and not facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            return stream.read(MAX_SIZE) if trusted else b""
    except OSError:
        return b""


def _write(path: bytes, content: bytes) -> None:
    """Write the file by renaming a temporary one, without fsync: the digest reveals what a crash leaves."""
    temporary = b"%b.%d" % (path, os.getpid())
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(content)
    os.rename(temporary, path)
