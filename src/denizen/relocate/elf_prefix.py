"""An ELF file's interpreter, run path and names for another prefix, where they must grow (pure).

What fits is left to `prefix.filled`. A file that was patched for a longer prefix before is taken back to what
it was first, so that it does not change more each time, and not at all if its names are the old ones again.
"""

from __future__ import annotations

import posixpath

from denizen.elf import constants as c
from denizen.elf.image import read
from denizen.relocate.elf_parts import string_table_place
from denizen.relocate.errors import CannotPatch
from denizen.relocate.file_edits import apply
from denizen.relocate.patch_changes import STRING_TAGS, Changes, named_interpreter
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.patch_undo import undo_range, undone
from denizen.relocate.verify_patch import verify_patch
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.relocate.prefix import Prefix


class GrownElf(Value):
    """The result.

    Attributes:
        content: the file.
        places: number of names changed.
        dead: (start, end) of bytes that held names before, to which nothing refers now, or keep old bytes.
    """

    content: bytes
    places: int = 0
    dead: tuple[tuple[int, int], ...] = ()


def relocate_elf(image: Image, prefix: Prefix, origin: bytes) -> GrownElf:
    """Return the file with its names for the new prefix, run paths relative to `origin` where that is given.

    Raises BadInput: it is malformed, or cannot be patched; what fits can still be filled in.
    """
    content = bytes(image.buffer)
    before = undone(image)
    names = _names(image)
    moved = _moved(names, prefix, origin)
    if moved == names:
        return GrownElf(content, 0, _records(image))
    base = image if before is None else read(before)
    if len(_names(base)) != len(names):
        raise CannotPatch("the record of an earlier patch is of another file")
    plan = plan_patch(base, _changes(_names(base), moved), reversible=True)
    new = apply(plan, base.buffer)
    verify_patch(base, new, plan, _changes(_names(base), moved))
    count = sum(one != other for one, other in zip(names, moved, strict=True))
    return GrownElf(new, count, (*_dead(base, read(new)), *_records(read(new))))


def _names(image: Image) -> tuple[bytes | None, ...]:
    """Return the interpreter, the run path, and the names needed."""
    dynamic = image.dynamic
    if dynamic is None:
        return named_interpreter(image), None
    path = dynamic.rpath if dynamic.runpath is None else dynamic.runpath
    return named_interpreter(image), path, *dynamic.needed


def _moved(names: tuple[bytes | None, ...], prefix: Prefix, origin: bytes) -> tuple[bytes | None, ...]:
    interpreter, path, *needed = names
    return (
        None if interpreter is None else prefix.moved(interpreter),
        None if path is None else _run_path(path, prefix, origin),
        *(None if name is None else prefix.moved(name) for name in needed),
    )


def _changes(names: tuple[bytes | None, ...], wanted: tuple[bytes | None, ...]) -> Changes:
    """Return the changes from one tuple of names to another of the same length."""
    pairs = zip(names[2:], wanted[2:], strict=True)
    return Changes(
        interpreter=wanted[0],
        run_path=wanted[1],
        replace_needed=tuple((old, new) for old, new in pairs if old and new and old != new),
    )


def _records(image: Image) -> tuple[tuple[int, int], ...]:
    record = undo_range(image)
    return () if record is None else (record,)


def _run_path(path: bytes, prefix: Prefix, origin: bytes) -> bytes:
    return b":".join([_directory(one, prefix, origin) for one in path.split(b":")])


def _directory(path: bytes, prefix: Prefix, origin: bytes) -> bytes:
    inside = path == prefix.old or path.startswith(prefix.old + b"/")
    if not origin or not inside:
        return prefix.moved(path)
    away = posixpath.relpath(path, origin)
    return b"$ORIGIN" if away == b"." else b"$ORIGIN/" + away


def _dead(old: Image, new: Image) -> tuple[tuple[int, int], ...]:
    """Return the ranges of interpreter and string table that have moved away, and of unused names."""
    dead = []
    before, after = old.first_rows.get(c.PT_INTERP), new.first_rows.get(c.PT_INTERP)
    if before is not None and after is not None and before.offset != after.offset:
        dead.append((before.offset, before.offset + before.file_size))
    if old.dynamic is not None:
        place, moved = string_table_place(old), string_table_place(new)
        if place != moved:
            dead.append((place.offset, place.offset + len(old.strings)))
            dead += _unused(new, moved.offset)
    return tuple(dead)


def _unused(image: Image, start: int) -> list[tuple[int, int]]:
    """Return the ranges of a string table at `start` that hold no name of the dynamic section."""
    dynamic = image.dynamic
    assert dynamic is not None
    places = sorted({item for tag, item in dynamic.entries if tag in STRING_TAGS})
    ranges, reached = [], 0
    for place in places:
        if place > reached:
            ranges.append((start + reached, start + place))
        reached = max(reached, place + len(image.strings.at(place)))
    return [*ranges, (start + reached, start + len(image.strings))]
