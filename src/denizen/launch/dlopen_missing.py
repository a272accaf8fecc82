"""What a program opens at run time and a host that satisfies its start does not have (pure over a FileView).

A .NET host starts everywhere and ends without an ICU; Qt starts and finds no window system. Counted is
what the program cannot do without: what its rules call required, a choice of libraries of which it needs
one, and the files beside it that are opened, each with its own closure. A mere recommendation is not.
"""

from __future__ import annotations

from denizen.linker import resolve
from denizen.resolve.dlopen_names import packs
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
    """The names this host does not have; `added` are objects it opens besides. Raises OSError, BadInput."""
    subject = examine(view, [program], rules, added)
    if subject is None:
        return ()
    found: dict[bytes, None] = {}
    # What is opened names no dynamic linker, and is served by the program's.
    environment = replace(environment, interpreter_path=subject.interpreter or None)
    for path in subject.opened:
        closure = resolve(view, path, environment)
        found |= dict.fromkeys(one.soname for one in closure.missing)
        found |= dict.fromkeys(_too_old(closure))
    image = subject.own[subject.roots[0]]
    needed = image.dynamic.needed if image.dynamic else ()
    for wish in packs(subject, {}, rules):
        counts = wish.priority == "required" or (wish.priority == "recommended" and len(wish.sonames) > 1)
        if counts and not any(subject.bundle.find(name, subject.header) for name in wish.sonames):
            asking = replace(environment, needed=(*needed, *wish.sonames))
            missing = {one.soname for one in resolve(view, program, asking).missing}
            if missing.issuperset(wish.sonames):
                found[wish.sonames[0]] = None
    return tuple(found)


def _too_old(closure: Closure) -> Iterator[bytes]:
    """Yield the libraries of which an opened file asks for versions that they do not define."""
    image = closure.program.image
    there = {name: one.image for one in closure.libraries if one.image is not None for name in one.names}
    for need in image.version_needs if image is not None else ():
        provider = there.get(need.file)
        asked = {version.name for version in need.versions if not version.weak}
        if provider is not None and not asked.issubset(one.name for one in provider.version_definitions):
            yield need.file
