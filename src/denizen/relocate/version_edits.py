"""Edits of the version needs (DT_VERNEED) where libraries are renamed or no longer needed (pure).

glibc ends a program with an assertion where versions are needed of a library that nothing loads
(elf/dl-version.c, find_needed), so a library that is removed takes its versions along: its record is left out
of the list, and its symbols are looked up without a version. A symbol's version index must stay within the
versions that are left, because glibc uses it as an index of an array as long as the largest.
"""

from __future__ import annotations

from denizen.elf import constants as c
from denizen.relocate.file_edits import FileEdit
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from denizen.elf import Image
    from denizen.elf.versions import NeedRecord
    from denizen.relocate.elf_encoding import Encoding

_FILE, _NEXT = 4, 12  # offsets of vn_file and vn_next in a Verneed


class VersionPlan(Value):
    """The edits, and the dynamic section's values that go with them.

    Attributes:
        edits: of the tables.
        first: distance of the first record that is left from the table's start; None where none is left.
        count: number of records left.
    """

    edits: tuple[FileEdit, ...] = ()
    first: int | None = 0
    count: int = 0


def rename_needs(needs: tuple[tuple[NeedRecord, int], ...], encoding: Encoding) -> list[FileEdit]:
    """Return the edits that give version needs other names of libraries."""
    return [
        FileEdit(record.offset + _FILE, encoding.quarter_words(at), "version needs") for record, at in needs
    ]


def drop_needs(image: Image, names: tuple[bytes, ...], encoding: Encoding) -> VersionPlan | None:
    """Return the plan to drop the versions needed of some libraries; None without any. Raises BadInput."""
    records = image.need_records
    gone = [one for one in records if image.strings.at(one.file) in names]
    if not gone:
        return None
    left = [one for one in records if one not in gone]
    edits = _unversioned(image, {number for one in gone for number in one.numbers}, encoding)
    for one, following in zip(left, [*left[1:], *left[-1:]], strict=True):
        distance = following.offset - one.offset
        edits.append(FileEdit(one.offset + _NEXT, encoding.quarter_words(distance), "version needs"))
    return VersionPlan(tuple(edits), left[0].offset - records[0].offset if left else None, len(left))


def _unversioned(image: Image, numbers: set[int], encoding: Encoding) -> list[FileEdit]:
    """Return the edits of DT_VERSYM that make symbols of these versions global ones without a version."""
    indices = image.symbols.version_indices
    dynamic = image.dynamic
    if indices is None or dynamic is None:
        return []
    start, _ = image.memory.locate(dynamic.values[c.DT_VERSYM], "symbol versions")
    of_gone = [at for at, index in enumerate(indices) if index & c.VERSYM_VERSION in numbers]
    return [FileEdit(start + 2 * at, encoding.half(c.VER_NDX_GLOBAL), "symbol versions") for at in of_gone]


def with_versions(entries: tuple[tuple[int, int], ...], plan: VersionPlan) -> tuple[tuple[int, int], ...]:
    """Return the dynamic section for the version needs that are left."""
    if plan.first is None:
        gone = {c.DT_VERNEED, c.DT_VERNEEDNUM}
        # Without any version glibc has no array for DT_VERSYM to point into.
        gone |= set() if any(tag == c.DT_VERDEF for tag, _ in entries) else {c.DT_VERSYM}
        return tuple(one for one in entries if one[0] not in gone)
    first = plan.first
    change: dict[int, Callable[[int], int]] = {
        c.DT_VERNEED: lambda item: item + first,
        c.DT_VERNEEDNUM: lambda _: plan.count,
    }
    return tuple((tag, change[tag](item) if tag in change else item) for tag, item in entries)
