"""The library search of glibc's ld.so (pure over a FileView).

Source: glibc 2.36 elf/dl-load.c, _dl_map_object, open_path, fillin_rpath, decompose_rpath and
_dl_init_paths; the table is in docs/linker-rules.md.
"""

from __future__ import annotations

import posixpath

from denizen.elf.cached_property import once
from denizen.errors import BadInput
from denizen.linker import hwcaps
from denizen.linker.candidate_search import CandidateRefused, Search
from denizen.linker.ldcache import CacheQuery, legacy_bits, open_cache
from denizen.linker.open_verify import check_glibc
from denizen.linker.rule_tables import (
    CACHE,
    DEFAULT,
    EXTRA,
    LIBRARY_PATH,
    PATH,
    RPATH,
    RUNPATH,
    Reason,
)
from denizen.linker.search_results import FoundObject, SearchAttempt
from denizen.linker.tokens import Tokens, expand
from denizen.machines import cache_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.linker.built_in_rules import Interpreter
    from denizen.linker.ldcache import Cache
    from denizen.linker.link_map import Loaded
    from denizen.linker.open_verify import VerifyTarget
    from denizen.linker.process_environment import Environment
    from denizen.linker.rule_tables import LinkerRule
    from denizen.linker.search_results import Known

# The order of rules for a name without a slash.
GLIBC_ORDER: tuple[LinkerRule, ...] = (RPATH, LIBRARY_PATH, RUNPATH, CACHE, DEFAULT, EXTRA)
# Until 2.35 an object that asks for a newer kernel (NT_GNU_ABI_TAG) is skipped: elf/dl-load.c open_verify;
# the check was removed by commit "Remove kernel version check", 2.36.
KERNEL_CHECK_UNTIL = (2, 35)
# Elements of a search path; ld.so has no limit but the number of separators in the string.
MAX_ELEMENTS = 65_536


class GlibcSearch:
    """The search for the libraries of one program.

    Attributes:
        files: opens candidates and records those tried.
    """

    def __init__(
        self, view: FileView, environment: Environment, interpreter: Interpreter, target: VerifyTarget
    ) -> None:
        self._environment = environment
        self._interpreter = interpreter
        self._target = target
        self.files = Search(view, environment.directory, target, check_glibc, environment.parse)
        processor = target.machine, environment.cpu, interpreter.version
        self._subdirectories = hwcaps.subdirectories(*processor)
        self._platform = hwcaps.platform(*processor)
        self._library_path: tuple[bytes, ...] | None = None
        extra = [_with_slash(directory) for directory in environment.extra_directories]
        self._extra_directories = tuple(extra)
        self._answers: dict[object, Known] | None = None
        if environment.answers is not None:
            self._answers = environment.answers.setdefault((interpreter, target), {})

    def find(
        self, name: bytes, loader: Loaded, program: Loaded, *, secure: bool = False
    ) -> FoundObject | None:
        """Return the file ld.so would open for `name`, requested by `loader`; None if there is none.

        `secure` is for preloaded libraries of a set-user-ID program (__RTLD_SECURE).

        Raises:
            CandidateRefused: ld.so would stop here.
        """
        if b"/" in name:
            return self._accept(self.files.open(name, PATH))
        if self._answers is None or secure:
            return self._look(name, loader, program, secure=secure)
        if loader.answers is None:
            loader.answers = self._answers.setdefault(self._standing(loader, program), {})
        known = loader.answers.get(name)
        if known is None:
            before = len(self.files.tried)
            found = self._look(name, loader, program, secure=secure)
            loader.answers[name] = found, tuple(self.files.tried[before:])
            return found
        self.files.tried += known[1]
        return known[0]

    def _standing(self, loader: Loaded, program: Loaded) -> object:
        """Return the properties of `loader` that determine the results of its searches, as a cache key.

        The rules need not be part of it: the directories of `_places` show the presence of DT_RPATH, and the
        flag that of the default directories.
        """
        return loader.nodeflib, tuple([directories for _, directories in self._places(loader, program)])

    def _look(self, name: bytes, loader: Loaded, program: Loaded, *, secure: bool) -> FoundObject | None:
        for rule, directories in self._places(loader, program):
            found = (
                self._from_cache(name, loader, secure=secure)
                if rule is CACHE
                else self._from_directories(name, rule, directories, secure=secure)
            )
            if found is not None:
                return found
        return None

    def tokens(self, of: Loaded, *, program: bool) -> Tokens:
        """Return the values of the tokens in names and paths of an object."""
        return Tokens(
            origin=of.origin,
            lib=self._interpreter.lib,
            platform=self._platform,
            secure=self._environment.secure,
            trusted=self._interpreter.system_directories if self._environment.secure and program else None,
        )

    def _places(self, loader: Loaded, program: Loaded) -> tuple[tuple[LinkerRule, tuple[bytes, ...]], ...]:
        """Return the rules with their directories, the same for every name that `loader` requests."""
        if loader.places is None:
            loader.places = tuple(self._ordered(loader, program))
        return loader.places

    def _ordered(self, loader: Loaded, program: Loaded) -> Iterator[tuple[LinkerRule, tuple[bytes, ...]]]:
        """Yield the rules of GLIBC_ORDER, each with its directories; the cache has none."""
        for rule in GLIBC_ORDER:
            if rule is RPATH:
                if loader.dynamic is None or loader.dynamic.runpath is None:
                    yield from ((RPATH, dirs) for dirs in self._inherited(loader, program))
            elif rule is LIBRARY_PATH:
                yield rule, self._library_path_of(program)
            elif rule is RUNPATH:
                yield rule, self._runpath_of(loader, program)
            elif rule is DEFAULT:
                if not loader.nodeflib:
                    yield rule, self._interpreter.system_directories
            else:
                yield rule, self._extra_directories if rule is EXTRA else ()

    def _inherited(self, loader: Loaded, program: Loaded) -> Iterator[tuple[bytes, ...]]:
        """Yield DT_RPATH of the loader, of its loader, and so on.

        The program's last if it was not among them.
        """
        at: Loaded | None = loader
        seen_program = False
        while at is not None:
            yield self._rpath_of(at, program)
            seen_program |= at is program
            at = at.loader
        if not seen_program:
            yield self._rpath_of(program, program)

    def _rpath_of(self, of: Loaded, program: Loaded) -> tuple[bytes, ...]:
        if of.rpath_directories is None:
            dynamic = of.dynamic
            # An object with a DT_RUNPATH has no DT_RPATH (elf/get-dynamic-info.h).
            rpath = None if dynamic is None or dynamic.runpath is not None else dynamic.rpath
            of.rpath_directories = self._split(rpath, b":", of, program=of is program)
        return of.rpath_directories

    def _runpath_of(self, of: Loaded, program: Loaded) -> tuple[bytes, ...]:
        if of.runpath_directories is None:
            runpath = None if of.dynamic is None else of.dynamic.runpath
            of.runpath_directories = self._split(runpath, b":", of, program=of is program)
        return of.runpath_directories

    def _library_path_of(self, program: Loaded) -> tuple[bytes, ...]:
        if self._library_path is None:
            path = None if self._environment.secure else self._environment.library_path
            split = self._split(path and path.replace(b";", b":"), b":", program, program=True)
            self._library_path = split
        return self._library_path

    def _split(self, path: bytes | None, separator: bytes, of: Loaded, *, program: bool) -> tuple[bytes, ...]:
        """Return the directories of a search path by fillin_rpath's rules.

        Tokens are replaced, one slash ends each, an empty element is the working directory.
        """
        if not path:
            return ()
        tokens = self.tokens(of, program=program)
        directories: list[bytes] = []
        for element in path.split(separator, MAX_ELEMENTS):
            directory = expand(element, tokens)
            if directory is None or (element and not directory):
                continue
            directories.append(_with_slash(directory) if directory else b"")
        return tuple(dict.fromkeys(directories))

    def _from_directories(
        self, name: bytes, rule: LinkerRule, directories: tuple[bytes, ...], *, secure: bool
    ) -> FoundObject | None:
        """Search each directory with each of its hwcaps subdirectories (open_path)."""
        for directory in directories:
            if directory.startswith(b"/") and not self.files.is_directory(directory):
                self.files.tried.append(SearchAttempt(directory, rule, Reason.NO_DIRECTORY))
                continue
            outcome = self._from_directory(name, rule, directory, secure=secure)
            if isinstance(outcome, FoundObject):
                return outcome
            if outcome in (Reason.STOPPED, Reason.TOO_LONG):
                break
        return None

    def _from_directory(
        self, name: bytes, rule: LinkerRule, directory: bytes, *, secure: bool
    ) -> FoundObject | Reason:
        outcome: FoundObject | Reason = Reason.ABSENT
        for subdirectory in self._subdirectories:
            place = directory + subdirectory
            if subdirectory and place.startswith(b"/") and not self.files.is_directory(place):
                continue
            outcome = self.files.open(place + name, rule)
            found = self._accept(outcome)
            if found is not None and secure and not self.files.setuid(found.path):
                self.files.tried.append(SearchAttempt(found.path, rule, Reason.NOT_SETUID))
                outcome = Reason.NOT_SETUID
                continue
            if found is not None:
                return found
        return outcome if isinstance(outcome, Reason) else Reason.NEWER_KERNEL

    def _from_cache(self, name: bytes, loader: Loaded, *, secure: bool) -> FoundObject | None:
        if secure:
            return None
        cache = self._cache
        path = cache.lookup(name, self._wanted) if cache is not None else None
        if path is None:
            self.files.tried.append(SearchAttempt(self._interpreter.cache, CACHE, Reason.ABSENT))
            return None
        if loader.nodeflib and path.startswith(self._interpreter.system_directories):
            self.files.tried.append(SearchAttempt(path, CACHE, Reason.NODEFLIB))
            return None
        return self._accept(self.files.open(path, CACHE))

    def _accept(self, outcome: FoundObject | Reason) -> FoundObject | None:
        """Return a found file, or None if it asks for a newer kernel than this (until 2.35)."""
        if not isinstance(outcome, FoundObject):
            return None
        if self._environment.kernel is None or self._interpreter.version > KERNEL_CHECK_UNTIL:
            return outcome
        if _old_enough(outcome.image, self._environment.kernel):
            return outcome
        self.files.tried.append(SearchAttempt(outcome.path, outcome.rule, Reason.NEWER_KERNEL))
        return None

    @once
    def _cache(self) -> Cache | None:
        try:
            return open_cache(self.files.view.read(self._interpreter.cache), little=self._target.little)
        except (OSError, BadInput):
            return None

    @once
    def _wanted(self) -> CacheQuery:
        version, cpu = self._interpreter.version, self._environment.cpu
        capabilities = hwcaps.capabilities(self._target.machine, cpu, version)
        legacy = version <= hwcaps.LEGACY_UNTIL
        return CacheQuery(
            flags=cache_flags(self._target.machine, self._target.bits, little=self._target.little),
            named=hwcaps.named(self._target.machine, cpu) if version >= hwcaps.NAMED_SINCE else (),
            level=cpu.level,
            legacy=legacy_bits(self._platform, capabilities) if legacy else None,
            kernel=self._environment.kernel if version <= KERNEL_CHECK_UNTIL else None,
        )


def _old_enough(image: Image, kernel: tuple[int, int, int]) -> bool:
    """Return whether NT_GNU_ABI_TAG names Linux and no newer kernel; a malformed tag counts as none."""
    try:
        tag = image.notes.abi_tag
    except BadInput:
        return True
    return tag is None or (tag.os == "Linux" and (tag.major, tag.minor, tag.patch) <= kernel)


def origin_of(path: bytes, directory: bytes) -> bytes:
    """Return `$ORIGIN` as _dl_new_object does: the directory of the path as opened, links and `..` kept."""
    absolute = path if path.startswith(b"/") else posixpath.join(directory, path)
    return absolute.rpartition(b"/")[0] or b"/"


def refuse_needed(path: bytes, *, secure: bool) -> CandidateRefused:
    """Return the error for tokens in DT_NEEDED that have no value or are not allowed.

    As _dl_map_object_deps does.
    """
    return CandidateRefused(path, Reason.SECURE_TOKEN if secure else Reason.EMPTY_EXPANSION)


def _with_slash(directory: bytes) -> bytes:
    return (directory.rstrip(b"/") or b"") + b"/"
