"""One file for another prefix: the way that its form allows, and what is left (pure).

    text      the new path, of whatever length: scripts, .pc, .la, configuration
    python    compiled Python: its strings with their lengths
    elf       the interpreter, the run path and the names needed by a patch (patch_plan.py), where they grow
    filled    everywhere else: the same width, filled up with slashes (prefix.py)
    relative  where that is asked for, `$ORIGIN` in run paths, and Python scripts by relative_script.py
    link      as `filled`, by the path of a short link, where the new path does not fit

A shorter path always fits. Files come back as they were when the prefix is changed back: text unless it
mentioned the new path before, and ELF files because the patch keeps the old bytes (patch_undo.py).
"""

from __future__ import annotations

import re

from denizen.elf.constants import MAGIC
from denizen.elf.file_formats import is_text
from denizen.elf.image import read
from denizen.elf.script import BUFFER_SIZE
from denizen.errors import BadInput
from denizen.formats.pyc import is_pyc, with_strings
from denizen.relocate.elf_prefix import relocate_elf
from denizen.relocate.patch_undo import undone
from denizen.relocate.prefix import Prefix, fitting, in_text, mentions
from denizen.relocate.relative_script import relative_script
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf.strings import Searchable

# Linux fs/binfmt_script.c: bytes of the first line that the kernel reads, since 5.1 and before.
_LINE, _OLD_LINE = BUFFER_SIZE - 1, 127
_WHITE = re.compile(rb"[ \t]")
_COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"),
               (b"PK\3\4", "zip"))  # fmt: skip
# Leftovers that are listed one by one.
MAX_LEFT = 1000


class LeftMention(Value):
    """A mention of the old path that could not be changed."""

    offset: int
    reason: str


class RelocatedFile(Value):
    """The result for one file.

    Attributes:
        content: the new content; None where nothing changes.
        ways: the ways taken, as above.
        places: number of mentions changed.
        left: mentions that could not be changed.
        remarks: what may matter elsewhere.
    """

    content: bytes | None = None
    ways: tuple[str, ...] = ()
    places: int = 0
    left: tuple[LeftMention, ...] = ()
    remarks: tuple[str, ...] = ()


def compression_of(start: bytes) -> str:
    """Return the name of a compressed format by a file's first bytes; "" for others."""
    return next((name for magic, name in _COMPRESSED if start.startswith(magic)), "")


def relocate_file(data: Searchable, prefix: Prefix, *, origin: bytes = b"") -> RelocatedFile:
    """Return a file's content for the new prefix.

    Args:
        data: the content.
        prefix: the old and the new path.
        origin: the directory of the file below the old prefix, for run paths and interpreters of scripts
            relative to the file; b"" keeps them absolute.
    """
    if data.find(prefix.old) < 0:
        return RelocatedFile()
    content = bytes(data)
    if content.startswith(MAGIC):
        return _elf(content, prefix, origin)
    if is_pyc(content):
        return _python(content, prefix)
    if b"\0" not in content and is_text(content) and not content.startswith(b"%PDF"):
        script = relative_script(content, prefix, origin) if origin else None
        return _text(content, prefix) if script is None else _relative(script, prefix)
    return _filled(content, prefix)


def _relative(script: bytes, prefix: Prefix) -> RelocatedFile:
    """Return a script that finds its interpreter itself, with its other mentions changed."""
    done = _text(script, prefix)
    new = script if done.content is None else done.content
    return RelocatedFile(new, ("relative", *done.ways), 1 + done.places, done.left, done.remarks)


def _text(content: bytes, prefix: Prefix) -> RelocatedFile:
    new, places = in_text(content, prefix)
    remarks = []
    if any(True for _ in mentions(content, prefix.new)):
        remarks.append("it mentioned the new path before: changed back, it would not be the same")
    line = new.partition(b"\n")[0]
    ways = ["text"]
    if _WHITE.search(prefix.new):
        if new.startswith(b"#!") and prefix.new in line and not prefix.link:
            return _without_line(content, prefix, tuple(remarks))
        remarks.append("the new path has a space, which ends a word for many languages")
    if new.startswith(b"#!") and (len(line) > _LINE or _WHITE.search(prefix.new)) and prefix.new in line:
        if not prefix.link:
            left = LeftMention(0, f"its #! line would be {len(line)} bytes, and the kernel reads {_LINE}")
            return RelocatedFile(None, (), 0, (left,))
        shorter = line.replace(prefix.new, prefix.link)
        new, line = shorter + new[len(line) :], shorter
        ways.append("link")
    if new.startswith(b"#!") and len(line) > _OLD_LINE:
        remarks.append(f"its #! line has {len(line)} bytes; kernels before 5.1 read {_OLD_LINE}")
    return RelocatedFile(new if places else None, tuple(ways) if places else (), places, (), tuple(remarks))


def _without_line(content: bytes, prefix: Prefix, remarks: tuple[str, ...]) -> RelocatedFile:
    """Return the script with its first line as it was: there a space ends the interpreter's path."""
    line, end, rest = content.partition(b"\n")
    new, places = in_text(rest, prefix)
    left = LeftMention(0, "the new path has a space, which ends the interpreter's path in a #! line")
    changed = line + end + new if places else None
    return RelocatedFile(changed, ("text",) if places else (), places, (left,), remarks)


def _python(content: bytes, prefix: Prefix) -> RelocatedFile:
    places = 0

    def change(text: bytes) -> bytes:
        nonlocal places
        new, found = in_text(text, prefix)
        places += found
        return new

    try:
        new = with_strings(content, change)
    except BadInput:
        return _filled(content, prefix)
    return RelocatedFile(new if places else None, ("python",) if places else (), places)


def _elf(content: bytes, prefix: Prefix, origin: bytes) -> RelocatedFile:
    """Return the file filled up where all fits, else with its names grown by a patch first."""
    try:
        image = read(content)
        if not origin and undone(image) is None:
            done = _filled(content, Prefix(prefix.old, prefix.new))
            if not done.left:
                return done
        grown = relocate_elf(image, prefix, origin)
    except BadInput as problem:
        done = _filled(content, prefix)
        return done if not done.left else _with_remark(done, problem.why or problem.what)
    done = _filled(grown.content, prefix, grown.dead)
    if not grown.places:
        return done
    new = grown.content if done.content is None else done.content
    return RelocatedFile(new, ("elf", *done.ways), grown.places + done.places, done.left, done.remarks)


def _with_remark(done: RelocatedFile, remark: str) -> RelocatedFile:
    return RelocatedFile(done.content, done.ways, done.places, done.left, (*done.remarks, remark))


def _filled(content: bytes, prefix: Prefix, dead: tuple[tuple[int, int], ...] = ()) -> RelocatedFile:
    """Return the file with mentions of the same width; those in `dead` ranges are read by nobody."""
    new = bytearray(content)
    ways: dict[str, None] = {}
    left: list[LeftMention] = []
    places = 0
    for one in mentions(content, prefix.old):
        if any(start <= one.offset < end for start, end in dead):
            continue
        way, text = fitting(one, prefix)
        if text is None:
            left.append(LeftMention(one.offset, f"{one.end - one.start} bytes are there for the path"))
            continue
        new[one.start : one.end] = text
        ways[way] = None
        places += 1
    return RelocatedFile(bytes(new) if places else None, tuple(ways), places, tuple(left[:MAX_LEFT]))
