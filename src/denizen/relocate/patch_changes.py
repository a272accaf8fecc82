"""The changes asked for, and the dynamic section as it should be then (pure).

Names in the entries that change are bytes, which get an offset in the string table later; entries that stay
keep their numbers. Where several changes are asked for they are made in this order: names needed removed,
replaced, added; run path; soname; flags.

New names needed come first, as patchelf puts them: a library that is added to replace functions of others
must be searched before those (breadth first, in the order of DT_NEEDED).
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.elf.image import MIN_INTERPRETER
from denizen.relocate.errors import CannotPatch
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from denizen.elf import Dynamic, Image

    Entry: TypeAlias = tuple[int, int | bytes]
    Names: TypeAlias = Callable[[int], bytes]

RUN_PATHS = (c.DT_RUNPATH, c.DT_RPATH)
# The tags whose value is an offset in the string table (gABI; Solaris for DT_CONFIG, glibc for DT_AUDIT).
STRING_TAGS = frozenset({
    c.DT_NEEDED, c.DT_SONAME, c.DT_RPATH, c.DT_RUNPATH, c.DT_AUDIT, c.DT_DEPAUDIT, c.DT_FILTER,
    c.DT_AUXILIARY, 0x6FFFFEFA,
})  # fmt: skip


class Changes(Value):
    """The changes asked for; None, (), and False leave a part as it is.

    Attributes:
        interpreter: the new path of the dynamic linker.
        run_path: the new DT_RUNPATH, or DT_RPATH where the file has that alone; b"" removes both.
        force_rpath: let it be DT_RPATH, which libraries of libraries are searched by too.
        remove_needed, replace_needed, add_needed: sonames; `replace_needed` has pairs of old and new.
        soname: the new DT_SONAME.
        no_default_lib: do not search the default directories (DF_1_NODEFLIB).
    """

    interpreter: bytes | None = None
    run_path: bytes | None = None
    force_rpath: bool = False
    remove_needed: tuple[bytes, ...] = ()
    replace_needed: tuple[tuple[bytes, bytes], ...] = ()
    add_needed: tuple[bytes, ...] = ()
    soname: bytes | None = None
    no_default_lib: bool = False

    @property
    def touches_needed(self) -> bool:
        """Tell whether the libraries needed are concerned."""
        return bool(self.remove_needed or self.replace_needed or self.add_needed)

    @property
    def touches_dynamic(self) -> bool:
        """Tell whether the dynamic section is concerned, and not the interpreter alone."""
        return bool(
            self.run_path is not None
            or self.force_rpath
            or self.soname is not None
            or self.no_default_lib
            or self.touches_needed
        )


class Wanted(Value):
    """The file's parts as they should be.

    Attributes:
        interpreter: the new path; None where it stays.
        entries: the dynamic section without its last DT_NULL; None where it stays.
        renamed: new names of libraries that versions are needed from.
        unneeded: libraries that no versions are needed from any more.
    """

    interpreter: bytes | None
    entries: tuple[Entry, ...] | None
    renamed: tuple[tuple[bytes, bytes], ...] = ()
    unneeded: tuple[bytes, ...] = ()


def wanted(image: Image, changes: Changes) -> Wanted:
    """Return what the changes make of a file.

    Raises:
        CannotPatch: a part that should change is not there.
        BadInput: the file is malformed.
    """
    interpreter = _interpreter(image, changes.interpreter)
    if not changes.touches_dynamic:
        return Wanted(interpreter, None)
    dynamic = image.dynamic
    if dynamic is None:
        raise CannotPatch("it has no dynamic section: it is static, and searches for no library")
    if c.PT_INTERP not in image.first_rows and dynamic.flags_1 & c.DF_1_PIE:
        # glibc asserts that such a program has no run path (elf/get-dynamic-info.h), and dies of it.
        raise CannotPatch("it is a static program: it searches for no library")
    if c.DT_STRTAB not in dynamic.values:
        raise CannotPatch("its dynamic section has no string table")
    entries: Sequence[Entry] = dynamic.entries
    name_at, touches_needed = image.strings.at, changes.touches_needed
    for change in _IN_ORDER if touches_needed else _IN_ORDER[3:]:
        entries = change(entries, dynamic, name_at, changes)
    # Mostly nothing is left to change in a file that was patched.
    after = None if entries is dynamic.entries or tuple(entries) == dynamic.entries else tuple(entries)
    if not touches_needed:
        return Wanted(interpreter, after)
    needed = dynamic.needed
    renamed = tuple([pair for pair in changes.replace_needed if pair[0] != pair[1] and pair[0] in needed])
    unneeded = tuple([name for name in changes.remove_needed if name in needed])
    return Wanted(interpreter, after, renamed, unneeded)


def check_names(changes: Changes) -> None:
    """Raise CannotPatch: a name that is asked for is not possible."""
    names = (changes.interpreter, changes.soname, *changes.add_needed, *sum(changes.replace_needed, ()))
    if b"" in names:
        raise CannotPatch("an empty name is no name")
    if b"\0" in b"".join(filter(None, (*names, changes.run_path))):
        raise CannotPatch("a name with a NUL ends there")


def _interpreter(image: Image, path: bytes | None) -> bytes | None:
    old = named_interpreter(image)
    if path is None:
        return None
    if c.PT_INTERP not in image.first_rows:
        raise CannotPatch("it names no interpreter: it is a library, or static")
    if len(path) >= 4096:
        raise CannotPatch("the kernel takes an interpreter's path of 4095 bytes at most")
    return None if path == old else path


def named_interpreter(image: Image) -> bytes | None:
    """Return the path of PT_INTERP; None where there is none, or an empty one.

    Some libraries have an empty one, which nobody reads: ld.so loads them. Raises BadInput: it is malformed.
    """
    row = image.first_rows.get(c.PT_INTERP)
    if row is not None and row.file_size < MIN_INTERPRETER:
        return None
    return image.interpreter


def _remove(entries: Sequence[Entry], _: Dynamic, name_at: Names, changes: Changes) -> Sequence[Entry]:
    if not changes.remove_needed:
        return entries
    return [one for one in entries if _needed(one, name_at) not in changes.remove_needed]


def _replace(entries: Sequence[Entry], _: Dynamic, name_at: Names, changes: Changes) -> Sequence[Entry]:
    if not changes.replace_needed:
        return entries
    new = {old: name for old, name in changes.replace_needed if old != name}
    return [
        (tag, new.get(_needed((tag, item), name_at) or b"", item)) if tag == c.DT_NEEDED else (tag, item)
        for tag, item in entries
    ]


def _add(entries: Sequence[Entry], _: Dynamic, name_at: Names, changes: Changes) -> Sequence[Entry]:
    if not changes.add_needed:
        return entries
    there = {_needed(one, name_at) for one in entries}
    added: list[Entry] = [
        (c.DT_NEEDED, name) for name in dict.fromkeys(changes.add_needed) if name not in there
    ]
    return [*added, *entries]


def _run_path(entries: Sequence[Entry], dynamic: Dynamic, _: Names, changes: Changes) -> Sequence[Entry]:
    old = dynamic.rpath if dynamic.runpath is None else dynamic.runpath
    path = old if changes.run_path is None else changes.run_path
    if (changes.run_path is None and not changes.force_rpath) or path is None:
        return entries
    has_any = c.DT_RPATH in dynamic.values or c.DT_RUNPATH in dynamic.values
    present = [tag for tag, _ in entries if tag in RUN_PATHS] if has_any else []
    alone = c.DT_RPATH in present and c.DT_RUNPATH not in present
    tag = c.DT_RPATH if changes.force_rpath or alone else c.DT_RUNPATH
    if present == [tag] and path == old:
        return entries
    kept = [one for one in entries if one[0] not in RUN_PATHS] if has_any else entries
    if not path:
        return kept
    if not has_any:
        return [*entries, (tag, path)]
    at = next((place for place, one in enumerate(entries) if one[0] in RUN_PATHS), len(kept))
    return [*kept[:at], (tag, path), *kept[at:]]


def _soname(entries: Sequence[Entry], dynamic: Dynamic, _: Names, changes: Changes) -> Sequence[Entry]:
    if changes.soname is None or changes.soname == dynamic.soname:
        return entries
    return _set(entries, c.DT_SONAME, changes.soname)


def _flags(entries: Sequence[Entry], dynamic: Dynamic, _: Names, changes: Changes) -> Sequence[Entry]:
    if not changes.no_default_lib or dynamic.flags_1 & c.DF_1_NODEFLIB:
        return entries
    return _set(entries, c.DT_FLAGS_1, dynamic.flags_1 | c.DF_1_NODEFLIB)


def _set(entries: Sequence[Entry], tag: int, item: int | bytes) -> list[Entry]:
    """Return the entries with the last of one tag changed, as that is the one that counts, or one more."""
    at = max([place for place, one in enumerate(entries) if one[0] == tag], default=len(entries))
    return [*entries[:at], (tag, item), *entries[at + 1 :]]


def _needed(entry: Entry, name_at: Names) -> bytes | None:
    tag, item = entry
    if tag != c.DT_NEEDED:
        return None
    return item if isinstance(item, bytes) else name_at(item)


_IN_ORDER = (_remove, _replace, _add, _run_path, _soname, _flags)
