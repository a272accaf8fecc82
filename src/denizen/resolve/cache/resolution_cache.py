"""Earlier resolutions, valid as long as every input that they depend on is unchanged.

One file for each question, named by a hash of the roots, the additional requests and the suites. It holds the
inputs of the answer and the answer:

    DIGEST LF MARSHAL   SHA-256 of the rest, in hex; then Python's marshal of a tuple of
      circumstances     the indexes (their identities and the stamps of their files), denizen's code and rules
      trace             {(question, path): answer} for all questions asked of the file tree (trace.py)
      resolution        as `encoded` writes it

An answer is used only if all of these are unchanged. marshal is for data that this user wrote, as .pyc files
are: a file that another user could have written is ignored, and one whose digest is wrong. It reads 130
packages in a quarter of JSON's time, because bytes and tuples need no marks.
No answer is kept if the file tree changed a moment ago: a second change within one tick of the kernel's clock
would not change a file's time. Limits: `MAX_QUESTIONS`, `MAX_SIZE`.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import time

from denizen.disk import make_directories, temporary_name
from denizen.resolve import resolution as records
from denizen.resolve.cache.trace import holds
from denizen.resolve.resolution import Resolution
from denizen.sha256 import Sha256, hex_digest_of
from denizen.trust import is_trusted
from denizen.value import Enum, Value, fields_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from denizen.fileview import FileView
    from denizen.resolve.cache.trace import TracedView

MAX_QUESTIONS = 100_000
MAX_SIZE = 64 << 20
# File systems count times in ticks of 1 to 10 ms; network file systems in whole seconds.
STILL_NS = 2_000_000_000
# Of the files' content. It is part of their names: files of another format are never opened.
FORMAT = 2
_MARSHAL_VERSION = 4
_HEX = 64


class Question(Value):
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
        asked = FORMAT, self.roots, self.added, self.extra, self.suites, self.given
        return hex_digest_of(ascii(asked).encode()).encode()


def lookup(directory: bytes, question: Question, view: FileView) -> Resolution | None:
    """Return the cached resolution if everything that it depends on is unchanged; else None."""
    content = _content(os.path.join(directory, question.file_name))
    if hex_digest_of(content[_HEX + 1 :]).encode() != content[:_HEX]:
        return None
    kept = marshal.loads(content[_HEX + 1 :])  # noqa: S302  # this user's own, and as it was written
    # Compared first: the rest may have another form if another version of denizen wrote it.
    if kept[0] != question.circumstances:
        return None
    _, trace, answer = kept
    if not holds(trace, view):
        return None
    made = decoded(answer)
    return made if isinstance(made, Resolution) else None


def keep(directory: bytes, question: Question, made: Resolution, traced: TracedView) -> None:
    """Store a resolution, if no input changed in the last moments; do nothing where it cannot be written."""
    if len(traced.trace) > MAX_QUESTIONS or traced.newest > time.time_ns() - STILL_NS:
        return
    kept: Any = question.circumstances, traced.trace, encoded(made)
    body = marshal.dumps(kept, _MARSHAL_VERSION)
    content = hex_digest_of(body).encode() + b"\n" + body
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
    digest = Sha256()
    for directory in directories:
        with os.scandir(directory) as entries:
            files = sorted(
                [(one.name, one.stat()) for one in entries if one.name.endswith((b".py", b".toml"))]
            )
        for name, facts in files:
            digest.update(b"%b %d %d %d\n" % (name, facts.st_ino, facts.st_size, facts.st_mtime_ns))
    return digest.digest().hex()


def encoded(one: object) -> object:
    """Return a record as marshal has it: a list of its class name and its fields."""
    if isinstance(one, tuple):
        return tuple([encoded(item) for item in one])
    if isinstance(one, Enum):
        return [type(one).__name__, one.value]
    if hasattr(one, "__fields__"):
        return [type(one).__name__, *[encoded(item) for item in fields_of(one)]]
    return one


def decoded(one: object) -> object:
    """Return the record that `encoded` was given."""
    # Most fields are bytes or numbers; to call this function for each would double its time.
    if isinstance(one, tuple):
        return tuple([decoded(item) if isinstance(item, (tuple, list)) else item for item in one])
    if isinstance(one, list):
        name, *fields = one
        return getattr(records, name)(
            *[decoded(item) if isinstance(item, (tuple, list)) else item for item in fields]
        )
    return one


def _content(path: bytes) -> bytes:
    """Return the content of a file that only this user or root could write.

    Return b"" for any other, or for none.
    """
    try:
        with open(path, "rb") as stream:
            facts = os.fstat(stream.fileno())
            return stream.read(MAX_SIZE) if is_trusted(facts) else b""
    except OSError:
        return b""


def _write(path: bytes, content: bytes) -> None:
    """Write the file by renaming a temporary one, without fsync: the digest reveals what a crash leaves."""
    temporary = temporary_name(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(content)
    os.rename(temporary, path)
