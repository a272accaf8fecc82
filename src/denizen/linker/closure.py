"""The closure of a program: all libraries it loads, with the rule that found each, by `resolve` (pure).

    closure = resolve(view, b"/usr/bin/program", Environment())
    for library in closure.libraries: library.soname, library.path, library.rule, library.tried

Unlike the start of a program, the resolution does not end at a missing library: all missing libraries are
found in one pass. Files are read through a FileView.
"""

from __future__ import annotations

from denizen.elf.image import read
from denizen.linker.built_in_rules import Family, assumed, read_interpreter
from denizen.linker.glibc_load_order import GlibcLoading
from denizen.linker.glibc_search import origin_of
from denizen.linker.link_map import Loaded
from denizen.linker.open_verify import target_of
from denizen.linker.process_environment import LinkerStart
from denizen.linker.rule_tables import PROGRAM
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.linker.built_in_rules import Interpreter
    from denizen.linker.musl_rules import MuslLoading
    from denizen.linker.process_environment import Environment
    from denizen.linker.rule_tables import LinkerRule, Reason
    from denizen.linker.search_results import SearchAttempt


class LoadedLibrary(Value):
    """One line of `ld.so --list`, with the reason for it.

    Attributes:
        soname: the name it was first requested by.
        path: the path of its file; None if not found.
        rule: the rule that found it; None if none did.
        needed_by: path of the object that requested it first, LD_PRELOAD, or the path of ld.so.preload.
        tried: the paths tried before, in order.
        names: every name it is found by once loaded.
        image: the parsed file; None for the vDSO and for a library not found.
    """

    soname: bytes
    path: bytes | None
    rule: LinkerRule | None
    needed_by: bytes | None
    tried: tuple[SearchAttempt, ...] = ()
    names: tuple[bytes, ...] = ()
    image: Image | None = None

    @property
    def needed(self) -> tuple[bytes, ...]:
        """Its DT_NEEDED."""
        dynamic = self.image.dynamic if self.image is not None else None
        return () if dynamic is None else dynamic.needed


class Failure(Value):
    """A file at which ld.so stops instead of searching further."""

    path: bytes
    reason: Reason
    detail: str = ""


class Closure(Value):
    """A program and everything it loads.

    Attributes:
        program: the program itself.
        interpreter: the dynamic linker modelled.
        interpreter_found: its file exists.
        libraries: in load order, as `ld.so --list` prints them.
        scope: the program and its libraries in the order symbols are looked up.
        failures: files at which the start would have ended.
    """

    program: LoadedLibrary
    interpreter: Interpreter
    interpreter_found: bool
    libraries: tuple[LoadedLibrary, ...]
    scope: tuple[LoadedLibrary, ...]
    failures: tuple[Failure, ...] = ()

    @property
    def images(self) -> tuple[Image, ...]:
        """The program and those of its libraries that were found, in the order symbols are looked up."""
        return tuple(loaded.image for loaded in self.scope if loaded.image is not None)

    @property
    def missing(self) -> tuple[LoadedLibrary, ...]:
        """The libraries that were not found, each soname once."""
        return tuple({library.soname: library for library in self.libraries if library.path is None}.values())


def resolve(view: FileView, program: bytes, environment: Environment) -> Closure:
    """Return everything the dynamic linker would load to start `program`, read through `view`.

    Raises:
        OSError: the program cannot be read.
        BadInput: it is not a readable ELF file.
    """
    image = (environment.parse or read)(view.read(_absolute(program, environment)))
    interpreter, found = _interpreter(view, image, environment)
    main = _main(view, program, image, environment)
    loading = _rules_of(interpreter.family)(view, environment, interpreter, target_of(image), main)
    if image.dynamic is not None:
        loading.run()
    objects = {id(loaded): loaded for loaded in [*loading.chain, *loading.scope]}
    made = {key: _library(loaded) for key, loaded in objects.items()}
    return Closure(
        made[id(main)],
        interpreter,
        found,
        tuple(made[id(loaded)] for loaded in loading.chain if loaded is not main),
        tuple(made[id(loaded)] for loaded in loading.scope),
        tuple(Failure(refused.path, refused.reason, refused.detail) for refused in loading.failures),
    )


def _rules_of(family: Family) -> type[GlibcLoading | MuslLoading]:
    if family is Family.GLIBC:
        return GlibcLoading
    from denizen.linker.musl_rules import MuslLoading  # 0.3 ms that few programs pay

    return MuslLoading


def _interpreter(view: FileView, image: Image, environment: Environment) -> tuple[Interpreter, bool]:
    """Return the dynamic linker given, the one the program names, or one assumed from that name.

    The second value is whether its file was found.
    """
    if environment.interpreter is not None:
        return environment.interpreter, True
    path = environment.interpreter_path or image.interpreter
    if path is None:
        return assumed(b"", image.header.bits), False
    known = read_interpreter(view, _absolute(path, environment))
    return (assumed(path, image.header.bits), False) if known is None else (known, True)


def _main(view: FileView, path: bytes, image: Image, environment: Environment) -> Loaded:
    main = Loaded(path, path, rule=PROGRAM)
    main.describe(image)
    if environment.start is LinkerStart.KERNEL:
        # Started by the kernel, the program has the name "" and an origin without links (/proc/self/exe).
        main.names = [b""]
        path = view.realpath(_absolute(path, environment))
    main.origin = origin_of(path, environment.directory)
    if environment.needed is not None:
        main.needed = environment.needed
    if environment.runpath is not None:
        main.runpath_directories = tuple(d.rstrip(b"/") + b"/" for d in environment.runpath.split(b":") if d)
        main.rpath_directories = ()
    return main


def _library(loaded: Loaded) -> LoadedLibrary:
    asked_by = loaded.asked_by
    if asked_by is None and loaded.loader is not None:
        asked_by = loaded.loader.path
    return LoadedLibrary(
        loaded.name,
        loaded.path,
        loaded.rule,
        asked_by,
        loaded.tried,
        tuple(dict.fromkeys(loaded.names + ([loaded.soname] if loaded.soname else []))),
        loaded.image,
    )


def _absolute(path: bytes, environment: Environment) -> bytes:
    return path if path.startswith(b"/") else environment.directory.rstrip(b"/") + b"/" + path
