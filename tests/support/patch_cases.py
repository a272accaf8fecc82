"""Programs of the forms in which a patcher's mistakes have shown, made by this machine's compilers.

Each prints what depends on relocations, on thread-local storage, on zero-filled memory, on the heap and on
its program headers, and calls a library that is found by its run path.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRAM = r"""
#define _GNU_SOURCE
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifndef BSS
#define BSS 5000
#endif
#ifdef SPACE
/* a note with room for a table of section headers, where Go's linker puts it */
__asm__(".pushsection .note.space,\"a\",@note\n.long 4, 4000, 1\n.asciz \"Spc\"\n.zero 4000\n.popsection");
#endif
extern int called(int);
static int one(void) { return 1; }
static int two(void) { return 2; }
static int (*table[])(void) = {one, two, one, two};
static const char *names[] = {"alpha", "beta", "gamma"};
static __thread int local = 7;
static __thread char zeroed[333];
static char bss[BSS];
static int loads(struct dl_phdr_info *info, size_t size, void *seen) {
    int *count = seen;
    if (!*count)
        for (int i = 0; i < info->dlpi_phnum; i++)
            if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) *count = 1;
    return 0;
}
int main(int argc, char **argv) {
    int sum = 0, found = 0;
    for (int i = 0; i < 4; i++) sum += table[i]();
    for (size_t i = 0; i < sizeof bss; i++) sum += bss[i] != 0;
    bss[BSS - 1] = 1;
    char *heap = malloc(1 << 20), *small = malloc(10), *grown = sbrk(1 << 16);
    memset(heap, 1, 1 << 20);
    if (grown != (void *)-1) memset(grown, 1, 1 << 16); /* musl has no sbrk */
    strcpy(small, names[argc]);
    dl_iterate_phdr(loads, &found);
    printf("%d %s %d %d %d %.3f %d\n", sum, small, local, zeroed[332], called(argc), cos(argc), found);
    return 3;
}
"""
LIBRARY = r"""
#include <math.h>
static const char *texts[] = {"a", "b", "c"};
__thread int calls;
int called(int number) { return ++calls + number + (int)(10 * sin(texts[number] != 0)); }
"""
EXPECTED = "6 beta 7 0 10 0.540 1\n"


@dataclass(frozen=True)
class Form:
    """A way to build the program; `numbers` are reports against patchelf that it stands for.

    `library` has flags for its library; one that needs none but libc has no run path.
    """

    name: str
    flags: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    compiler: str = "gcc"
    finish: Callable[[Path], None] | None = None
    library: tuple[str, ...] = ()
    run_path: bool = True


def drop_sections(path: Path) -> None:
    """Take away the section headers, as sstrip does."""
    content = bytearray(path.read_bytes())
    wide = content[4] == 2
    for start, end in ((40, 48), (60, 64)) if wide else ((32, 36), (48, 52)):
        content[start:end] = bytes(end - start)
    path.write_bytes(content)


FORMS = (
    Form("position independent"),
    Form("at a fixed address", ("-no-pie",), (446,)),
    Form("i386", ("-m32",), (250, 585)),
    Form("i386 at a fixed address", ("-m32", "-no-pie"), (250, 585)),
    Form("packed relocations", ("-Wl,-z,pack-relative-relocs",)),
    Form("SysV hash table", ("-Wl,--hash-style=sysv",)),
    Form("code on the pages of data", ("-Wl,-z,noseparate-code",)),
    Form("bound at start", ("-Wl,-z,now,-z,relro",)),
    Form("gold", ("-fuse-ld=gold",)),
    Form("without section headers", finish=drop_sections, numbers=(66, 569)),
    Form("stripped", ("-s",)),
    Form("large zero-filled memory", ("-DBSS=9000000",)),
    Form("fixed, large zero-filled memory", ("-DBSS=9000000", "-no-pie")),
    Form("aligned to 2 MiB", ("-Wl,-z,max-page-size=0x200000",), (492, 528)),
    Form("DT_RPATH", ("-Wl,--disable-new-dtags",)),
    Form("no spare dynamic entries", ("-Wl,--spare-dynamic-tags=0",), (146,)),
    # Compiled by bun, such a program dies in _dl_check_map_versions (can1357/oh-my-pi#9881).
    Form("defines versions", ("-rdynamic", "-Wl,--version-script=versions.map,--spare-dynamic-tags=0")),
    Form("musl", compiler="musl-gcc"),
)


class Bench:
    """A directory with programs and their library, which stands in two directories."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.first = directory / "lib"
        self.other = directory / ("another-directory-with-a-long-name-" * 3)
        self.first.mkdir()
        self.other.mkdir()
        (directory / "program.c").write_text(PROGRAM)
        (directory / "library.c").write_text(LIBRARY)
        (directory / "versions.map").write_text("OWN_1 { global: main; };\n")

    def build(self, form: Form) -> Path | None:
        """The program, or None where there is no such compiler."""
        if shutil.which(form.compiler) is None:
            return None
        output = self.directory / "program"
        wide = [*form.library, *(flag for flag in form.flags if flag == "-m32")]
        library = [form.compiler, *wide, "-shared", "-fPIC", "-Wl,-soname,libcalled.so", "library.c", "-lm"]
        linked = ["-Llib", "-lcalled", "-lm", f"-Wl,-rpath,{self.first}"] if form.run_path else []
        program = [form.compiler, "-w", *form.flags, "program.c", *linked]
        for command, target in ((library, self.first / "libcalled.so"), (program, output)):
            done = subprocess.run(
                [*command, "-o", target], cwd=self.directory, capture_output=True, check=False
            )
            if done.returncode:
                return None
        shutil.copy(self.first / "libcalled.so", self.other)
        if form.finish is not None:
            form.finish(output)
        return output

    def run(self, program: Path) -> str:
        """What it prints, or how it ended."""
        done = subprocess.run([program], env={}, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout if done.returncode == 3 else f"{done.returncode} {done.stderr[:200]}"

    def linker(self, program: Path) -> Path:
        """A long path of the interpreter that the program names."""
        from denizen.elf import read

        name = read(program.read_bytes()).interpreter
        assert name is not None
        link = self.directory / ("interpreter-" * 8)
        link.unlink(missing_ok=True)
        link.symlink_to(os.fsdecode(name))
        return link
