"""Libraries that a program opens at run time and that a host which can start it lacks (pure over a FileView).

A .NET program starts on every host and ends if there is no ICU; Qt starts and finds no platform plugin. Only
essential libraries are counted: those that the rules call required, alternatives of which the program needs
one, and the libraries of files beside the program that it opens. Recommended libraries are not.
"""

from __future__ import annotations

from denizen.linker import resolve
from denizen.resolve.dlopen_names import packs
from denizen.resolve.dlopen_priorities import is_lacking
from denizen.resolve.subject import examine
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.fileview import FileView
    from denizen.linker import Closure, Environment
    from denizen.resolve.rule_packs import RulePacks


def lacking_later(
    view: FileView, program: bytes, environment: Environment, rules: RulePacks, added: Sequence[bytes] = ()
) -> tuple[bytes, ...]:
    """Return the sonames that this host lacks; `added` are paths of objects that the program opens.

    Raises OSError, BadInput.
    """
    subject = examine(view, [program], rules, added)
    if subject is None:
        return ()
    found: dict[bytes, None] = {}
    # An object that is opened names no dynamic linker; the program's loads its libraries.
    environment = replace(environment, interpreter_path=subject.interpreter or None)
    for path in subject.opened:
        closure = resolve(view, path, environment)
        found |= dict.fromkeys(one.soname for one in closure.missing)
        found |= dict.fromkeys(_too_old(closure))
    image = subject.own[subject.roots[0]]
    needed = image.dynamic.needed if image.dynamic else ()
    for wish in packs(subject, {}, rules):
        counts = is_lacking(wish.priority, alternatives=len(wish.sonames))
        if counts and not any(subject.bundle.find(name, subject.header) for name in wish.sonames):
            asking = replace(environment, needed=(*needed, *wish.sonames))
            missing = {one.soname for one in resolve(view, program, asking).missing}
            if missing.issuperset(wish.sonames):
                found[wish.sonames[0]] = None
    return tuple(found)


def _too_old(closure: Closure) -> Iterator[bytes]:
    """Yield the libraries that lack versions which an opened file needs."""
    image = closure.program.image
    there = {name: one.image for one in closure.libraries if one.image is not None for name in one.names}
    for need in image.version_needs if image is not None else ():
        provider = there.get(need.file)
        asked = {version.name for version in need.versions if not version.weak}
        if provider is not None and not asked.issubset(one.name for one in provider.version_definitions):
            yield need.file
