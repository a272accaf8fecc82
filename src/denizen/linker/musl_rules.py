"""The objects musl's dynamic linker loads, its search, and the load order (pure over a FileView).

Source: musl 1.2.3 ldso/dynlink.c, load_library, path_open, fixup_rpath, load_preload, load_deps.

musl searches LD_LIBRARY_PATH; then the search path of the requesting object, of the object that requested
that one, and so on (DT_RUNPATH and DT_RPATH alike, DT_RUNPATH if both); then /etc/ld-musl-ARCH.path below
the interpreter's own prefix, or /lib:/usr/local/lib:/usr/lib. libc, libm, libpthread and the like are always
musl itself, even if a file of that name exists.
"""

from __future__ import annotations

import posixpath

from denizen.fileview import NAME_MAX
from denizen.linker.candidate_search import CandidateRefused, Search
from denizen.linker.glibc_search import origin_of
from denizen.linker.link_map import MAX_OBJECTS, Loaded
from denizen.linker.open_verify import check_musl
from denizen.linker.rule_tables import (
    BUILT_IN,
    EXTRA,
    INTERPRETER,
    LIBRARY_PATH,
    MUSL_PATH,
    MUSL_RPATH,
    PATH,
    Reason,
)
from denizen.linker.search_results import FoundObject, SearchAttempt
from denizen.linker.tokens import expand_origin_only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView
    from denizen.linker.built_in_rules import Interpreter
    from denizen.linker.open_verify import VerifyTarget
    from denizen.linker.process_environment import Environment
    from denizen.linker.rule_tables import LinkerRule

# musl's load_library: any lib + NAME + "." + anything is musl itself.
_RESERVED: tuple[bytes, ...] = (b"c.", b"pthread.", b"rt.", b"m.", b"dl.", b"util.", b"xnet.")
_SYSTEM_PATH = b"/lib:/usr/local/lib:/usr/lib"
# Symbols by which musl recognises a libc, its own or another, that is opened by an absolute path.
_LIBC_MARKS = frozenset({b"__libc_start_main", b"stdin"})


class MuslLoading:
    """The loading of one program; `run` fills `chain`, `scope` and `failures`.

    Attributes:
        program: the program.
        chain: the objects in the order of loading.
        failures: files at which musl would have stopped.
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
        self._files = Search(view, environment.directory, target, check_musl, environment.parse)
        self.program = program
        self.chain: list[Loaded] = [program]
        self.failures: list[CandidateRefused] = []
        self._self = self._own_object()
        self._self_listed = False
        self._by_name: dict[bytes, Loaded] = {}
        self._by_identity: dict[tuple[int, int], Loaded] = {}
        self._system_path: bytes | None = None

    @property
    def scope(self) -> list[Loaded]:
        """The objects in the order symbols are looked up, which is that of loading."""
        return self.chain

    def run(self) -> None:
        """Load everything: preloads first, then each object's NEEDED, breadth first."""
        for name in self._preload_names():
            loaded = self._load(name, None)
            if loaded is not None:
                loaded.asked_by = b"LD_PRELOAD"
        at = 0
        while at < len(self.chain) and len(self.chain) < MAX_OBJECTS:
            current = self.chain[at]
            for name in current.needed:
                if self._load(name, current) is None:
                    self._fake(name, current)
            at += 1
        # musl itself is always loaded, last if no object requests a libc.
        if not self._self_listed:
            self.chain.append(self._self)

    def _own_object(self) -> Loaded:
        named = self.program.image.interpreter if self.program.image else None
        linker = Loaded(named or self._interpreter.path, self._interpreter.path, rule=INTERPRETER)
        linker.loader = self.program
        try:
            found = self._files.open(self._interpreter.path, INTERPRETER)
        except CandidateRefused:
            found = Reason.MALFORMED
        if isinstance(found, FoundObject):
            linker.describe(found.image)
            linker.needed = ()
        self._files.take_tried()
        return linker

    def _preload_names(self) -> list[bytes]:
        if self._environment.secure or not self._environment.preload:
            return []
        return self._environment.preload.replace(b":", b" ").split()

    def _load(self, name: bytes, loader: Loaded | None) -> Loaded | None:
        """Return the object `name`, loaded if necessary (load_library); None if not found."""
        if not name:
            return None
        if _is_reserved(name) or name == self._self.name:
            return self._list_self()
        if b"/" not in name and name in self._by_name:
            return self._by_name[name]
        try:
            found = self._find(name, loader)
        except CandidateRefused as refused:
            self.failures.append(refused)
            return None
        return None if found is None else self._add(name, found, loader)

    def _list_self(self) -> Loaded:
        if not self._self_listed:
            self._self_listed = True
            self._self.rule = BUILT_IN
            self.chain.append(self._self)
        return self._self

    def _add(self, name: bytes, found: FoundObject, loader: Loaded | None) -> Loaded | None:
        same = self._by_identity.get(found.identity)
        searched = b"/" not in name
        if same is not None:
            self._files.take_tried()
            if searched:
                self._by_name.setdefault(posixpath.basename(same.path or b""), same)
            return same
        if not searched and found.image.symbols.defined_names >= _LIBC_MARKS:
            # musl replaces a libc requested by an absolute path, musl or not, by itself.
            return self._list_self()
        loaded = Loaded(name, found.path, rule=found.rule, loader=loader)
        loaded.identity = found.identity
        loaded.origin = origin_of(found.path, self._environment.directory)
        loaded.describe(found.image)
        loaded.tried = self._files.take_tried()
        self.chain.append(loaded)
        self._by_identity[found.identity] = loaded
        if searched:
            # An object found by search is known by its file's name; musl ignores its soname.
            self._by_name.setdefault(posixpath.basename(found.path), loaded)
        return loaded

    def _fake(self, name: bytes, loader: Loaded) -> None:
        missing = Loaded(name, None, loader=loader)
        missing.tried = self._files.take_tried()
        self.chain.append(missing)

    def _find(self, name: bytes, loader: Loaded | None) -> FoundObject | None:
        """Return the file for `name`, or None. Raises CandidateRefused."""
        if b"/" in name:
            outcome = self._files.open(name, PATH)
            return outcome if isinstance(outcome, FoundObject) else None
        if len(name) > NAME_MAX:
            return None
        for rule, path in self._paths(loader):
            for directory in path.replace(b"\n", b":").split(b":"):
                if not directory:
                    continue
                outcome = self._files.open(directory + b"/" + name, rule)
                if isinstance(outcome, FoundObject):
                    return outcome
                if outcome is Reason.STOPPED:
                    return None
        return None

    def _paths(self, loader: Loaded | None) -> Iterator[tuple[LinkerRule, bytes]]:
        environment = self._environment
        if not environment.secure and environment.library_path:
            yield LIBRARY_PATH, environment.library_path
        at = loader
        while at is not None:
            yield MUSL_RPATH, self._rpath_of(at)
            at = at.loader
        yield MUSL_PATH, self._system_path_text()
        yield EXTRA, b":".join(environment.extra_directories)

    def _rpath_of(self, of: Loaded) -> bytes:
        """Return an object's search path with `$ORIGIN` replaced (fixup_rpath).

        No other token is known, and `$ORIGIN` is refused for the program itself under AT_SECURE.
        """
        if of.dynamic is None:
            return b""
        path = of.dynamic.runpath if of.dynamic.runpath is not None else of.dynamic.rpath
        if path is None or b"$" not in path:
            return path or b""
        if self._environment.secure and of is self.program:
            return b""
        expanded = expand_origin_only(path, of.origin or b".")
        if expanded is None:
            self._files.tried.append(SearchAttempt(path, MUSL_RPATH, Reason.UNEXPANDED))
        return expanded or b""

    def _system_path_text(self) -> bytes:
        """Return the content of etc/ld-musl-ARCH.path below the parent of the interpreter's directory."""
        if self._system_path is None:
            prefix = self._interpreter.path.rpartition(b"/")[0].rpartition(b"/")[0]
            try:
                content = self._view.read(prefix + b"/etc/ld-musl-" + self._interpreter.arch + b".path")
                self._system_path = bytes(content).partition(b"\0")[0]
            except FileNotFoundError:
                self._system_path = _SYSTEM_PATH
            except OSError:
                self._system_path = b""
        return self._system_path


def _is_reserved(name: bytes) -> bool:
    return name.startswith(b"lib") and name[3:].startswith(_RESERVED)
