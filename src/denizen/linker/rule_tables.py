"""The dynamic linkers' rules, and the reasons for which they refuse a file, each with its source (pure).

glibc_search.py and musl_rules.py apply them, docs/linker-rules.md describes them in prose. glibc's sources
are those of 2.36, the version this was checked against line by line; constants named UNTIL and SINCE give the
versions where that differs.
"""

from __future__ import annotations

from denizen.value import Enum, Value


class LinkerRule(Value):
    """A rule by which a library is found.

    Attributes:
        name: the identifier used in --json and the tests; it does not change.
        title: the rule in plain words, to follow "found by" or "tried".
        source: the place in the linker's own code.
    """

    name: str
    title: str
    source: str


PROGRAM = LinkerRule("program", "the program itself", "execve(2)")
INTERPRETER = LinkerRule("interpreter", "the program's interpreter", "glibc elf/rtld.c rtld_setup_main_map")
VDSO = LinkerRule("vdso", "the kernel's own object", "vdso(7); glibc elf/setup-vdso.h")
PATH = LinkerRule("path", "its name is a path", "glibc elf/dl-load.c _dl_map_object; musl load_library")
RPATH = LinkerRule("rpath", "DT_RPATH", "ld.so(8); glibc elf/dl-load.c _dl_map_object, cache_rpath")
LIBRARY_PATH = LinkerRule("library-path", "LD_LIBRARY_PATH", "ld.so(8); glibc elf/dl-load.c _dl_init_paths")
RUNPATH = LinkerRule("runpath", "DT_RUNPATH", "ld.so(8); glibc elf/dl-load.c _dl_map_object")
CACHE = LinkerRule("cache", "ld.so.cache", "ldconfig(8); glibc elf/dl-cache.c _dl_load_cache_lookup")
DEFAULT = LinkerRule("default", "the default directories", "ld.so(8); glibc elf/dl-load.c system_dirs")
MUSL_RPATH = LinkerRule("rpath", "DT_RUNPATH or DT_RPATH", "musl ldso/dynlink.c load_library, fixup_rpath")
MUSL_PATH = LinkerRule("system-path", "musl's system path", "musl ldso/dynlink.c load_library, sys_path")
BUILT_IN = LinkerRule("built-in", "part of musl's libc", "musl ldso/dynlink.c load_library, reserved")
EXTRA = LinkerRule("extra", "directories added by denizen", "Environment.extra_directories")

# Rules that find only libraries of the system itself.
SYSTEM_RULES: tuple[LinkerRule, ...] = (CACHE, DEFAULT, INTERPRETER, VDSO, MUSL_PATH, BUILT_IN)


class Reason(Enum):
    """The reason for which a file was refused, in ld.so's own words where it has some."""

    ABSENT = "absent"
    NO_DIRECTORY = "no such directory"
    UNREADABLE = "permission denied"
    WRONG_CLASS = "wrong ELF class"
    WRONG_MACHINE = "wrong machine"
    NEWER_KERNEL = "asks for a newer kernel"
    NOT_SETUID = "not set-user-ID, which a preloaded library of a set-user-ID program must be"
    NODEFLIB = "in a default directory, which DF_1_NODEFLIB rules out"
    UNEXPANDED = "a dynamic string token in it has no value here"
    STOPPED = "cannot be opened, which ends this list of directories"
    TOO_LONG = "the name is too long"
    # The reasons below end the start of the program.
    UNREADABLE_DATA = "cannot read file data"
    TOO_SHORT = "file too short"
    NOT_ELF = "invalid ELF header"
    BYTE_ORDER = "ELF file data encoding not little-endian"
    IDENT_VERSION = "ELF file version ident does not match current one"
    OSABI = "ELF file OS ABI invalid"
    ABI_VERSION = "ELF file ABI version invalid"
    PADDING = "nonzero padding in e_ident"
    VERSION = "ELF file version does not match current one"
    NOT_LOADABLE = "only ET_DYN and ET_EXEC can be loaded"
    PHENTSIZE = "ELF file's phentsize not the expected size"
    EXECUTABLE = "cannot dynamically load executable"
    PIE = "cannot dynamically load position-independent executable"
    NO_SEGMENTS = "object file has no loadable segments"
    NO_DYNAMIC = "object file has no dynamic section"
    EMPTY_EXPANSION = "empty dynamic string token substitution"
    SECURE_TOKEN = "DST not allowed in SUID/SGID programs"  # noqa: S105  # ld.so's message
    MALFORMED = "malformed"
