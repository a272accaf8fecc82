"""The facts that the checks examine, gathered as one value (pure over a FileView).

A script is followed to the program that runs it in the end, as the kernel and `env` would; libraries,
versions and symbols are that program's. Nothing is executed.
"""

from __future__ import annotations

from denizen.diagnose.report import DlopenRow, LibraryRow, MissingSymbol, Report, TriedPath, VersionRow
from denizen.elf.classify import ProgramKind, classify
from denizen.elf.image import StackPolicy
from denizen.elf.notes import X86_ISA_NEEDED
from denizen.elf.versions import needed_versions
from denizen.errors import BadInput
from denizen.fileview import FileKind as EntryKind
from denizen.linker.binding import bind
from denizen.linker.built_in_rules import Family, unusable
from denizen.linker.closure import resolve
from denizen.linker.process_environment import LinkerStart
from denizen.linker.rule_tables import CACHE, DEFAULT, INTERPRETER
from denizen.linker.unvouched_objects import unvouched_objects
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from denizen.diagnose.script_steps import Step
    from denizen.elf import Classification, Image, Payload, VersionNeed
    from denizen.file_placement import Placement
    from denizen.fileview import FileView, Stat
    from denizen.host import Host
    from denizen.launch.program import Program
    from denizen.linker import Binding, Closure, Environment, LoadedLibrary

    T = TypeVar("T")

# Kinds of files whose libraries a dynamic linker loads.
LINKED = (ProgramKind.DYNAMIC, ProgramKind.LIBRARY)


class HostContext(Value):
    """The host on which a program is examined.

    Attributes:
        host: the machine.
        environment: the dynamic linker's environment.
        search_path: PATH, split; for commands that scripts start by `env`.
        thorough: look up the symbols of every library, also of those the system's own packages vouch for.
    """

    host: Host
    environment: Environment
    search_path: tuple[bytes, ...] = ()
    thorough: bool = False


class ProgramFacts(Value):
    """A program with all that is known about it before the checks.

    Attributes:
        path: its absolute path; `stat`, `placement` and `classification` are its own.
        steps: from a script to a program.
        last: the classification of the file to which they lead; the program's own where it is no script.
        image: the ELF file that would be loaded in the end.
        closure: that file with all that the dynamic linker loads for it; None where it loads nothing.
        interpreter_found: the dynamic linker that the image names exists and is one.
        interpreter_fault: the fault of the file in its place, "" for none.
        damage: (path, sentence) for each file that could not be read.
        executable_stacks: objects of the closure that ask for one.
        isa_level: the x86-64 level that the image needs, 0 for none.
        kernel_wanted: the oldest kernel on which it runs.
        nearby: missing soname -> a file of that name beside the program, where it does not search.
        facts: the report so far, without problems.
    """

    path: bytes
    stat: Stat
    placement: Placement
    host: Host
    classification: Classification
    steps: tuple[Step, ...]
    last: Classification
    image: Image | None
    closure: Closure | None
    payload: Payload | None
    interpreter_found: bool
    interpreter_fault: str
    damage: tuple[tuple[bytes, str], ...]
    executable_stacks: tuple[bytes, ...]
    isa_level: int
    kernel_wanted: tuple[int, int, int] | None
    nearby: dict[bytes, bytes]
    facts: Report


def gather(
    view: FileView, path: bytes, placement: Placement, context: HostContext, known: Program | None = None
) -> ProgramFacts:
    """Return the facts about `path` (absolute); `known` is the program as it was read before, if it was.

    Raises OSError where it cannot be examined.
    """
    stat = view.stat(path)
    # The view may show another file at the path than the one that is known: the host's own dynamic linker.
    is_same = known is not None and known.stat == stat
    first = known.classification if known is not None and is_same else _look(view, path, stat, placement)
    steps, final, classification = _followed(view, path, first, context)
    damage = [] if classification.problem is None else [(final, str(classification.problem))]
    report = _facts(path, first, steps, classification)
    if placement.handler:
        report = replace(report, handler=placement.handler)
    image = classification.image
    closure, binding = None, None
    if image is not None and classification.kind in LINKED and not placement.handler:
        closure, binding, problems = _linked(view, final, classification, context)
        damage += problems
    if closure is not None and binding is not None:
        report = _with_libraries(report, closure, binding)
        damage += [(failure.path, failure.detail or failure.reason.value) for failure in closure.failures]
        damage += [(damaged.path, damaged.problem) for damaged in binding.damaged]
    return ProgramFacts(
        path=path,
        stat=stat,
        placement=placement,
        host=context.host,
        classification=first,
        steps=steps,
        last=classification,
        image=image,
        closure=closure,
        payload=_payload(first.image),
        interpreter_found=closure is not None and closure.interpreter_found,
        interpreter_fault=_interpreter_fault(view, closure, image),
        damage=tuple(damage),
        executable_stacks=tuple(_executable_stacks(closure)) if closure is not None else (),
        isa_level=_isa_level(image) if image is not None else 0,
        kernel_wanted=_kernel_wanted(image) if image is not None else None,
        nearby=_nearby(view, final, image, report) if image is not None else {},
        facts=report,
    )


def _linked(
    view: FileView, path: bytes, classification: Classification, context: HostContext
) -> tuple[Closure | None, Binding | None, list[tuple[bytes, str]]]:
    """Return the closure of a linked file, the binding of its symbols, and what is damaged."""
    image = classification.image
    assert image is not None
    closure = None
    try:
        closure = resolve(view, path, _environment(context.environment, classification, image))
        return closure, bind(closure, None if context.thorough else unvouched_objects(closure)), []
    except BadInput as problem:
        return closure, None, [(path, str(problem))]


def _look(view: FileView, path: bytes, stat: Stat, placement: Placement) -> Classification:
    if stat.kind is not EntryKind.FILE or not placement.readable:
        # Directories and devices have no bytes to classify; `examine` reports them.
        return classify(b"\0")
    return classify(view.read(path))


def _followed(
    view: FileView, path: bytes, first: Classification, context: HostContext
) -> tuple[tuple[Step, ...], bytes, Classification]:
    """Return the steps from a script to a program, that program's path, and its classification."""
    if first.script is None:
        return (), path, first
    from denizen.diagnose.script_steps import follow  # 0.3 ms that only scripts pay

    return follow(view, path, first, context.search_path)


def _environment(environment: Environment, classification: Classification, image: Image) -> Environment:
    """Return the linker's environment for the program.

    A library, which names no interpreter, is listed as `ld.so LIBRARY` would, by the usual interpreter.
    """
    if classification.kind is not ProgramKind.LIBRARY:
        return environment
    machine = image.header.architecture
    usual = machine.interpreter or None if machine is not None else None
    needed = image.dynamic.needed if image.dynamic is not None else ()
    musl = next((name for name in needed if name.startswith(b"libc.musl-")), None)
    if musl is not None:
        usual = b"/lib/ld-musl-" + musl.removeprefix(b"libc.musl-")
    return replace(environment, start=LinkerStart.INTERPRETER, interpreter_path=usual)


def _facts(path: bytes, first: Classification, steps: tuple[Step, ...], final: Classification) -> Report:
    image = final.image
    notes = _tolerant(lambda: image.notes) if image is not None else None
    return Report(
        program=path,
        kind=first.kind.value if first.format is None else f"{first.kind.value} ({first.format})",
        machine=image.header.machine_name if image is not None else None,
        bits=image.header.bits if image is not None else None,
        interpreter=_tolerant(lambda: image.interpreter) if image is not None else None,
        chain=tuple(step.found for step in steps if step.found is not None),
        build_id=notes.build_id.hex() if notes is not None and notes.build_id is not None else None,
        wishes=tuple(_wishes(image)) if image is not None else (),
    )


def _with_libraries(report: Report, closure: Closure, binding: Binding) -> Report:
    rows, roots = _rows(closure)
    libc = closure.interpreter.family.value
    wanted = (
        version.name
        for library in closure.scope
        if library.image is not None and library.rule not in (CACHE, DEFAULT, INTERPRETER)
        for need in _version_needs(library.image)
        for version in need.versions
    )
    return replace(
        report,
        libc=libc,
        libraries=rows,
        roots=roots,
        glibc_found=_glibc_found(closure),
        glibc_required=needed_versions(wanted),
        missing_versions=tuple(
            VersionRow(lack.file, lack.version, lack.needed_by, lack.provider)
            for lack in binding.missing_versions
        ),
        missing_symbols=tuple(
            MissingSymbol(lack.name, lack.version, lack.needed_by, lack.now) for lack in binding.unresolved
        ),
    )


def _version_needs(image: Image) -> tuple[VersionNeed, ...]:
    return _tolerant(lambda: image.version_needs) or ()


def _rows(closure: Closure) -> tuple[tuple[LibraryRow, ...], tuple[int, ...]]:
    """Return a row for each library in load order, and the positions of the program's direct dependencies."""
    kept: list[LoadedLibrary] = []
    places: dict[bytes, int] = {}
    for library in closure.libraries:
        if library.path is None and library.soname in places:
            continue  # each asker of a missing library has its own entry in the model
        for name in library.names:
            places.setdefault(name, len(kept))
        kept.append(library)
    children = [_children(library, places) for library in kept]
    roots = _children(closure.program, places)
    askers: dict[int, list[bytes]] = {place: [closure.program.soname] for place in roots}
    for library, below in zip(kept, children, strict=True):
        for place in below:
            askers.setdefault(place, []).append(library.path or library.soname)
    rows = []
    for place, library in enumerate(kept):
        asked_by = askers.get(place, [library.needed_by] if library.needed_by else [])
        rows.append(
            LibraryRow(
                library.soname,
                library.path,
                library.rule.name if library.rule is not None else "",
                library.rule.title if library.rule is not None else "",
                tuple(asked_by),
                children[place],
                tuple(TriedPath(t.path, t.rule.name, t.rule.title, t.reason.value) for t in library.tried),
            )
        )
    preloaded = [
        place
        for place, row in enumerate(rows)
        if row.path is not None and not askers.get(place) and row.needed_by
    ]
    return tuple(rows), tuple(dict.fromkeys((*preloaded, *roots)))


def _children(library: LoadedLibrary, places: dict[bytes, int]) -> tuple[int, ...]:
    image = library.image
    dynamic = _tolerant(lambda: image.dynamic) if image is not None else None
    if dynamic is None:
        return ()
    return tuple(dict.fromkeys(places[name] for name in dynamic.needed if name in places))


def _glibc_found(closure: Closure) -> str | None:
    """Return the C library's newest version; the dynamic linker's own where there is no library."""
    libc = next((lib for lib in closure.libraries if b"libc.so.6" in lib.names and lib.image), None)
    if libc is not None and libc.image is not None:
        image = libc.image
        return needed_versions(d.name for d in _tolerant(lambda: image.version_definitions) or ())
    if closure.interpreter_found and closure.interpreter.family is Family.GLIBC:
        return ".".join(map(str, closure.interpreter.version))
    return None


def _interpreter_fault(view: FileView, closure: Closure | None, image: Image | None) -> str:
    if closure is None or image is None or _tolerant(lambda: image.interpreter) is None:
        return ""
    return unusable(view, closure.interpreter.path, image.header)


def _payload(image: Image | None) -> Payload | None:
    return None if image is None else _tolerant(lambda: image.payload)


def _executable_stacks(closure: Closure) -> Iterator[bytes]:
    for library in closure.scope:
        if library.image is not None and library.image.stack is StackPolicy.EXECUTABLE:
            yield library.path or library.soname


def _wishes(image: Image) -> Iterator[DlopenRow]:
    notes = _tolerant(lambda: image.notes)
    for wish in (_tolerant(lambda: notes.dlopen) or ()) if notes is not None else ():
        if wish.sonames:
            yield DlopenRow(wish.sonames, "note", wish.priority, wish.feature or "")


def _isa_level(image: Image) -> int:
    """Return GNU_PROPERTY_X86_ISA_1_NEEDED as a level; bit 0 is the baseline, bit 1 v2 and so on."""
    notes = _tolerant(lambda: image.notes)
    for item in (_tolerant(lambda: notes.properties) or ()) if notes is not None else ():
        if item.type == X86_ISA_NEEDED and item.content:
            return item.content[0].bit_length()
    return 0


def _kernel_wanted(image: Image) -> tuple[int, int, int] | None:
    notes = _tolerant(lambda: image.notes)
    tag = _tolerant(lambda: notes.abi_tag) if notes is not None else None
    return (tag.major, tag.minor, tag.patch) if tag is not None and tag.os == "Linux" else None


def _nearby(view: FileView, program: bytes, image: Image, report: Report) -> dict[bytes, bytes]:
    missing = {row.soname for row in report.libraries if row.path is None and b"/" not in row.soname}
    if not missing:
        return {}
    from denizen.diagnose.nearby_libraries import files_beside  # 0.3 ms that only a missing library pays

    return files_beside(view, program, image, missing)


def _tolerant(ask: Callable[[], T]) -> T | None:
    """Return the answer of `ask`, None where the file is damaged; another check reports the damage."""
    try:
        return ask()
    except BadInput:
        return None
