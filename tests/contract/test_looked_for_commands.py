"""Commands that a program looks for along PATH before it executes them (docs/decisions/0016)."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item

pytestmark = pytest.mark.slow

# For each word: the directories of PATH, tried one after the other by stat and access; the path found, or
# "none". The last that is found is executed. "=PATH" looks at one path alone, "?NAME" at the one that a shell
# prints, and lets another shell look there before; "<PATH" reads and does not look; "!LINE" is the shell's;
# "+NAME" keeps the name itself from being an argument, and "~NAME" looks by the call's number, as libuv does.
_LOOKS = """
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>
extern char **environ;
__attribute__((weak)) int pidfd_spawnp(int *, const char *, const void *, const void *, char **, char **);
static int by_number;
static int is_there(const char *path) {
    struct stat facts;
    struct statx more;
    if (by_number) return !syscall(SYS_statx, AT_FDCWD, path, 0, STATX_MODE, &more) && S_ISREG(more.stx_mode);
    return !stat(path, &facts) && !access(path, X_OK) && S_ISREG(facts.st_mode);
}
static void print_line(const char *path, int by_stream) {
    char line[99] = "unread\\n";
    FILE *stream = by_stream ? fopen(path, "r") : 0;
    int file = by_stream ? -1 : open(path, O_RDONLY);
    if (file >= 0) stream = fdopen(file, "r");
    if (stream) fgets(line, sizeof line, stream);
    fputs(line, stdout);
}
static void ask_shell(const char *name, char *path, int room) {
    char line[200];
    snprintf(line, sizeof line, "command -v %s", name);
    FILE *shell = popen(line, "r");
    if (fgets(path, room, shell)) path[strcspn(path, "\\n")] = 0;
    pclose(shell);
}
int main(int count, char **words) {
    static char path[999], found[999], line[1100];
    for (int i = 1; i < count; i++) {
        char *rest = strdup(getenv("PATH")), *one;
        *path = *found = 0;
        by_number = words[i][0] == '~';
        if (words[i][0] == '!') { fflush(stdout); return WEXITSTATUS(system(words[i] + 1)); }
        if (words[i][0] == '<') { print_line(words[i] + 1, 1); continue; }
        if (words[i][0] == '?') {
            ask_shell(words[i] + 1, path, sizeof path);
            snprintf(line, sizeof line, "test -x %s && echo also there", path);
            fflush(stdout);
            system(line);
            if (is_there(path)) strcpy(found, path);
        } else if (words[i][0] == '=') strcpy(is_there(words[i] + 1) ? found : path, words[i] + 1);
        else
            while (!*found && (one = strsep(&rest, ":"))) {
                snprintf(path, sizeof path, "%s/%s", one, words[i] + (words[i][0] == '+' || by_number));
                if (is_there(path)) strcpy(found, path);
            }
        puts(*found ? found : "none");
    }
    if (*found && getenv("HOW") && !strncmp(getenv("HOW"), "read", 4)) {
        print_line(found, !strcmp(getenv("HOW"), "read a stream"));
        return 7;
    }
    if (*found && getenv("HOW") && !strcmp(getenv("HOW"), "real path")) {
        char *real = realpath(found, 0);
        puts(real ? real : "unreal");
        return 8;
    }
    fflush(stdout);
    if (*found && getenv("HOW")) {
        char *const own[] = {found, NULL};
        int child, status, problem = -1;
        if (!strcmp(getenv("HOW"), "execvp")) execvp(found, own);
        if (!strcmp(getenv("HOW"), "posix_spawnp")) problem = posix_spawnp(&child, found, 0, 0, own, environ);
        if (!strcmp(getenv("HOW"), "pidfd_spawnp")) problem = pidfd_spawnp(&child, found, 0, 0, own, environ);
        if (problem || wait(&status) < 0) return 113;
        return WEXITSTATUS(status);
    }
    if (*found) execl(found, found, NULL);
    return 3;
}
"""


def _script(name: str) -> Item:
    return Item(f"./usr/bin/{name}", content=b"#!/bin/sh\necho ran\nexit 6\n", mode=0o755)


_PACKAGES: tuple[tuple[str, list[Item]], ...] = (
    (
        "sought",
        [
            _script("Sought"),
            _script("part-of-it"),
            _script("other-part"),
            _script("third-part"),
            _script("fourth-part"),
            _script("fifth-part"),
            _script("sixth-part"),
            _script("seventh-part"),
        ],
    ),
    ("maker-build", [_script("maker")]),
    ("assembler", [_script("assembler")]),
    ("linker", [_script("linker")]),
    ("late", [_script("late")]),
    ("gcc", [_script("gcc")]),
    ("tcc", [_script("tcc")]),
    ("clang", [_script("clang")]),
    ("meta", []),
    ("default-jre-headless", [_script("java")]),
    ("netcat-openbsd", []),
)
_STRATEGIES = (("bare root", "namespace"), ("container", "stub"), ("container", "direct"))
_PATH = "/nowhere:/usr/bin:/bin"


@pytest.fixture(scope="module", params=_STRATEGIES, ids=[one for _, one in _STRATEGIES])
def bare(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    host, _ = request.param
    return BareProgram(host, tmp_path_factory.mktemp("looks"), _LOOKS, *_PACKAGES)


@pytest.fixture
def strategy(request: pytest.FixtureRequest) -> str:
    _, name = request.node.callspec.params["bare"]
    return str(name)


@pytest.fixture
def looks(bare: BareProgram, strategy: str) -> Callable[..., tuple[int | None, list[str]]]:
    def run(
        *words: str, path: str = _PATH, options: tuple[str, ...] = (), how: str | None = None
    ) -> tuple[int | None, list[str]]:
        guarded = [word if word[0] in "=!~?<" else "+" + word for word in words]
        env = {"PATH": path} | ({} if how is None else {"HOW": how})
        done = bare.run(strategy, *guarded, env=env, options=options)
        return done.status, done.out.splitlines()

    return run


def test_a_command_that_is_searched_along_all_of_path_is_there_and_comes(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    for _ in range(2):
        assert looks("Sought") == (6, ["/bin/Sought", "ran"])
        assert looks("~Sought") == (6, ["/bin/Sought", "ran"])
    assert looks("Sought", path="/nowhere") == (6, ["/nowhere/Sought", "ran"])
    assert looks("Sought", path="/usr/bin:/nowhere") == (6, ["/usr/bin/Sought", "ran"])


@pytest.mark.parametrize("how", ["execvp", "posix_spawnp", "pidfd_spawnp"])
def test_it_comes_by_any_function_at_the_path_where_it_was_seen(
    looks: Callable[..., tuple[int | None, list[str]]], how: str
) -> None:
    """Rust's library gives paths to posix_spawnp, from glibc 2.39 on to pidfd_spawnp."""
    assert looks("Sought", path="/nowhere", how=how) == (6, ["/nowhere/Sought", "ran"])


def test_what_every_system_has_is_there_and_comes(looks: Callable[..., tuple[int | None, list[str]]]) -> None:
    """`id` is of coreutils, which has no command of its own name."""
    for _ in range(2):
        status, (seen, said) = looks("id")
        assert (status, seen, said[:4]) == (0, "/bin/id", "uid=")


def test_a_look_at_one_path_is_no_search(looks: Callable[..., tuple[int | None, list[str]]]) -> None:
    assert looks("=/usr/bin/Sought", "=/bin/Sought") == (3, ["none", "none"])


def test_whoever_is_told_a_path_by_a_child_sees_it_there(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    """`which nmap` prints a path, and who reads that looks at it. Another start was told nothing."""
    for _ in range(2):
        status, (other, seen, said) = looks("?fifth-part")
        assert (status, other, Path(seen).name, said) == (6, "also there", "fifth-part", "ran")
        assert looks("=" + seen) == (3, ["none"])


@pytest.mark.parametrize(("name", "how"), [("sixth-part", "read"), ("seventh-part", "read a stream")])
def test_what_was_seen_can_be_read_where_it_was_seen(
    looks: Callable[..., tuple[int | None, list[str]]], name: str, how: str
) -> None:
    """A shell in Python reads whether a command is a script. It comes; who was told nothing finds nothing."""
    for _ in range(2):
        status, (_, seen, said) = looks("?" + name, how=how)
        assert (status, Path(seen).name, said) == (7, name, "#!/bin/sh")
        assert looks("<" + seen) == (3, ["unread"])
    assert looks("Sought", path="/nowhere", how=how) == (7, ["/nowhere/Sought", "#!/bin/sh"])


def test_the_real_path_of_what_was_seen_is_the_commands(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    """GCC's commands look for others beside themselves, from the real path of their own name along PATH."""
    for _ in range(2):
        status, (seen, real) = looks("Sought", path="/nowhere", how="real path")
        assert (status, seen) == (8, "/nowhere/Sought")
        assert "/data/store/" in real  # of the package, or of an environment that has it
        assert real.endswith("/usr/bin/Sought")


def test_what_programs_do_without_is_not_there(looks: Callable[..., tuple[int | None, list[str]]]) -> None:
    """A compiler, a tool that comes with others, a name of a package without a command, an unknown one."""
    assert looks("gcc", "part-of-it", "meta", "nobody-has-it") == (3, ["none"] * 4)
    assert looks("gcc", options=("--with", "gcc")) == (6, ["/bin/gcc", "ran"])


def test_who_found_one_command_may_look_for_the_next_by_as_many_names(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    """pwntools looks for `amd64-as` and two more before `as`, and then so for `ld`: nine names."""
    first, second = ([f"{kind}-{number}" for number in range(7)] for kind in ("as", "ld"))
    found = [*["none"] * 7, "/bin/assembler", *["none"] * 7, "/bin/linker", "ran"]
    assert looks(*first, "assembler", *second, "linker") == (6, found)


def test_who_looks_for_eight_names_in_vain_does_without(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    assert looks(*(f"idle-{number}" for number in range(8)), "late") == (3, ["none"] * 9)


def test_a_name_of_several_packages_is_there_for_a_script_alone(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    """A script looks for what it is about to execute; a program that finds no Java does without."""
    assert looks("java") == (3, ["none"])
    assert looks("!type java && java") == (6, ["java is /bin/java", "ran"])


def test_a_command_that_comes_with_others_is_there_for_a_script_alone(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    """A shell looks for each command before it executes it, and would say "not found"."""
    assert looks("other-part") == (3, ["none"])
    assert looks("!other-part") == (6, ["ran"])


def test_the_interpreter_of_a_script_looks_for_what_the_script_executes(
    bare: BareProgram, strategy: str
) -> None:
    """Python's `shutil.which("7z")`: 7zip has it. A compiler it asks for libraries alone (`ctypes.util`)."""
    python = bare.directories.programs / "here" / "bin" / "python3.99"
    shutil.copyfile(bare.path_here, python)
    python.chmod(0o755)

    def looks(name: str) -> tuple[int | None, list[str]]:
        done = bare.run(strategy, "+" + name, env={"PATH": _PATH}, program="python3.99")
        return done.status, done.out.splitlines()

    assert looks("fourth-part") == (6, ["/bin/fourth-part", "ran"])
    assert looks("java") == (6, ["/bin/java", "ran"])
    assert looks("gcc") == (3, ["none"])
    assert looks("nobody-has-it") == (3, ["none"])


def test_a_shell_without_path_finds_what_could_be_brought(bare: BareProgram, strategy: str) -> None:
    """Each shell then has directories of its own: dash /usr/bin before /bin, glibc /bin before /usr/bin."""
    done = bare.run(strategy, "!unset PATH; /bin/sh -c third-part")
    assert (done.status, done.out) == (6, "ran\n")


def test_a_command_of_the_package_that_is_about_it_is_there(
    looks: Callable[..., tuple[int | None, list[str]]],
) -> None:
    assert looks("maker") == (6, ["/bin/maker", "ran"])


def test_a_command_that_the_user_named_to_the_program_is_there(bare: BareProgram, strategy: str) -> None:
    """`ccache tcc`: programs look for a compiler and do without, but not for the one that they are told."""
    for _ in range(2):
        done = bare.run(strategy, "+tcc", env={"PATH": _PATH})
        assert (done.status, done.out) == (3, "none\n")
    done = bare.run(strategy, "tcc", env={"PATH": _PATH})
    assert (done.status, done.out.splitlines()) == (6, ["/bin/tcc", "ran"])


@pytest.mark.parametrize("line", ["clang", "if true\nthen (A=1 clang); fi"])
def test_what_a_line_given_to_the_shell_executes_is_there(
    bare: BareProgram, strategy: str, line: str
) -> None:
    """system(3) of a compiler is no look for one: nothing does without what it was told to run."""
    done = bare.run(strategy, "!" + line, env={"PATH": _PATH})
    assert (done.status, done.out) == (6, "ran\n"), done.err


def test_a_line_that_asks_for_a_command_before_does_without(bare: BareProgram, strategy: str) -> None:
    assert bare.run(strategy, "!command -v gcc && gcc; exit 4", env={"PATH": _PATH}).status == 4


def test_a_shells_failure_for_want_of_what_programs_do_without_is_told(
    bare: BareProgram, strategy: str
) -> None:
    def told(line: str) -> tuple[int | None, list[str]]:
        done = bare.run(strategy, line, env={"PATH": _PATH})
        return done.status, [one for one in done.err.splitlines() if one.startswith("denizen: ")]

    assert told("!type gcc || exit 4") == (4, [])
    status, (line,) = told("!cc=gcc; $cc")
    assert (status, line.partition(":")[0]) == (127, "denizen")
    assert line.startswith("denizen: gcc was not brought: programs look for a compiler")
    assert "; denizen run --with gcc " in line


def test_what_lies_along_path_comes_first(
    bare: BareProgram, looks: Callable[..., tuple[int | None, list[str]]]
) -> None:
    place = bare.directories.work / "mine"
    place.mkdir(exist_ok=True)
    own = place / "Sought"
    own.unlink(missing_ok=True)
    own.symlink_to(Path(bare.path))
    mine = f"{bare.host.directories.work}/mine"
    assert looks("Sought", path=f"/usr/bin:{mine}")[1][0] == f"{mine}/Sought"
