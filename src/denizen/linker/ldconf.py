"""`ld.so.conf`: the directories ldconfig puts into the cache (pure).

ld.so itself never reads it. A library in one of these directories that is not in the cache means that
ldconfig was not run.

Specification: ldconfig(8); glibc elf/ldconfig.c, parse_conf, parse_conf_include, add_dir_1.

    line = "include" BLANK pattern { BLANK pattern } | "hwcap" BLANK anything | directory [ "=" type ]

`#` starts a comment anywhere. Patterns are globs, relative ones from the including file's directory,
and their matches are read in the order of their bytes. A file is read at its first mention only.

Limits: MAX_DEPTH includes within one another, MAX_FILES files, MAX_DIRECTORIES directories, MAX_SIZE bytes
in all, MAX_PATTERN bytes a pattern, MAX_WORK for all patterns together; the rest is left out and
reported in `problems`.
"""

from __future__ import annotations

import posixpath

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView

MAX_DEPTH = 16
MAX_FILES = 512
MAX_DIRECTORIES = 4096
MAX_SIZE = 64 * 1024
MAX_PATTERN = 1024
# Cost of matching: bytes of names times (1 + stars in the pattern), plus 64 for each file system access.
MAX_WORK = 30_000
WORK_OF_A_LOOK = 64

_BLANK = b" \t"
_SPACE = b" \t\n\v\f\r"
_MAGIC = b"*?["


class Configuration(Value):
    """The content of ld.so.conf and the files it includes.

    Attributes:
        directories: in order of first mention, without trailing slashes.
        files: every file read, in order.
        problems: limits that were exceeded, in words.
    """

    directories: tuple[bytes, ...]
    files: tuple[bytes, ...]
    problems: tuple[str, ...] = ()


def read_configuration(view: FileView, path: bytes = b"/etc/ld.so.conf") -> Configuration:
    """Return the content of `path` and everything it includes; files that cannot be read count as empty."""
    reader = _ConfReader(view)
    reader.read(path, depth=0)
    return Configuration(tuple(reader.directories), tuple(reader.files), tuple(reader.problems))


class _ConfReader:
    def __init__(self, view: FileView) -> None:
        self._view = view
        self._size_left = MAX_SIZE
        self._work_left = MAX_WORK
        self.directories: dict[bytes, None] = {}
        self.files: dict[bytes, None] = {}
        self.problems: dict[str, None] = {}

    def read(self, path: bytes, *, depth: int) -> None:
        if path in self.files:
            return
        if depth > MAX_DEPTH or len(self.files) >= MAX_FILES:
            self._leave_out("includes")
            return
        try:
            content = bytes(self._view.read(path)[: self._size_left + 1])
        except (OSError, ValueError):
            return
        self.files[path] = None
        if len(content) > self._size_left:
            self._leave_out("bytes")
        content = content[: self._size_left]
        self._size_left -= len(content)
        for kind, words in parse_lines(content):
            if kind == b"include":
                for pattern in words:
                    self._include(path, pattern, depth)
            elif len(self.directories) < MAX_DIRECTORIES:
                self.directories[words[0]] = None
            else:
                self._leave_out("directories")

    def _include(self, including: bytes, pattern: bytes, depth: int) -> None:
        if len(pattern) > MAX_PATTERN:
            self._leave_out("bytes in a pattern")
            return
        if self._work_left <= 0:
            self._leave_out("patterns")
            return
        for path in self._expand(posixpath.join(posixpath.dirname(including), pattern)):
            self.read(path, depth=depth + 1)

    def _leave_out(self, what: str) -> None:
        self.problems[f"too many {what}"] = None

    def _expand(self, pattern: bytes) -> tuple[bytes, ...]:
        """Return the paths that match an absolute pattern, in the order of glob(3)'s C locale."""
        found = [b"/"]
        for component in pattern.split(b"/"):
            if component:
                found = [path for base in found for path in self._step(base, component)]
        return tuple(sorted(found))

    def _step(self, base: bytes, component: bytes) -> Iterator[bytes]:
        if not self._may_work(WORK_OF_A_LOOK):
            return
        if not any(byte in _MAGIC for byte in component):
            path = posixpath.join(base, component.replace(b"\\", b""))
            if _exists(self._view, path):
                yield path
            return
        cost = 1 + component.count(b"*")
        for name in _names_in(self._view, base):
            # A leading dot must be matched by a dot.
            hidden = name[:1] == b"." and component[:1] != b"."
            if not hidden and self._may_work(len(name) * cost) and matches(name, component):
                yield posixpath.join(base, name)

    def _may_work(self, amount: int) -> bool:
        if self._work_left <= 0:
            self._leave_out("patterns")
            return False
        self._work_left -= amount
        return True


def _exists(view: FileView, path: bytes) -> bool:
    try:
        view.stat(path)
    except (OSError, ValueError):
        return False
    return True


def _names_in(view: FileView, directory: bytes) -> tuple[bytes, ...]:
    try:
        return view.listdir(directory)
    except (OSError, ValueError):
        return ()


def parse_lines(content: bytes) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    """Yield (b"include", patterns) or (b"directory", (directory,)) for each line that is one of these."""
    for raw in content.split(b"\n"):
        # A NUL ends the line, as it ends a C string.
        line = raw.partition(b"\0")[0].partition(b"#")[0].lstrip(_SPACE)
        if not line:
            continue
        if line.startswith(b"include") and line[7:8] and line[7:8] in _BLANK:
            yield b"include", tuple(word for word in line[8:].replace(b"\t", b" ").split(b" ") if word)
        elif not (line[:5].lower() == b"hwcap" and line[5:6] and line[5:6] in _BLANK):
            directory = _directory(line)
            if directory:
                yield b"directory", (directory,)


def _directory(line: bytes) -> bytes:
    """Return the directory of a line by add_dir_1's rules; b"" where it is relative.

    `=TYPE` and trailing blanks are removed, then trailing slashes, which leaves nothing of "/". A relative
    directory is relative to where ldconfig was run, which is unknown.
    """
    path = line.partition(b"=")[0].rstrip(_SPACE).rstrip(b"/")
    return path if path.startswith(b"/") else b""


def matches(name: bytes, pattern: bytes) -> bool:
    """Return whether `name` matches one component of a pattern, by fnmatch(3): `*`, `?`, `[...]`, backslash.

    Takes time proportional to the product of the lengths.
    """
    at, place = 0, 0
    star, resume = -1, 0
    while at < len(name):
        width = _one(name[at], pattern, place) if pattern[place : place + 1] != b"*" else 0
        if width:
            at, place = at + 1, place + width
        elif pattern[place : place + 1] == b"*":
            star, resume = place, at
            place += 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return pattern[place:].strip(b"*") == b""


def _one(byte: int, pattern: bytes, place: int) -> int:
    """Return how many bytes of the pattern at `place` match `byte`; 0 if they do not."""
    if place >= len(pattern):
        return 0
    match pattern[place : place + 1]:
        case b"?":
            return 1
        case b"[":
            return _bracket(byte, pattern, place)
        case b"\\" if place + 1 < len(pattern):
            return 2 if pattern[place + 1] == byte else 0
        case _:
            return 1 if pattern[place] == byte else 0


def _bracket(byte: int, pattern: bytes, place: int) -> int:
    """Return the length of the bracket at `place` if it matches `byte`, else 0: `[abc]`, `[a-z]`, `[!a]`.

    Without its `]` the bracket matches itself.
    """
    start = place + 1
    negated = pattern[start : start + 1] in (b"!", b"^")
    start += negated
    end = pattern.find(b"]", start + 1)
    if end < 0:
        return 1 if byte == ord("[") else 0
    inside = pattern[start:end]
    hit, at = False, 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == b"-" and at + 2 < len(inside):
            hit |= inside[at] <= byte <= inside[at + 2]
            at += 3
        else:
            hit |= inside[at] == byte
            at += 1
    return end + 1 - place if hit != negated else 0
