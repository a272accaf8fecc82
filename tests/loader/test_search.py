"""Whose library is found: the program's own rules first, then the user's, then ours."""

import os
from pathlib import Path

import pytest

from denizen.elf.image import read
from denizen.launch.decisions.decision import DecisionLibrary
from denizen.launch.decisions.hermetic_edits import hermetic_edits
from tests.support.compiled_loaders import LoaderSysroot, output_of, run
from tests.support.peers import require

_ASK = "#include <stdio.h>\nconst char *answer(void);\nint main() { puts(answer()); }"
_OPEN = """
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
    void *library = dlopen(argv[1], RTLD_NOW);
    if (!library) return puts(dlerror()), 1;
    puts(((const char *(*)(void))dlsym(library, "answer"))());
}
"""


def answering(text: str) -> str:
    return f'const char *answer(void) {{ return "{text}"; }}'


@pytest.fixture
def users(sysroot: LoaderSysroot) -> Path:
    """A directory of the user's with another libanswer.so."""
    sysroot.compile(
        "users/libanswer.so", answering("the user's"), "-shared", "-fPIC", "-Wl,-soname,libanswer.so"
    )
    return sysroot.root / "users"


@pytest.fixture
def apps(sysroot: LoaderSysroot) -> Path:
    """The program's own directory with another libanswer.so."""
    sysroot.compile(
        "apps/libanswer.so", answering("the program's"), "-shared", "-fPIC", "-Wl,-soname,libanswer.so"
    )
    return sysroot.root / "apps"


def asking(sysroot: LoaderSysroot, *flags: str) -> tuple[Path, Path]:
    ours = sysroot.library("libanswer.so", answering("ours"))
    return sysroot.compile("ask", _ASK, str(ours), *flags), ours


def test_the_decided_library_is_loaded(sysroot: LoaderSysroot) -> None:
    program, ours = asking(sysroot)
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    assert output_of(program) == "ours\n"


def test_ld_library_path_of_the_user_comes_before_ours(sysroot: LoaderSysroot, users: Path) -> None:
    program, ours = asking(sysroot)
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    assert output_of(program, env={"LD_LIBRARY_PATH": str(users)}) == "the user's\n"
    assert output_of(program, env={"LD_LIBRARY_PATH": f"/nowhere;{users}"}) == "the user's\n"


@pytest.mark.parametrize("path", ["", "/nowhere", "/nowhere:/nowhere/either"])
def test_ld_library_path_without_the_library_changes_nothing(sysroot: LoaderSysroot, path: str) -> None:
    program, ours = asking(sysroot)
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    assert output_of(program, env={"LD_LIBRARY_PATH": path}) == "ours\n"


def test_a_pinned_library_stays_whatever_the_user_sets(sysroot: LoaderSysroot, users: Path) -> None:
    program, ours = asking(sysroot)
    pinned = DecisionLibrary(bytes(ours), b"libanswer.so", pinned=True)
    sysroot.decide(program, [pinned, *sysroot.system("libc.so.6")])
    assert output_of(program, env={"LD_LIBRARY_PATH": str(users)}) == "ours\n"


@pytest.mark.parametrize(
    ("flag", "with_user"),
    [("--disable-new-dtags", "the program's"), ("--enable-new-dtags", "the user's")],
)
def test_the_programs_own_run_path_keeps_its_place(
    sysroot: LoaderSysroot, apps: Path, users: Path, flag: str, with_user: str
) -> None:
    program, _ = asking(sysroot, f"-Wl,{flag},-rpath,$ORIGIN/apps")
    # As a resolution would have it: found by the program's rule, so that is the library.
    found = DecisionLibrary(
        bytes(apps / "libanswer.so"), b"libanswer.so", pinned=flag == "--disable-new-dtags"
    )
    sysroot.decide(program, [found, *sysroot.system("libc.so.6")])
    assert output_of(program) == "the program's\n"
    assert output_of(program, env={"LD_LIBRARY_PATH": str(users)}) == f"{with_user}\n"


@pytest.mark.parametrize("flag", ["--disable-new-dtags", "--enable-new-dtags"])
def test_dlopen_finds_the_programs_own_before_ours(sysroot: LoaderSysroot, apps: Path, flag: str) -> None:
    sysroot.library("libanswer.so", answering("ours"))
    sysroot.library("libother.so", answering("ours too"))
    program = sysroot.ready("open", _OPEN, f"-Wl,{flag},-rpath,$ORIGIN/{apps.name}")
    assert output_of(program, "libanswer.so") == "the program's\n"
    assert output_of(program, "libother.so") == "ours too\n"


def test_dlopen_finds_the_users_before_ours(sysroot: LoaderSysroot, users: Path) -> None:
    sysroot.library("libanswer.so", answering("ours"))
    program = sysroot.ready("open", _OPEN)
    assert output_of(program, "libanswer.so") == "ours\n"
    assert output_of(program, "libanswer.so", env={"LD_LIBRARY_PATH": str(users)}) == "the user's\n"


def test_dlopen_from_a_library_finds_ours(sysroot: LoaderSysroot) -> None:
    sysroot.library("libanswer.so", answering("ours"))
    opener = sysroot.library("libopener.so", """
        #include <dlfcn.h>
        const char *ask(void) {
            void *library = dlopen("libanswer.so", RTLD_NOW);
            return library ? ((const char *(*)(void))dlsym(library, "answer"))() : dlerror();
        }
        """)  # fmt: skip
    program = sysroot.compile(
        "ask", "#include <stdio.h>\nconst char *ask(void); int main() { puts(ask()); }", str(opener)
    )
    sysroot.decide(program, [opener, *sysroot.system("libc.so.6")])
    assert output_of(program) == "ours\n"


def test_a_loaded_library_is_found_again_by_its_soname(sysroot: LoaderSysroot) -> None:
    program, ours = asking(sysroot)
    sysroot.compile(
        "twice", _OPEN.replace("dlsym(library", "dlsym(RTLD_DEFAULT"), str(ours), "-Wl,--no-as-needed"
    )
    sysroot.decide(sysroot.root / "twice", [ours, *sysroot.system("libc.so.6")], search=b"")
    assert output_of(sysroot.root / "twice", "libanswer.so") == "ours\n"
    assert program.exists()


def test_a_library_asked_for_by_another_name_than_its_own_is_found(sysroot: LoaderSysroot) -> None:
    plain = sysroot.compile("lib/libplain.so", answering("ours"), "-shared", "-fPIC")  # it has no DT_SONAME
    middle = sysroot.library(
        "libmiddle.so", "const char *answer(void); const char *ask(void) { return answer(); }",
        f"-L{sysroot.lib}", "-lplain", "-Wl,--enable-new-dtags,-rpath,/nowhere",
    )  # fmt: skip
    source = "#include <stdio.h>\nconst char *ask(void); int main() { puts(ask()); }"
    program = sysroot.compile("ask", source, str(middle), f"-Wl,-rpath-link,{sysroot.lib}")
    renamed = DecisionLibrary(bytes(plain), b"libplain.so", renamed=True)
    sysroot.decide(program, [middle, *sysroot.system("libc.so.6"), plain])
    assert run(program).returncode == 127  # why the flag exists
    sysroot.decide(program, [middle, *sysroot.system("libc.so.6"), renamed])
    assert output_of(program) == "ours\n"


def test_without_a_directory_dlopen_fails_as_natively(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("open", _OPEN)
    sysroot.decide(program, sysroot.system("libc.so.6"), search=b"")
    done = run(program, "libnowhere.so")
    assert done.returncode == 1
    assert "libnowhere.so: cannot open shared object file" in done.stdout


def test_hermetic_edits_hide_the_hosts_libraries(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("open", _OPEN.replace("puts(((", "return 0; puts((("))
    assert run(program, "libm.so.6").returncode == 0  # the host's, by its cache: what must not happen
    edits = hermetic_edits(read(sysroot.ldso.read_bytes()))
    sysroot.decide(program, sysroot.system("libc.so.6"), edits=edits)
    assert run(program, "libm.so.6").returncode == 1
    sysroot.system("libm.so.6")
    assert run(program, "libm.so.6").returncode == 0


def test_a_short_name_for_our_directory_serves_libraries_with_a_run_path(sysroot: LoaderSysroot) -> None:
    sysroot.library("libanswer.so", answering("ours"))
    source = """
        #include <dlfcn.h>
        const char *ask(void) {
            void *library = dlopen("libanswer.so", RTLD_NOW);
            return library ? ((const char *(*)(void))dlsym(library, "answer"))() : "not found";
        }
        """
    opener = sysroot.library("libopener.so", source, "-Wl,--enable-new-dtags,-rpath,/nowhere")
    main = "#include <stdio.h>\nconst char *ask(void); int main() { puts(ask()); }"
    program = sysroot.compile("ask", main, str(opener))
    libraries, ldso = [opener, *sysroot.system("libc.so.6")], read(sysroot.ldso.read_bytes())
    sysroot.decide(program, libraries, edits=hermetic_edits(ldso))
    assert output_of(program) == "not found\n"  # the gap loader/README.md names
    short = Path(f"/tmp/dz{os.getpid()}")
    short.symlink_to(sysroot.lib)
    try:
        sysroot.decide(program, libraries, edits=hermetic_edits(ldso, bytes(short)))
        assert output_of(program) == "ours\n"
    finally:
        short.unlink()


def test_ld_preload_comes_first(short_path: Path, loader: Path) -> None:
    sysroot = LoaderSysroot(short_path, loader)  # a blank ends a name in LD_PRELOAD
    program, ours = asking(sysroot)
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    other = sysroot.compile("libpre.so", answering("preloaded"), "-shared", "-fPIC")
    assert output_of(program, env={"LD_PRELOAD": str(other)}) == "preloaded\n"


def test_ld_preload_by_name_is_searched_in_ours(sysroot: LoaderSysroot) -> None:
    program, ours = asking(sysroot)
    sysroot.library("libpre.so", answering("preloaded"))
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    assert output_of(program, env={"LD_PRELOAD": "libpre.so"}) == "preloaded\n"


def test_ld_debug_shows_the_order(sysroot: LoaderSysroot, users: Path) -> None:
    program, ours = asking(sysroot, "-Wl,--enable-new-dtags,-rpath,/apps/own")
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    shown = run(program, env={"LD_DEBUG": "libs", "LD_LIBRARY_PATH": f"/users/own:{users}"}).stderr
    search = next(line for line in shown.splitlines() if "search path=" in line and "RPATH" in line)
    expected = ["/users/own", str(users), "/apps/own", str(sysroot.lib)]
    searched = search.partition("search path=")[2].partition("\t")[0].split(":")
    assert [directory for directory in searched if directory in expected] == expected


def test_ld_audit_sees_the_libraries(sysroot: LoaderSysroot) -> None:
    program, ours = asking(sysroot)
    sysroot.decide(program, [ours, *sysroot.system("libc.so.6")])
    audit = sysroot.compile("audit.so", """
        #define _GNU_SOURCE
        #include <link.h>
        #include <stdio.h>
        unsigned la_version(unsigned v) { return v; }
        unsigned la_objopen(struct link_map *map, Lmid_t namespace, uintptr_t *cookie) {
            fprintf(stderr, "%s\\n", map->l_name);
            return 0;
        }
        """, "-shared", "-fPIC")  # fmt: skip
    done = run(program, env={"LD_AUDIT": str(audit)})
    assert done.stdout == "ours\n"
    assert str(ours) in done.stderr.splitlines()


@pytest.mark.parametrize("state", [{}, {"LD_LIBRARY_PATH": ""}, {"LD_LIBRARY_PATH": "/some/where"}])
def test_children_get_exactly_the_parents_environment(sysroot: LoaderSysroot, state: dict[str, str]) -> None:
    program = sysroot.ready("child", """
        #include <stdio.h>
        extern char **environ;
        int main(int argc, char **argv) {
            if (argc < 2) { execl(argv[0], argv[0], "again", 0); return 1; }
            for (char **e = environ; *e; e++) puts(*e);
        }
        """)  # fmt: skip
    given = {"HOME": "/h", **state, "Z": "1"}
    assert output_of(program, env=given).splitlines() == [f"{name}={text}" for name, text in given.items()]


def test_musl_programs_start_by_name(sysroot: LoaderSysroot) -> None:
    require("musl-gcc")
    flags = ("-shared", "-fPIC", "-Wl,-soname,libanswer.so")
    ours = sysroot.compile("lib/libanswer.so", answering("ours"), *flags, compiler="musl-gcc")
    program = sysroot.compile("ask", _ASK, str(ours), compiler="musl-gcc")
    sysroot.decide(program, [ours], ldso=b"/lib/ld-musl-x86_64.so.1", by_name=True, r_debug=0)
    assert output_of(program) == "ours\n"
