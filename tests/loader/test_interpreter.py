"""As a program's interpreter: the program cannot tell that it was not started natively."""

import os
import signal
import struct
import subprocess
from pathlib import Path

import pytest

from denizen.elf.constants import DT_STRSZ, DT_STRTAB, PT_DYNAMIC, PT_LOAD, PT_NOTE
from denizen.elf.image import read
from denizen.launch.decisions.decision import Edit
from tests.support.compiled_loaders import TIMEOUT, LoaderSysroot, output_of, run
from tests.support.peers import require

_ECHO = """
#include <stdio.h>
int main(int argc, char **argv) {
    for (int i = 0; i < argc; i++) printf("%s\\n", argv[i]);
    return argc;
}
"""

_SELF = """
#include <elf.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <unistd.h>
extern int main(int, char **);
int main(int argc, char **argv) {
    char path[4096];
    path[readlink("/proc/self/exe", path, sizeof path - 1)] = 0;
    puts(path);
    puts((char *)getauxval(AT_EXECFN));
    Elf64_Ehdr *ldso = (void *)getauxval(AT_BASE);
    printf("%d %d\\n", ldso->e_ident[1] == 'E', ldso->e_phnum > 5);
    printf("%ld\\n", getauxval(AT_PHNUM) > 5);
}
"""


def gdb(*arguments: str) -> str:
    """What gdb says to these commands and files."""
    require("gdb")
    return subprocess.run(
        ["gdb", "-nx", "-q", "-batch", *arguments], capture_output=True, text=True, timeout=60, check=False
    ).stdout


def opened(program: Path, *strace: str, env: dict[str, str] | None = None) -> list[str]:
    """The lines of strace about opening files."""
    require("strace")
    done = subprocess.run(
        ["strace", "-e", "trace=openat", "-o", "/dev/stdout", *strace, program],
        capture_output=True, text=True, check=False, timeout=TIMEOUT, env=env,
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if line.startswith("openat")]


def split_first_segment(content: bytearray, table: int, middle: int) -> None:
    """Two adjacent PT_LOAD instead of the first one, in the place of a note."""
    count = struct.unpack_from("<H", content, 56)[0]
    rows = [bytes(content[table + 56 * n : table + 56 * (n + 1)]) for n in range(count)]
    rows.remove(next(row for row in rows if row[0] == PT_NOTE))
    at = next(n for n, row in enumerate(rows) if row[0] == PT_LOAD)
    fields = struct.unpack("<IIQQQQQQ", rows[at])
    kind, flags, size, align = fields[0], fields[1], fields[5], fields[7]
    lower = struct.pack("<IIQQQQQQ", kind, flags, 0, 0, 0, middle, middle, align)
    rest = size - middle
    upper = struct.pack("<IIQQQQQQ", kind, flags, middle, middle, middle, rest, rest, align)
    rows[at : at + 1] = [lower, upper]
    content[table : table + 56 * count] = b"".join(rows)


def test_a_string_table_that_goes_on_in_the_next_segment_is_read(sysroot: LoaderSysroot) -> None:
    """As newer patchelf leaves it: a segment of its own in front, and what follows in the next."""
    ours = sysroot.library("libanswer.so", 'const char *answer(void) { return "ours"; }')
    source = "#include <stdio.h>\nconst char *answer(void);\nint main() { puts(answer()); }"
    padding = "".join(f"int filler_number_{number}_of_many;" for number in range(300))
    program = sysroot.compile("say", source + padding, str(ours), "-rdynamic", "-Wl,-z,noseparate-code")
    content = bytearray(program.read_bytes())
    image = read(bytes(content))
    assert image.dynamic is not None
    strings, size = image.dynamic.values[DT_STRTAB], image.dynamic.values[DT_STRSZ]
    middle = (strings + 4096) & -4096
    assert strings < middle < strings + size
    split_first_segment(content, image.header.phoff, middle)
    program.write_bytes(content)
    sysroot.decide(
        program, [ours.rename(sysroot.root / "elsewhere.so"), *sysroot.system("libc.so.6")], search=b""
    )
    assert output_of(program) == "ours\n"


def test_a_dynamic_section_behind_what_its_segment_says_it_holds_is_served(sysroot: LoaderSysroot) -> None:
    """As patchelf 0.9 leaves it; the page is mapped all the same."""
    ours = sysroot.library("libanswer.so", 'const char *answer(void) { return "ours"; }')
    source = "#include <stdio.h>\nconst char *answer(void);\nint main() { puts(answer()); }"
    program = sysroot.compile("say", source, str(ours), "-Wl,-z,norelro")
    content = bytearray(program.read_bytes())
    image = read(bytes(content))
    dynamic = next(one for one in image.segments if one.type == PT_DYNAMIC)
    for index, segment in enumerate(image.segments):
        if (
            segment.type == PT_LOAD
            and segment.address <= dynamic.address < segment.address + segment.file_size
        ):
            size = dynamic.address - segment.address
            struct.pack_into("<QQ", content, image.header.phoff + 56 * index + 32, size, size)
    program.write_bytes(content)
    sysroot.decide(
        program, [ours.rename(sysroot.root / "elsewhere.so"), *sysroot.system("libc.so.6")], search=b""
    )
    assert output_of(program) == "ours\n"


def test_arguments_and_exit_status_pass_through(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO)
    done = run(program, "a", "", "b c")
    assert (done.returncode, done.stdout.splitlines()) == (4, [str(program), "a", "", "b c"])


def test_the_program_is_its_own_executable(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("self", _SELF)
    assert output_of(program).splitlines() == [str(program), str(program), "1 1", "1"]


@pytest.mark.parametrize("flags", [("-no-pie",), ("-pie", "-fPIE"), ("-Wl,-z,now",), ("-Wl,-z,norelro",),
                                   ("-Wl,--hash-style=sysv",), ("-Wl,-z,noseparate-code",),
                                   ("-Wl,-z,max-page-size=0x200000",), ("-s",)])  # fmt: skip
def test_every_way_of_linking_starts(sysroot: LoaderSysroot, flags: tuple[str, ...]) -> None:
    program = sysroot.ready("echo", _ECHO, *flags)
    assert run(program, "x").returncode == 2


def test_nothing_is_searched_for(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO, "-lm", "-Wl,--no-as-needed", libraries=("libm.so.6",))
    names = [Path(line.split('"')[1]).name for line in opened(program)]
    assert names[1:] == ["ld.so", "libm.so.6", "libc.so.6"]


def test_a_program_of_100_libraries_opens_nothing_in_vain(sysroot: LoaderSysroot) -> None:
    names = [f"libn{i:03}.so" for i in range(100)]
    libraries = [sysroot.library(name, f"int f{name[4:7]}(void) {{ return 0; }}") for name in names]
    program = sysroot.compile("many", "int main() { return 0; }", "-Wl,--no-as-needed", *map(str, libraries))
    sysroot.decide(program, [*libraries, *sysroot.system("libc.so.6")])
    calls = opened(program)
    assert len(calls) >= 102
    assert [line for line in calls if "= -1" in line] == []


def test_thread_local_storage_of_program_and_library(sysroot: LoaderSysroot) -> None:
    library = sysroot.library("libtls.so", "__thread int there = 7; int *where(void) { return &there; }")
    program = sysroot.compile("tls", """
        #include <pthread.h>
        #include <stdio.h>
        __thread int here = 5; extern __thread int there; extern int *where(void);
        static void *body(void *x) { here++; *where() += 2; printf("%d %d\\n", here, there); return x; }
        int main() { pthread_t t; pthread_create(&t, 0, body, 0); pthread_join(t, 0);
                     printf("%d %d\\n", here, there); }
        """, str(library), "-pthread")  # fmt: skip
    sysroot.decide(program, [library, *sysroot.system("libc.so.6")])
    assert output_of(program) == "6 9\n5 7\n"


def test_exceptions_cross_libraries(sysroot: LoaderSysroot) -> None:
    thrower = sysroot.compile(
        "lib/libthrow.so", '#include <stdexcept>\nvoid f() { throw std::runtime_error("caught"); }',
        "-shared", "-fPIC", "-Wl,-soname,libthrow.so", compiler="g++",
    )  # fmt: skip
    program = sysroot.compile("catch", """
        #include <iostream>
        #include <stdexcept>
        void f();
        int main() { try { f(); } catch (const std::exception &e) { std::cout << e.what() << std::endl; } }
        """, str(thrower), compiler="g++")  # fmt: skip
    sysroot.decide(
        program, [thrower, *sysroot.system("libstdc++.so.6", "libm.so.6", "libgcc_s.so.1", "libc.so.6")]
    )
    assert output_of(program) == "caught\n"


def test_indirect_functions_are_resolved(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("ifunc", """
        #include <stdio.h>
        static int chosen(void) { return 42; }
        static void *choose(void) { __builtin_cpu_init(); return chosen; }
        int f(void) __attribute__((ifunc("choose")));
        int main() { printf("%d\\n", f()); }
        """)  # fmt: skip
    assert output_of(program) == "42\n"


def test_the_stack_is_aligned(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("aligned", """
        #include <stdio.h>
        #include <emmintrin.h>
        int main(int argc, char **argv) {
            volatile __m128i v = _mm_set1_epi8(argc); (void)v;
            printf("%d\\n", (int)((unsigned long)__builtin_frame_address(0) % 16));
        }
        """)  # fmt: skip
    for arguments in (), ("x",), ("x", "y"):
        assert output_of(program, *arguments) == "0\n"


def test_constructors_and_destructors_run_once_in_order(sysroot: LoaderSysroot) -> None:
    inner = sysroot.library("libinner.so", """
        #include <stdio.h>
        int inner;
        __attribute__((constructor)) static void begin() { puts("inner"); }
        __attribute__((destructor)) static void end() { puts("inner gone"); }
        """)  # fmt: skip
    outer = sysroot.library("libouter.so", """
        #include <stdio.h>
        extern int inner;
        int *outer() { return &inner; }
        __attribute__((constructor)) static void begin() { puts("outer"); }
        """, str(inner))  # fmt: skip
    program = sysroot.compile("order", """
        #include <stdio.h>
        int *outer();
        int main() { outer(); puts("main"); }
        """, str(outer), f"-Wl,-rpath-link,{sysroot.lib}")  # fmt: skip
    sysroot.decide(program, [outer, *sysroot.system("libc.so.6"), inner])
    assert output_of(program).splitlines() == ["inner", "outer", "main", "inner gone"]


def test_dl_iterate_phdr_shows_program_and_libraries(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("iterate", """
        #define _GNU_SOURCE
        #include <link.h>
        #include <stdio.h>
        extern char __ehdr_start[];
        static int show(struct dl_phdr_info *info, size_t size, void *x) {
            int loads = 0, headers = 0, dynamic = 0;
            for (const ElfW(Phdr) *p = info->dlpi_phdr; p < info->dlpi_phdr + info->dlpi_phnum; p++) {
                char *there = (char *)info->dlpi_addr + p->p_vaddr;
                loads += p->p_type == PT_LOAD;
                headers |= p->p_type == PT_PHDR && there == (char *)info->dlpi_phdr;
                if (p->p_type == PT_DYNAMIC)
                    for (ElfW(Dyn) *d = (void *)there; d->d_tag; d++) dynamic |= d->d_tag == DT_SYMTAB;
            }
            if (!*info->dlpi_name)
                printf("base %d headers %d ", (char *)info->dlpi_addr == __ehdr_start, headers);
            printf("%s loads %d dynamic %d\\n", info->dlpi_name, loads > 1, dynamic);
            return 0;
        }
        int main() { return dl_iterate_phdr(show, 0); }
        """)  # fmt: skip
    lines = output_of(program).splitlines()
    assert lines[0] == "base 1 headers 1  loads 1 dynamic 1"
    assert f"{sysroot.lib}/libc.so.6 loads 1 dynamic 1" in lines
    assert f"{sysroot.ldso} loads 1 dynamic 1" in lines


def test_the_programs_own_dynamic_section_leads_to_the_debugger_interface(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("debug", """
        #include <link.h>
        #include <stdio.h>
        int main() {
            struct r_debug *debug = 0; const char *strings = 0;
            for (ElfW(Dyn) *d = _DYNAMIC; d->d_tag; d++) {
                if (d->d_tag == DT_DEBUG) debug = (void *)d->d_un.d_ptr;
                if (d->d_tag == DT_STRTAB) strings = (void *)d->d_un.d_ptr;
            }
            for (struct link_map *m = debug->r_map; m; m = m->l_next) puts(m->l_name);
            printf("%d\\n", strings[0]);
        }
        """)  # fmt: skip
    lines = output_of(program).splitlines()
    assert lines[0] == ""
    assert lines[-3:] == [f"{sysroot.lib}/libc.so.6", str(sysroot.ldso), "0"]


@pytest.mark.slow
def test_gdb_attaches_and_sees_every_library(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("wait", """
        #include <stdio.h>
        #include <unistd.h>
        int ready; int main() { ready = 1; puts("up"); fflush(stdout); pause(); }
        """, "-g", "-lm", "-Wl,--no-as-needed", libraries=("libm.so.6",))  # fmt: skip
    with subprocess.Popen([program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        shown = gdb(
            "-p", str(process.pid), "-ex", "info sharedlibrary", "-ex", "print ready", "-ex", "backtrace"
        )
        process.kill()
    assert "libm.so.6" in shown
    assert "libc.so.6" in shown
    assert str(sysroot.ldso) in shown
    assert "$1 = 1" in shown
    assert "main ()" in shown


@pytest.mark.slow
def test_gdb_starts_it_and_stops_in_a_library(sysroot: LoaderSysroot) -> None:
    library = sysroot.library("libstop.so", "int stop_here(int x) { return x + 1; }", "-g")
    program = sysroot.compile(
        "stop", "int stop_here(int); int main() { return stop_here(41); }", "-g", str(library)
    )
    sysroot.decide(program, [library, *sysroot.system("libc.so.6")])
    commands = ("break main", "run", "break stop_here", "continue", "backtrace")
    shown = gdb(*(word for command in commands for word in ("-ex", command)), str(program))
    assert "stop_here (x=41)" in shown
    assert "in main ()" in shown


@pytest.mark.slow
def test_a_core_dump_leads_a_debugger_to_the_libraries(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("crash", "#include <stdlib.h>\nint main() { abort(); }", "-g")
    core = str(sysroot.root / "core")
    gdb("-ex", "run", "-ex", f"generate-core-file {core}", str(program))
    shown = gdb("-ex", "info sharedlibrary", "-ex", "backtrace", str(program), core)
    assert "libc.so.6" in shown
    assert "in main ()" in shown


def test_signals_end_it_as_natively(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("die", "#include <signal.h>\nint main() { raise(SIGTERM); }")
    assert run(program).returncode == -signal.SIGTERM


def test_no_descriptor_is_left_open(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("fds", """
        #include <fcntl.h>
        #include <stdio.h>
        int main() { for (int i = 3; i < 64; i++) if (fcntl(i, F_GETFD) >= 0) printf("%d open\\n", i); }
        """)  # fmt: skip
    assert output_of(program) == ""


def test_the_program_file_is_untouched(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO)
    before = (program.read_bytes(), program.stat().st_mtime_ns)
    run(program)
    assert (program.read_bytes(), program.stat().st_mtime_ns) == before


def test_edits_change_the_mapped_linker_only(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("echo", _ECHO)
    text = b"/etc/ld.so.cache\0"
    address = sysroot.ldso.read_bytes().find(text)  # address equals offset in its read-only segment
    sysroot.decide(program, sysroot.system("libc.so.6"), edits=(Edit(address, text, b"/etc/ld.so.other\0"),))
    content = sysroot.ldso.read_bytes()
    calls = " ".join(opened(program, env={"LD_PRELOAD": "libnowhere.so", "PATH": os.environ["PATH"]}))
    assert "/etc/ld.so.other" in calls
    assert "/etc/ld.so.cache" not in calls
    assert sysroot.ldso.read_bytes() == content


def test_an_edit_of_another_linker_starts_nothing(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("echo", _ECHO)
    sysroot.decide(program, sysroot.system("libc.so.6"), edits=(Edit(64, b"\xff\xff\xff", b"abc"),))
    done = run(program)
    assert done.returncode == 127
    assert "not the file this program's decision was made for" in done.stderr


def test_an_edit_in_code_starts_nothing(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("echo", _ECHO)
    content = sysroot.ldso.read_bytes()
    sysroot.decide(
        program, sysroot.system("libc.so.6"), edits=(Edit(0x2000, content[0x2000:0x2004], b"abcd"),)
    )
    assert run(program).returncode == 127


def test_it_starts_in_another_directory_and_through_a_link(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO)
    link = sysroot.root / "link"
    link.symlink_to(program)
    assert run(link).stdout == f"{link}\n"
    done = subprocess.run(["./echo"], cwd=sysroot.root, capture_output=True, text=True, check=False, env={})
    assert done.stdout == "./echo\n"


def test_a_script_finds_its_interpreter_program(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO)
    script = sysroot.root / "script"
    script.write_text(f"#!{program} -x\n")
    script.chmod(0o755)
    assert run(script, "y").stdout.splitlines() == [str(program), "-x", str(script), "y"]


def test_a_program_started_from_an_open_file_is_known(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("echo", _ECHO)
    descriptor = os.open(program, os.O_RDONLY)
    child = os.fork()
    if child == 0:
        os.execve(descriptor, ["by-descriptor"], {})
    os.close(descriptor)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
