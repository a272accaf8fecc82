"""Names of libraries that a program opens at run time, as far as the program or the rules tell (pure).

Sources, strongest first: `.note.dlopen` of the objects in its closure, with its own priorities; the rule
packs for known toolkits; strings in the program that are sonames.
"""

from __future__ import annotations

from denizen.elf.library_strings import constant_ranges, library_strings
from denizen.errors import BadInput
from denizen.fileview import exists
from denizen.index.library_paths import is_library_name
from denizen.resolve.dlopen_files import applies
from denizen.resolve.dlopen_priorities import rank
from denizen.resolve.resolution import DlopenName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence

    from denizen.elf import Image
    from denizen.resolve.rule_packs import Opens, Resource, RulePacks
    from denizen.resolve.subject import Subject

# The soname that musl gives itself.
_MUSL = b"libc.so"


def packs(subject: Subject, chosen: Mapping[bytes, Image], rules: RulePacks) -> list[DlopenName]:
    """Return the names in dlopen notes and in applicable rule packs, the required ones first.

    The notes are those of the subject's own objects and of `chosen`, the images of chosen libraries by
    soname.
    """
    own = {path.rpartition(b"/")[2] for path in subject.own} | subject.names | chosen.keys()
    images = [subject.own[path] for path in sorted(subject.own)] + [chosen[name] for name in sorted(chosen)]
    wishes = [*_notes(images), *_opens(subject, own, rules)]
    wishes.sort(key=lambda wish: rank(wish.priority))
    return list(dict.fromkeys(wishes))


def runtimes_beside(subject: Subject, rules: RulePacks) -> dict[bytes, bytes]:
    """Return the language runtimes needed by libraries beside the program.

    The result maps each soname to the path of the first library that needs it.
    """
    found: dict[bytes, bytes] = {}
    for path in subject.bundle.paths:
        try:
            image = subject.view.image(path)
            needed = image.dynamic.needed if image.dynamic else ()
        except (OSError, BadInput):
            continue
        machine = subject.header.bits, subject.header.machine
        if (image.header.bits, image.header.machine) == machine:
            for name in needed:
                if name in rules.runtime and name not in subject.names:
                    found.setdefault(name, path)
    return found


def resources(subject: Subject, chosen: Container[bytes], rules: RulePacks) -> Iterator[bytes]:
    """Yield the packages whose files are opened at fixed paths."""
    # Under whatever name it is needed: musl's C library is its dynamic linker, and so never missing.
    libc = _MUSL if subject.musl else b""
    for rule in rules.resources:
        there = any(name in chosen or name in subject.names or name == libc for name in rule.when)
        wanted = (there and (not rule.symbols or _uses(subject, rule))) or _mentions(subject, rule)
        if wanted and not any(exists(subject.view, path) for path in rule.unless):
            yield from rule.packages


def _mentions(subject: Subject, rule: Resource) -> bool:
    """Tell whether the program or a library beside it contains one of the rule's texts.

    It does if it links the library that the rule is about statically.
    """
    return bool(rule.mentions) and any(_contains(image, rule.mentions) for image in subject.own.values())


def _contains(image: Image, texts: Sequence[bytes]) -> bool:
    data = image.buffer
    if isinstance(data, memoryview):
        return False
    places = list(constant_ranges(image))
    return any(data.find(text, *place) >= 0 for place in places for text in texts)


def strings(image: Image, knows: Callable[[bytes], bool]) -> Iterator[bytes]:
    """Yield the strings among a program's constants that are sonames known to `knows`, in order and once."""
    for name in library_strings(image):
        if is_library_name(name) and knows(name):
            yield name


def _notes(images: Sequence[Image]) -> Iterator[DlopenName]:
    for image in images:
        for note in image.notes.dlopen:
            yield DlopenName(note.sonames, "note", note.priority)


def _opens(subject: Subject, closure: Collection[bytes], rules: RulePacks) -> Iterator[DlopenName]:
    beside = {path.rpartition(b"/")[2] for path in subject.bundle.paths}
    program = subject.own[subject.roots[0]]
    for pack in rules.opens:
        if applies(pack, closure, beside, program) and (not pack.symbols or _uses(subject, pack)):
            for soname in pack.sonames:
                yield DlopenName((soname,), pack.pack, pack.priority)
            if pack.any:
                yield DlopenName(pack.any, pack.pack, pack.priority)


def _uses(subject: Subject, pack: Opens | Resource) -> bool:
    # Undefined names only, which binding examines anyway: to read all names would take longest here.
    images = subject.objects
    return any(not pack.symbols.isdisjoint(image.symbols.strong_references[1]) for image in images)
