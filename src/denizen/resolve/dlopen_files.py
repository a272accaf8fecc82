"""Files beside a program that the rules say it opens at run time (pure).

A platform plugin of Qt or an extension module of Python is opened by path and not by a soname. Its libraries
are found as for the program, in a closure of its own.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from denizen.errors import BadInput
from denizen.resolve.dlopen_priorities import comes_unasked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.elf import Header, Image
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.rule_packs import Opens, RulePacks
    from denizen.resolve.shipped_libraries import Bundle


def opened_files(
    view: CachedView, bundle: Bundle, closure: Collection[bytes], program: Image, rules: RulePacks
) -> dict[bytes, str]:
    """Return the path and the rule pack of each file beside the program that the rules say it opens.

    `closure` are the sonames that select the rules. Files for another machine are left out.
    """
    patterns = [
        (b"*/" + file, pack.pack)
        for pack in rules.opens
        if pack.files and comes_unasked(pack.priority) and applies(pack, closure, frozenset(), program)
        for file in pack.files
    ]
    if not patterns:
        return {}
    named = {path: next((p for f, p in patterns if fnmatchcase(path, f)), "") for path in bundle.paths}
    return {path: pack for path, pack in named.items() if pack and fits(image_of(view, path), program.header)}


def applies(pack: Opens, closure: Collection[bytes], beside: Collection[bytes], program: Image) -> bool:
    """Return whether a rule applies to the program.

    It does if the closure or the program's directory has one of the rule's names, or the program one of its
    marks. The symbols in the rule are not examined here.
    """
    named = any(_has(closure, name) for name in pack.when) or any(name in beside for name in pack.beside)
    return named or is_marked(program, pack.marks)


def is_marked(program: Image, marks: frozenset[bytes]) -> bool:
    """Return whether the program defines or uses one of the symbols.

    An interpreter of a language does, and so does a program that embeds one.
    """
    if not marks or program.interpreter is None:
        return False
    symbols = program.symbols
    return bool(symbols.exports_of(marks)) or not marks.isdisjoint(symbols.strong_references[1])


def _has(names: Collection[bytes], pattern: bytes) -> bool:
    return any(fnmatchcase(name, pattern) for name in names) if b"*" in pattern else pattern in names


def image_of(view: CachedView, path: bytes) -> Image | None:
    """Return the image of a file; None if it cannot be read or is no ELF file."""
    try:
        return view.image(path)
    except (OSError, BadInput):
        return None


def fits(image: Image | None, header: Header) -> bool:
    """Return whether the image is a dynamic object for the machine of `header`."""
    try:
        return (
            image is not None
            and (image.header.bits, image.header.machine) == (header.bits, header.machine)
            and image.dynamic is not None
        )
    except BadInput:
        return False
