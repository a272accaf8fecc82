"""Files beside a program that, opened at run time, ask for an executable stack: `stacked_files` (pure).

They are a problem only when they are opened at run time: glibc allows them among the libraries that the
program links. The newest glibc that opens them is in rules.toml, [stack]; `engine.base_candidates` tries the
C libraries in an order that heeds it.

Limits: the stacks of `MAX_PROBED` files are examined.
"""

from __future__ import annotations

from denizen.elf import StackPolicy
from denizen.machines import debian_name
from denizen.resolve.dlopen_files import fits, image_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from denizen.elf import Header, Image
    from denizen.linker import Closure
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.rule_packs import RulePacks
    from denizen.resolve.shipped_libraries import Bundle

MAX_PROBED = 256


def stacked_files(
    view: CachedView, closures: Sequence[Closure], bundle: Bundle, rules: RulePacks
) -> tuple[bytes, ...]:
    """Return files opened at run time that ask for an executable stack.

    Return () where a program has one from the start. The first of `closures` has an image.
    """
    started = _started(closures)
    if any(_wants_stack(image, rules) for image in started.values()):
        return ()
    alone = [c.program.path for c in closures if c.program.path and c.program.path not in started]
    first = closures[0].program.image
    assert first is not None  # subject.examine read it
    return _stacked(view, [*alone, *bundle.paths], started, first.header, rules)


def _started(closures: Iterable[Closure]) -> dict[bytes, Image]:
    """Return path -> image of all that is loaded when the programs among them start."""
    return {
        library.path: library.image
        for closure in closures
        if closure.program.image is not None and closure.program.image.interpreter is not None
        for library in (closure.program, *closure.libraries)
        if library.path and library.image is not None
    }


def _wants_stack(image: Image, rules: RulePacks) -> bool:
    """Return whether an object asks for an executable stack, by PT_GNU_STACK or by not having one."""
    if image.stack is StackPolicy.UNSTATED:
        return debian_name(image.header.architecture) in rules.stack.unstated
    return image.stack is StackPolicy.EXECUTABLE


def _stacked(
    view: CachedView, paths: Iterable[bytes], loaded: Collection[bytes], header: Header, rules: RulePacks
) -> tuple[bytes, ...]:
    """Return the paths, of those not loaded at the start, of objects that ask for an executable stack."""
    others = [path for path in paths if path not in loaded][:MAX_PROBED]
    return tuple(
        path
        for path in others
        if (image := image_of(view, path)) is not None and _wants_stack(image, rules) and fits(image, header)
    )
