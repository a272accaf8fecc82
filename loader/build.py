#!/usr/bin/env python3
"""Compile the loader or a companion: `build.py OUTPUT [COMPILER...]`.

OUTPUT's name says which: denizen-loader…, denizen-attach… (attach/), denizen-bundle… (the loader with
unpack/), denizen-enter… (enter/), denizen-front… (front/), denizen-ldconfig… (ldconfig/), or one of the
libraries denizen-inside… (inside/), denizen-exec… (of it what executes programs) and
denizen-resident… (resident/).
Used by make, by the wheel's build hook and by tests.

Every flag that is not a warning is here because the loader runs before anything is set up: no C
library, no thread pointer (so no stack protector), no relocations, one segment.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# Of the loader's own folder, what each library put into programs has.
INSIDE_PROGRAMS = (
    "text.c",
    "failure_note.c",
    "failure_signals.c",
    "budget.c",
    "helper_process.c",
    "unseen_child.c",
    "symbols.c",
)
LOADER = ("*.c", *(f"enter/{stem}.c" for stem in ("made_names", "own_mounts", "users")))
COMPANIONS = {
    "denizen-attach": ("text.c", "arena.c", "temporary_directory.c", "enter/variables.c", "attach/*.c"),
    "denizen-bundle": (*LOADER, "enter/errno_text.c", "unpack/*.c"),
    "denizen-enter": (
        *("text.c", "covered_linker.c", "arena.c", "temporary_directory.c", "budget.c", "helper_process.c"),
        *("command_names.c", "command_records.c", "looked_places.c", "starters.c", "inside/command_looker.c"),
        *("resident/library_names.c", "resident/package_index.c", "enter/*.c"),
    ),
    "denizen-front": ("text.c", "front/*.c"),
    "denizen-ldconfig": ("text.c", "loader_settings.c", "resident/package_index.c", "ldconfig/*.c"),
    "denizen-inside": (
        *INSIDE_PROGRAMS,
        "command_names.c",
        "command_records.c",
        "looked_places.c",
        "starters.c",
        "inside/*.c",
    ),
    "denizen-exec": (
        *INSIDE_PROGRAMS,
        "command_names.c",
        "command_records.c",
        "looked_places.c",
        "starters.c",
        *(f"inside/{stem}.c" for stem in ("child", "ending", "exec", "open", "shell", "spawn", "stat")),
        *(f"inside/{stem}.c" for stem in ("command_looker", "command_search", "missing_command")),
        *(f"inside/{stem}.c" for stem in ("loader_facts", "path_redirection", "search_path")),
        *(f"inside/{stem}.c" for stem in ("list", "missing_place", "real_path", "told_path")),
    ),
    "denizen-resident": (*INSIDE_PROGRAMS, "resident/*.c"),
}
# What waits for memory and arithmetic alone is half as fast for size.
FAST = (
    "unpack/fse.c",
    "unpack/huffman.c",
    "unpack/lzma.c",
    "unpack/sha256.c",
    "unpack/unwind.c",
    "unpack/x86.c",
    "unpack/zstd.c",
)
# What goes into bundles has no symbols; "" is the loader.
FLAGS = {stem: ["-Wl,-s"] for stem in ("", "denizen-bundle", "denizen-inside", "denizen-resident")}
LIBRARIES = ("denizen-exec", "denizen-inside", "denizen-resident")
# Sources beside the loader's own that only the libraries have.
OF_LIBRARIES = (
    "budget.c",
    "command_names.c",
    "command_records.c",
    "failure_note.c",
    "failure_signals.c",
    "looked_places.c",
    "unseen_child.c",
    "symbols.c",
)
# Instead of unpack/, in what has no image.
PACKED_ABSENT = "packed_absent.c"

# fmt: off
# bubblewrap's set, and conversions, because sizes come from files.
WARNINGS = [
    "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Wshadow", "-Wundef", "-Wcast-align", "-Wcast-qual",
    "-Wconversion", "-Wformat=2", "-Wimplicit-fallthrough", "-Wmissing-prototypes", "-Wnested-externs",
    "-Wnull-dereference", "-Wold-style-definition", "-Wpointer-arith", "-Wredundant-decls",
    "-Wstrict-prototypes", "-Wswitch-enum", "-Wvla", "-Wwrite-strings",
]
FREESTANDING = [
    "-std=c11", "-Os", "-ffreestanding", "-fno-builtin", "-fvisibility=hidden",
    "-fno-stack-protector", "-fno-stack-clash-protection", "-fno-asynchronous-unwind-tables",
    "-fno-tree-loop-distribute-patterns", "-U_FORTIFY_SOURCE",
]
# The largest page that a machine's kernels are made with, in bytes: the file is padded to it (link.ld).
LARGEST_PAGES = {"aarch64": 0x10000}
PAGE = 0x1000
LINK = [
    "-fPIE", "-nostdlib", "-static-pie", "-Wl,--no-dynamic-linker", f"-Wl,-T,{HERE / 'link.ld'}",
    "-Wl,-z,noexecstack", "-Wl,--build-id=none",
    "-Wl,--fatal-warnings",
]
# No libraries of its own, so that it loads beside any C library; all that is called is looked up when it is
# loaded, so that nothing of ld.so's runs in a child of vfork. Two segments and not four: 15 us at each start.
SHARED = [
    "-fPIC", "-nostdlib", "-shared", "-Wl,-z,noexecstack,-z,relro,-z,now,-z,defs,-z,noseparate-code",
    "-Wl,--build-id=none", "-Wl,--hash-style=both",
    "-Wl,--fatal-warnings", "-O2",
]
# fmt: on


def command(output: Path, compiler: list[str]) -> list[str]:
    """The one command that compiles and links it."""
    stem = next((stem for stem in COMPANIONS if output.name.startswith(stem)), None)
    patterns = COMPANIONS[stem] if stem else LOADER
    sources = sorted(str(source) for pattern in patterns for source in HERE.glob(pattern))
    fast = {str(HERE / name) for name in FAST}
    if "*.c" in patterns:
        others = (*OF_LIBRARIES, *([PACKED_ABSENT] if stem else []))
        sources = [source for source in sources if Path(source).name not in others]
    return [
        *compiler,
        *WARNINGS,
        *FREESTANDING,
        *([f"-Wl,-soname,{stem}.so"] if stem in LIBRARIES else []),
        *(SHARED if stem in LIBRARIES else [*LINK, f"-Wl,-z,max-page-size={largest_page(compiler)}"]),
        *FLAGS.get(stem or "", []),
        "-o",
        str(output),
        *[source for source in sources if source not in fast],
    ]


def largest_page(compiler: list[str]) -> int:
    """Return the size in bytes of the largest page of the machine that a compiler compiles for."""
    machine = subprocess.run([*compiler, "-dumpmachine"], check=True, capture_output=True, text=True).stdout
    return LARGEST_PAGES.get(machine.split("-")[0], PAGE)


def fast_command(output: Path, compiler: list[str]) -> list[str]:
    """The command that compiles what is compiled for speed, into one object."""
    sources = [str(HERE / name) for name in FAST]
    return [
        *compiler,
        *WARNINGS,
        *FREESTANDING,
        "-O2",
        "-fPIE",
        "-nostdlib",
        "-r",
        "-o",
        str(output),
        *sources,
    ]


def build(output: Path, compiler: list[str], *, quiet: bool = False) -> None:
    """Compile to `output`; a CalledProcessError tells what the compiler did not like."""
    errors = subprocess.DEVNULL if quiet else None
    with tempfile.TemporaryDirectory() as directory:
        further = []
        if output.name.startswith("denizen-bundle"):
            further = [str(Path(directory, "fast.o"))]
            subprocess.run(fast_command(Path(further[0]), compiler), check=True, stderr=errors)
        subprocess.run([*command(output, compiler), *further], check=True, stderr=errors)


if __name__ == "__main__":
    build(Path(sys.argv[1]), sys.argv[2:] or ["cc"])
