"""What the library answers inside a program that the kernel does not know, and what it leaves alone."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from denizen.launch.loader.loader_settings import LoaderSettings
from tests.support.compiled_loaders import LoaderSysroot, compile_loader, output_of, run
from tests.support.elf_rewriting import at_the_end
from tests.support.peers import require

# A place that no host has.
FIXED_PATH = "/usr/share/denizen-tests"
_READS = """
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char **words) {
    const char *path = words[2];
    char line[4096] = "";
    struct stat facts;
    int file;
    errno = 0;
    if (!strcmp(words[1], "fopen")) { FILE *file = fopen(path, "r"); if (file) fgets(line, 99, file); }
    if (!strcmp(words[1], "open") && (file = open(path, O_RDONLY)) >= 0) read(file, line, 99);
    if (!strcmp(words[1], "openat") && (file = openat(0, path, O_RDONLY)) >= 0) read(file, line, 99);
    if (!strcmp(words[1], "stat")) sprintf(line, "%d", stat(path, &facts) ? -1 : (int)facts.st_size);
    if (!strcmp(words[1], "access")) sprintf(line, "%d", access(path, R_OK));
    if (!strcmp(words[1], "list")) {
        DIR *all = opendir(path);
        for (struct dirent *one; all && (one = readdir(all));)
            if (*one->d_name != '.') strcat(line, one->d_name);
    }
    if (!strcmp(words[1], "write")) sprintf(line, "%d", open(path, O_WRONLY) >= 0 || open(path, O_RDWR) >= 0);
    if (!strcmp(words[1], "make")) sprintf(line, "%d", open(path, O_RDONLY | O_CREAT, 0600) >= 0);
    if (!strcmp(words[1], "append")) sprintf(line, "%d", fopen(path, "a") || fopen(path, "r+"));
    if (!strcmp(words[1], "real")) { char *real = realpath(path, line); if (!real) *line = 0; }
    puts(line), puts(strerror(errno));
    return 0;
}
"""
_OBJECTS = """
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
static int each(struct dl_phdr_info *info, size_t size, void *data) {
    const char *name = strrchr(info->dlpi_name, '/');
    puts(name ? name + 1 : info->dlpi_name);
    return 0;
}
int main(void) { return dl_iterate_phdr(each, 0); }
"""
_FAILS = """
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
extern char **environ;
static int failed(int result) { return result == -1 ? errno : 0; }
int main(int count, char **words) {
    char *none[] = {"x", 0};
    int child;
    printf("%d ", failed(execve(words[1], none, environ)));
    printf("%d ", failed(execvp(words[1], none)));
    printf("%d ", failed(execlp(words[1], "x", (char *)0)));
    printf("%d\\n", posix_spawn(&child, words[1], 0, 0, none, environ));
    return 0;
}
"""
_LOCALE = """
#include <errno.h>
#include <iconv.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
extern char **environ;
int main(void) {
    wchar_t wide;
    const char *found = setlocale(LC_ALL, "xx_XX.UTF-8");
    locale_t other = newlocale(LC_ALL_MASK, "xx_XX.UTF-8", 0);
    printf("%s %d ", found ? found : "none", other != 0);
    printf("%d ", (int)mbrtowc(&wide, "\\xc3\\xa4", 2, 0));
    printf("%s %d\\n", getenv("LOCPATH") || getenv("GCONV_PATH") ? "shown" : "hidden", *environ == 0);
    return setlocale(LC_ALL, "yy_YY.UTF-8") != 0;
}
"""


class ResourceSysroot(LoaderSysroot):
    """A sysroot whose loader, run as a program, puts the library into programs."""

    def add_resources(self, inside: Path) -> None:
        self.inside = inside
        self.resources = self.root / "resources"
        place = self.resources / FIXED_PATH[1:]
        place.mkdir(parents=True)
        (place / "file").write_text("from the tree")
        self.configure(
            LoaderSettings(
                directories=(os.fsencode(self.decisions),),
                inside=os.fsencode(inside),
                host_prefixes=(b"/usr/", b"/bin/", b"/lib/", b"/lib64/"),
            )
        )

    def known(self, name: str, source: str, *flags: str) -> Path:
        program = self.compile(name, source, *flags, interpreter=False)
        self.decide(program, self.system("libc.so.6"), resources=os.fsencode(self.resources))
        return program

    def says(self, program: Path, *words: str, **env: str) -> str:
        return output_of(self.loader, str(program), *words, env=env)


@pytest.fixture(scope="session")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_loader(tmp_path_factory.mktemp("inside") / "denizen-inside")


@pytest.fixture
def sysroot(tmp_path: Path, loader: Path, inside: Path) -> ResourceSysroot:
    sysroot = ResourceSysroot(tmp_path, loader)
    sysroot.add_resources(inside)
    return sysroot


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ("fopen", "from the tree"), ("open", "from the tree"), ("openat", "from the tree"), ("stat", "13"),
        ("access", "0"),
    ],
)  # fmt: skip
def test_what_the_host_lacks_is_found_in_the_tree(sysroot: ResourceSysroot, how: str, found: str) -> None:
    program = sysroot.known("reads", _READS)
    assert sysroot.says(program, how, f"{FIXED_PATH}/file").splitlines()[0] == found
    missing = sysroot.says(program, how, f"{FIXED_PATH}/none").splitlines()
    assert missing[0] in ("", "-1")
    assert missing[1] == "No such file or directory"


def test_a_directory_the_host_lacks_is_listed(sysroot: ResourceSysroot) -> None:
    program = sysroot.known("reads", _READS)
    assert sysroot.says(program, "list", FIXED_PATH).splitlines()[0] == "file"


def test_what_the_host_has_is_the_hosts(sysroot: ResourceSysroot) -> None:
    (sysroot.resources / "etc").mkdir()
    (sysroot.resources / "etc" / "passwd").write_text("not this")
    program = sysroot.known("reads", _READS)
    assert sysroot.says(program, "fopen", "/etc/passwd").splitlines()[0].startswith("root:")


@pytest.mark.parametrize("how", ["write", "make", "append"])
def test_nothing_is_written_into_the_tree(sysroot: ResourceSysroot, how: str) -> None:
    program = sysroot.known("reads", _READS)
    assert sysroot.says(program, how, f"{FIXED_PATH}/file").splitlines()[0] == "0"


def test_who_is_loaded_can_be_seen(sysroot: ResourceSysroot) -> None:
    program = sysroot.known("objects", _OBJECTS)
    shown = [name for name in sysroot.says(program).splitlines() if name and "vdso" not in name]
    assert shown[:2] == [sysroot.inside.name, "libc.so.6"]


def test_what_the_user_preloads_comes_first(sysroot: ResourceSysroot) -> None:
    source = "#include <string.h>\nlong readlink() { return -1; } int access() { return 7; }"
    first = sysroot.compile("first.so", source, "-shared", "-fPIC")
    program = sysroot.known("reads", _READS)
    assert sysroot.says(program, "access", "/etc", LD_PRELOAD=str(first)).splitlines()[0] == "7"


def test_a_library_is_opened_by_the_run_path_of_who_asks(sysroot: ResourceSysroot) -> None:
    """ld.so takes the caller by its return address; ours would be the wrong one."""
    sysroot.compile("own/libwanted.so", "int wanted(void) { return 5; }", "-shared", "-fPIC")
    source = (
        '#include <dlfcn.h>\nint ask(void) { void *found = dlopen("libwanted.so", RTLD_NOW);\n'
        'return found ? ((int (*)(void))dlsym(found, "wanted"))() : 1; }'
    )
    flags = ("-shared", "-fPIC", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/own")
    asks = sysroot.compile("libasks.so", source, *flags)
    program = sysroot.compile(
        "main", "int ask(void); int main() { return ask(); }", str(asks), interpreter=False
    )
    sysroot.decide(program, [asks, *sysroot.system("libc.so.6")])
    assert run(sysroot.loader, str(program)).returncode == 5


def test_a_library_at_a_fixed_path_is_opened_from_the_tree(sysroot: ResourceSysroot) -> None:
    place = f"resources{FIXED_PATH}/module.so"
    sysroot.compile(place, "int module(void) { return 6; }", "-shared", "-fPIC")
    source = (
        f'#include <dlfcn.h>\nint main() {{ void *found = dlopen("{FIXED_PATH}/module.so", RTLD_NOW);\n'
        'return found ? ((int (*)(void))dlsym(found, "module"))() : 1; }'
    )
    assert run(sysroot.loader, str(sysroot.known("opens", source))).returncode == 6


def test_a_locale_of_the_tree_is_found_and_no_variable_seen(sysroot: ResourceSysroot) -> None:
    require("localedef")
    locales = sysroot.resources / "usr/lib/locale"
    locales.mkdir(parents=True)
    made = ["localedef", "--no-archive", "-i", "POSIX", "-f", "UTF-8", "-c", f"{locales}/xx_XX.utf8"]
    subprocess.run(made, check=False, capture_output=True)
    assert (locales / "xx_XX.utf8" / "LC_CTYPE").exists()
    assert sysroot.says(sysroot.known("speaks", _LOCALE)) == "xx_XX.UTF-8 1 2 hidden 1\n"


def test_a_child_of_a_copy_whose_entry_was_covered_runs(sysroot: ResourceSysroot) -> None:
    """The stub keeps the loader's path beside itself, and what it covered is put back before it is used."""
    from denizen.elf.image import read
    from denizen.launch.strategies.entry_stub import apply_plan, plan_stub

    more = "".join(f"int f{i}(int x) {{ return x * {i}; }}\n" for i in range(40))
    child = sysroot.known("child", "int main() { return 9; }", "-Wl,--dynamic-linker=/nowhere/ld.so")
    source = f'{more}#include <unistd.h>\nint main() {{ return execl("{child}", "x", (char *)0); }}'
    flags = ("-Wl,-z,noseparate-code", "-Wl,-z,norelro", "-Wl,--dynamic-linker=/nowhere/ld.so")
    program = sysroot.compile("parent", source, *flags)
    plan = plan_stub(read(program.read_bytes()), os.fsencode(sysroot.loader))
    assert plan.rule == "entry"
    copy = program.with_name("copy")
    copy.write_bytes(apply_plan(program.read_bytes(), plan))
    copy.chmod(0o755)
    sysroot.decide(copy, sysroot.system("libc.so.6"), edits=plan.restores, shown=os.fsencode(program))
    assert run(copy).returncode == 9


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/nowhere/program", errno.ENOENT), ("/etc/passwd/program", errno.ENOTDIR),
        ("/etc/passwd", errno.EACCES),
        ("/etc", errno.EACCES), ("", errno.ENOENT), ("no-such-command", errno.ENOENT),
    ],
)  # fmt: skip
def test_what_cannot_be_executed_fails_as_without_it(sysroot: ResourceSysroot, path: str, error: int) -> None:
    program = sysroot.known("fails", _FAILS)
    native = sysroot.compile("native", _FAILS, interpreter=False)
    shown = sysroot.says(program, path)
    assert shown == output_of(native, path)
    assert shown.split()[1] == str(error)


def test_a_child_nobody_decides_about_goes_on_as_without_us(sysroot: ResourceSysroot) -> None:
    child = sysroot.compile("undecided", "int main() { return 8; }", interpreter=False)
    source = f'#include <unistd.h>\nint main() {{ return execl("{child}", "x", (char *)0); }}'
    assert run(sysroot.loader, str(sysroot.known("parent", source))).returncode == 8


def test_a_child_that_goes_on_finds_the_users_libraries_before_those_of_its_run_path(
    sysroot: ResourceSysroot,
) -> None:
    """ld.so searches LD_LIBRARY_PATH before DT_RUNPATH, and after the DT_RPATH that the loader makes."""
    for place, number in (("own", 7), ("users", 8)):
        source = f"int which(void) {{ return {number}; }}"
        sysroot.compile(f"{place}/libwhich.so", source, "-shared", "-fPIC", "-Wl,-soname,libwhich.so")
    linked = (f"{sysroot.root}/own/libwhich.so", f"-Wl,--enable-new-dtags,-rpath,{sysroot.root}/own")
    child = sysroot.compile(
        "goes-on", "int which(); int main() { return which(); }", *linked, interpreter=False
    )
    parent = sysroot.known(
        "starts", f'#include <unistd.h>\nint main() {{ return execl("{child}", "x", (char *)0); }}'
    )
    assert run(sysroot.loader, str(parent)).returncode == 7
    users = {"LD_LIBRARY_PATH": f"{sysroot.root}/users"}
    assert run(child, env=users).returncode == 8
    assert run(sysroot.loader, str(parent), env=users).returncode == 8


@pytest.mark.parametrize("count", [1, 1020, 1030, 20_000])
def test_a_child_gets_every_word(sysroot: ResourceSysroot, count: int) -> None:
    child = sysroot.known("counts", "int main(int count, char **words) { return count % 251; }")
    source = (
        "#include <spawn.h>\n#include <sys/wait.h>\n#include <unistd.h>\nextern char **environ;\n"
        "int main(int count, char **words) {\n    int pid, status;\n"
        "    if (posix_spawn(&pid, words[1], 0, 0, words + 1, environ)) return 252;\n"
        "    waitpid(pid, &status, 0);\n"
        "    if (WEXITSTATUS(status) != (count - 1) % 251) return 253;\n"
        "    return execv(words[1], words + 1);\n}\n"
    )
    starts = sysroot.known("starts", source, "-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2")
    done = run(sysroot.loader, str(starts), str(child), *["w"] * (count - 1))
    assert done.returncode == count % 251


def test_a_musl_program_is_answered_too(sysroot: ResourceSysroot) -> None:
    require("musl-gcc")
    program = sysroot.compile("reads", _READS, compiler="musl-gcc", interpreter=False)
    musl = {"ldso": b"/lib/ld-musl-x86_64.so.1", "by_name": True, "r_debug": 0}
    sysroot.decide(program, [], **musl, resources=os.fsencode(sysroot.resources))
    assert sysroot.says(program, "fopen", f"{FIXED_PATH}/file").splitlines()[0] == "from the tree"
    assert sysroot.says(program, "real", "/proc/self/exe").splitlines()[0] == str(program)


def test_a_child_is_known_by_its_interpreter_wherever_that_is_in_the_file(sysroot: ResourceSysroot) -> None:
    """Go's linker puts the string behind the code, patchelf with the program headers at the end."""
    child = sysroot.compile("child", "int main() { return 9; }", "-Wl,--dynamic-linker=/nowhere/ld.so")
    child.write_bytes(at_the_end(child.read_bytes(), 1 << 20))
    sysroot.decide(child, sysroot.system("libc.so.6"))
    source = f'#include <unistd.h>\nint main() {{ return execl("{child}", "x", (char *)0); }}'
    assert run(sysroot.loader, str(sysroot.known("parent", source))).returncode == 9
