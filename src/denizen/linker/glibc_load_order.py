"""The objects glibc's ld.so loads, and their order (pure over a FileView).

Source: glibc 2.36 elf/rtld.c dl_main, elf/dl-deps.c _dl_map_object_deps, elf/dl-load.c _dl_map_object.

The result is two lists. The *chain* (l_next) is in the order of loading, which `ld.so --list` prints; the
*scope* (l_searchlist) is in the order in which symbols are looked up. They differ in the places of the
interpreter, the vDSO and filters.
"""

from __future__ import annotations

from denizen.linker.candidate_search import CandidateRefused
from denizen.linker.glibc_search import GlibcSearch, origin_of, refuse_needed
from denizen.linker.link_map import MAX_OBJECTS, Loaded
from denizen.linker.rule_tables import INTERPRETER, VDSO
from denizen.linker.search_results import FoundObject
from denizen.linker.tokens import expand
from denizen.machines import vdso_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView
    from denizen.linker.built_in_rules import Interpreter
    from denizen.linker.open_verify import VerifyTarget
    from denizen.linker.process_environment import Environment

DT_NEEDED, DT_AUXILIARY, DT_FILTER = 1, 0x7FFFFFFD, 0x7FFFFFFF
# handle_preload_list: no name that long is preloaded into a set-user-ID program.
SECURE_NAME_LIMIT = 255


class GlibcLoading:
    """The loading of one program; `run` fills `chain`, `scope` and `failures`.

    Attributes:
        program: the program.
        chain: the objects in the order of loading.
        scope: the objects in the order symbols are looked up.
        failures: files at which ld.so would have stopped.
    """

    def __init__(
        self,
        view: FileView,
        environment: Environment,
        interpreter: Interpreter,
        target: VerifyTarget,
        program: Loaded,
    ) -> None:
        self._view = view
        self._environment = environment
        self._interpreter = interpreter
        self._target = target
        self._search = GlibcSearch(view, environment, interpreter, target)
        self.program = program
        self.chain: list[Loaded] = [program]
        self.scope: list[Loaded] = [program]
        self.failures: list[CandidateRefused] = []
        self._by_name: dict[bytes, Loaded] = {}
        self._by_identity: dict[tuple[int, int], Loaded] = {}

    def run(self) -> None:
        """Load everything."""
        program, vdso, linker = self.program, self._vdso(), self._linker()
        program.listed = True
        self._learn(program)
        for special in (vdso, linker):
            if special is not None:
                self.chain.append(special)
                self._learn(special)
        preloaded = self._preload()
        self._load_dependencies(preloaded)
        # _dl_map_object_deps leaves what was not found out of the scope, which moves the interpreter up.
        self.scope = [loaded for loaded in self.scope if not loaded.missing]
        self._place_linker(linker)

    def _vdso(self) -> Loaded | None:
        name = self._environment.vdso
        if name is None:
            name = vdso_name(self._target.machine, self._target.bits, little=self._target.little)
        return Loaded(name, name, rule=VDSO) if name else None

    def _linker(self) -> Loaded:
        """Return the interpreter, which is loaded from the start under PT_INTERP's name and its soname."""
        named = self.program.image.interpreter if self.program.image else None
        path = self._environment.interpreter_path or self._interpreter.path
        linker = Loaded(named or path, path, rule=INTERPRETER, loader=self.program)
        linker.names.append(path)
        found = self._interpreters_file(path)
        if isinstance(found, FoundObject):
            linker.describe(found.image)
        elif self._interpreter.soname is not None:
            linker.soname = self._interpreter.soname
        self._search.files.take_tried()
        # rtld's own file identity is never recorded, so a second path to it loads it again.
        return linker

    def _interpreters_file(self, path: bytes) -> FoundObject | None:
        """Return the interpreter's file; None where ld.so's checks would refuse it.

        The kernel maps more than those accept, a static PIE too.
        """
        try:
            found = self._search.files.open(path, INTERPRETER) if self._exists(path) else None
        except CandidateRefused:
            return None
        return found if isinstance(found, FoundObject) else None

    def _exists(self, path: bytes) -> bool:
        try:
            self._view.stat(self._search.files.absolute(path))
        except OSError:
            return False
        return True

    def _learn(self, loaded: Loaded) -> None:
        """Find this object by its names from now on, unless one before it in the chain has them."""
        for name in loaded.names:
            self._by_name.setdefault(name, loaded)
        if loaded.soname is not None:
            self._by_name.setdefault(loaded.soname, loaded)
        if loaded.identity is not None:
            self._by_identity.setdefault(loaded.identity, loaded)

    def _preload(self) -> list[Loaded]:
        """Load the libraries of LD_PRELOAD, then ld.so.preload; those that fail are ignored (do_preload)."""
        secure, preloaded = self._environment.secure, []
        for name, source in self._preload_names():
            if secure and source == b"LD_PRELOAD" and (b"/" in name or len(name) >= SECURE_NAME_LIMIT):
                continue
            before = len(self.chain)
            try:
                loaded = self._map(name, self.program, secure=secure, optional=True)
            except CandidateRefused as refused:
                self.failures.append(refused)
                continue
            if loaded is not None and len(self.chain) > before:
                loaded.asked_by = source
                preloaded.append(loaded)
        return preloaded

    def _preload_names(self) -> list[tuple[bytes, bytes]]:
        names = [
            (name, b"LD_PRELOAD")
            for name in (self._environment.preload or b"").replace(b":", b" ").split(b" ")
        ]
        path = self._interpreter.preload
        try:
            content = bytes(self._view.read(path)) if path is not None else b""
        except OSError:
            content = b""
        for line in content.split(b"\n"):
            words = line.partition(b"#")[0].replace(b":", b" ").split()
            names += [(word, path or b"") for word in words]
        return [(name, source) for name, source in names if name]

    def _load_dependencies(self, preloaded: list[Loaded]) -> None:
        """Load breadth first: each object's NEEDED in the order of its dynamic section."""
        self.scope += preloaded
        for loaded in preloaded:
            loaded.listed = True
        done: set[int] = set()
        at = 0
        while at < len(self.scope):
            current = self.scope[at]
            if id(current) in done:
                at += 1
                continue
            done.add(id(current))
            at = self._load_needed(current, at)

    def _load_needed(self, current: Loaded, at: int) -> int:
        """Load all dependencies of one object.

        Return the scope position to go on at: filtees are put before it.
        """
        first = at
        for tag, name in self._dependencies(current):
            dependency = self._dependency(current, name, auxiliary=tag == DT_AUXILIARY)
            if dependency is None or len(self.scope) >= MAX_OBJECTS:
                continue
            if tag == DT_NEEDED:
                self._append(dependency)
            elif self._insert_before(dependency, current):
                first = min(first, self.scope.index(dependency))
        return first

    def _dependencies(self, of: Loaded) -> list[tuple[int, bytes]]:
        """Return the (tag, name) pairs of DT_NEEDED, DT_AUXILIARY and DT_FILTER in the section's order."""
        if of.dynamic is None:
            return []
        if not (of.dynamic.filter or of.dynamic.auxiliary) or of.needed is not of.dynamic.needed:
            return [(DT_NEEDED, name) for name in of.needed]
        names = {
            DT_NEEDED: iter(of.dynamic.needed),
            DT_AUXILIARY: iter(of.dynamic.auxiliary),
            DT_FILTER: iter(of.dynamic.filter),
        }
        return [(tag, next(names[tag])) for tag, _ in of.dynamic.entries if tag in names]

    def _dependency(self, current: Loaded, name: bytes, *, auxiliary: bool) -> Loaded | None:
        """Return the object for one entry (openaux); None where an auxiliary one is not found."""
        try:
            return self._map(self._expand(current, name), current, optional=auxiliary)
        except CandidateRefused as refused:
            if auxiliary:
                return None
            self.failures.append(refused)
            return self._fake(name, current)

    def _expand(self, current: Loaded, name: bytes) -> bytes:
        """Return `name` with its tokens replaced (expand_dst). Raises CandidateRefused."""
        if b"$" not in name:
            return name
        tokens = self._search.tokens(current, program=current is self.program)
        expanded = expand(name, tokens)
        if self._environment.secure and expanded != name:
            raise refuse_needed(name, secure=True)
        if not expanded:
            raise refuse_needed(name, secure=False)
        return expanded

    def _map(
        self, name: bytes, loader: Loaded, *, secure: bool = False, optional: bool = False
    ) -> Loaded | None:
        """Return the object `name`, already loaded or searched for (_dl_map_object).

        Raises CandidateRefused.
        """
        known = self._by_name.get(name)
        if known is not None:
            return known
        found = self._search.find(name, loader, self.program, secure=secure)
        if found is None:
            return None if optional else self._fake(name, loader)
        return self._add(name, found, loader)

    def _add(self, name: bytes, found: FoundObject, loader: Loaded) -> Loaded:
        """Return the object of a file found, which may be loaded already (_dl_map_object_from_fd)."""
        same = self._by_identity.get(found.identity)
        if same is not None:
            self._search.files.take_tried()
            same.names.append(name)
            self._by_name.setdefault(name, same)
            return same
        loaded = Loaded(name, found.path, rule=found.rule, loader=loader)
        loaded.names.append(found.path)
        loaded.identity = found.identity
        loaded.origin = origin_of(found.path, self._environment.directory)
        loaded.describe(found.image)
        loaded.tried = self._search.files.take_tried()
        self.chain.append(loaded)
        self._learn(loaded)
        return loaded

    def _fake(self, name: bytes, loader: Loaded) -> Loaded:
        """Return an entry for a library not found; each request gets its own (l_faked is never matched)."""
        missing = Loaded(name, None, loader=loader)
        missing.tried = self._search.files.take_tried()
        self.chain.append(missing)
        return missing

    def _append(self, dependency: Loaded) -> None:
        if not dependency.listed:
            dependency.listed = True
            self.scope.append(dependency)

    def _insert_before(self, filtee: Loaded, current: Loaded) -> bool:
        """Move a filtee before the object that names it, in both lists.

        Return False if it is before it already.
        """
        place = self.scope.index(current)
        if filtee.listed:
            if self.scope.index(filtee) <= place:
                return False
            self.scope.remove(filtee)
        filtee.listed = True
        self.scope.insert(place, filtee)
        self.chain.remove(filtee)
        self.chain.insert(self.chain.index(current), filtee)
        self._by_name = {}
        for loaded in self.chain:
            if not loaded.missing:
                self._learn(loaded)
        return True

    def _place_linker(self, linker: Loaded) -> None:
        """Move the interpreter behind its predecessor in the scope, as dl_main does.

        It leaves the chain where it is not in the scope.
        """
        self.chain.remove(linker)
        if linker not in self.scope[1:]:
            return
        before = self.scope[self.scope.index(linker) - 1]
        self.chain.insert(self.chain.index(before) + 1, linker)
