"""Files beside a program that it opens at run time: by the rules, and by their executable stacks (pure).

A platform plugin of Qt or an extension module of Python is opened by path and not by a soname. Its libraries
are found as for the program, in a closure of its own. Libraries that want an executable stack are a problem
only when they are opened at run time: glibc allows them among the libraries that the program links
(rules.toml, [stack]).

Limits: the stacks of `MAX_PROBED` files are examined.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from denizen.elf import StackPolicy
from denizen.errors import BadInput
from denizen.machines import debian_name
from denizen.resolve.dlopen_priorities import comes_unasked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from denizen.elf import Header, Image
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.rule_packs import Opens, RulePacks
    from denizen.resolve.shipped_libraries import Bundle

MAX_PROBED = 256


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
    return {path: pack for path, pack in named.items() if pack and _fits(_image(view, path), program.header)}


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


def wants_stack(image: Image, rules: RulePacks) -> bool:
    """Tell whether an object asks for an executable stack, by PT_GNU_STACK or by not having one."""
    if image.stack is StackPolicy.UNSTATED:
        return debian_name(image.header.architecture) in rules.stack.unstated
    return image.stack is StackPolicy.EXECUTABLE


def stacked_files(
    view: CachedView, paths: Iterable[bytes], loaded: Collection[bytes], header: Header, rules: RulePacks
) -> tuple[bytes, ...]:
    """Return the paths, of those not loaded at the start, of objects that ask for an executable stack."""
    others = [path for path in paths if path not in loaded][:MAX_PROBED]
    return tuple(
        path
        for path in others
        if (image := _image(view, path)) is not None and wants_stack(image, rules) and _fits(image, header)
    )


def _image(view: CachedView, path: bytes) -> Image | None:
    try:
        return view.image(path)
    except (OSError, BadInput):
        return None


def _fits(image: Image | None, header: Header) -> bool:
    """Tell whether the image is a dynamic object for the machine of `header`."""
    try:
        return (
            image is not None
            and (image.header.bits, image.header.machine) == (header.bits, header.machine)
            and image.dynamic is not None
        )
    except BadInput:
        return False
