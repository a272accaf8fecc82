"""Commands that a program executes on a root that has none: brought when they are executed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item, symlink
from tests.support.hosts import Outcome
from tests.support.offline_roots import LDSO

pytestmark = pytest.mark.slow

_STARTS = """
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
const char *named[] = {"/usr/bin/only-here", "/usr/bin/nobody-has-it", "bare-name"};
int main(int count, char **words) {
    char line[999];
    int child, status;
    if (!strcmp(words[1], "system")) return WEXITSTATUS(system(words[2]));
    if (!strcmp(words[1], "popen")) {
        FILE *of = popen(words[2], "r");
        while (fgets(line, sizeof line, of)) fputs(line, stdout);
        return WEXITSTATUS(pclose(of));
    }
    if (!strcmp(words[1], "spawn")) {
        if (posix_spawn(&child, words[2], 0, 0, words + 3, environ)) return 113;
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 114;
    }
    if (!strcmp(words[1], "spawnp")) {
        int problem = posix_spawnp(&child, words[2], 0, 0, words + 3, environ);
        if (problem) return printf("%d\\n", problem), 113;
        return waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : 114;
    }
    if (!strcmp(words[1], "each")) {
        for (char *one = strtok(strdup(getenv("PATH")), ":"); one; one = strtok(0, ":")) {
            snprintf(line, sizeof line, "%s/%s", one, words[2]);
            execv(line, words + 3);
            if (errno != ENOENT) break;
        }
        return printf("%d\\n", errno), 115;
    }
    if (!strcmp(words[1], "execvp")) return execvp(words[2], words + 3), printf("%d\\n", errno), 115;
    if (!strcmp(words[1], "write")) {
        FILE *to = popen(words[2], "w"), *other = popen("read line", "w");
        fputs("written\\n", to);
        status = pclose(to);
        pclose(other);
        return WEXITSTATUS(status);
    }
    if (!strcmp(words[1], "there")) return access(words[2], X_OK);
    execv(words[1], words + 2);
    return 115;
}
"""


_SCRIPT = b'#!/bin/sh\necho "only $1 of $(echo me)"\nexit 6\n'
_TOOLS = (
    "tools",
    [
        Item(f"./usr/bin/{name}", content=_SCRIPT, mode=0o755)
        for name in ("only-here", "bare-name", "made-up-name", "sudo")
    ],
)


# What works with another command, whose package that of the first only recommends: gpg's has gpg-agent.
_HALVES = (
    (
        "half",
        [
            Item(
                "./usr/bin/half",
                content=b"#!/bin/sh\nother-half\nset /bin/m[a]n*\n[ $1 = '/bin/m[a]n*' ]\n",
                mode=0o755,
            )
        ],
    ),
    ("half-agent", [Item("./usr/bin/other-half", content=b"#!/bin/sh\necho whole\n", mode=0o755)]),
    ("half-doc", [Item("./usr/bin/manual", content=b"#!/bin/sh\necho read\n", mode=0o755)]),
    ("stranger", [Item("./usr/bin/manual", content=b"#!/bin/sh\necho met\n", mode=0o755)]),
)
_CONTROLS = {
    "half": {"source": "halves", "recommends": "half-agent (= 1) | nobody, half-doc, stranger"},
    "half-agent": {"source": "halves (1)", "section": "utils"},
    "half-doc": {"source": "halves", "section": "doc"},
}


# A command that opens a library on which its package does not depend, as Java's opens HarfBuzz, and that
# starts another command by its bare name.
_VIEWER = """
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) {
    void *opened = dlopen("libshown.so.1", RTLD_NOW);
    int (*shown)(void) = opened ? dlsym(opened, "shown") : 0;
    printf("%d\\n", shown ? shown() : -1);
    fflush(stdout);
    return execlp("bare-name", "bare-name", "viewed", NULL);
}
"""


def _viewer(place: Path) -> tuple[tuple[str, list[Item]], ...]:
    def compiled(name: str, source: str, *flags: str) -> bytes:
        (place / "source.c").write_text(source)
        subprocess.run(["gcc", "-w", *flags, "-o", place / name, place / "source.c"], check=True)
        return (place / name).read_bytes()

    library = compiled(
        "shown", "int shown(void) { return 42; }", "-shared", "-fPIC", "-Wl,-soname,libshown.so.1"
    )
    viewer = compiled("viewer", _VIEWER)
    return (
        ("viewer", [Item("./usr/bin/viewer", content=viewer, mode=0o755)]),
        ("libshown1", [Item("./usr/lib/x86_64-linux-gnu/libshown.so.1", content=library)]),
    )


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    place = tmp_path_factory.mktemp("commands")
    return BareProgram("bare root", place, _STARTS, _TOOLS, *_HALVES, *_viewer(place), controls=_CONTROLS)


def test_a_path_of_a_directory_of_path_is_executed_where_the_command_is(bare: BareProgram) -> None:
    """A look may have told, in another process, that the command is in the first of them."""
    own = bare.directories.work / "own-tool"
    own.write_text("#!/bin/sh\necho own $1\nexit 5\n")
    own.chmod(0o755)
    work = bare.host.directories.work
    done = bare.run("namespace", "/nowhere/own-tool", "", "word", env={"PATH": f"/nowhere:{work}"})
    assert _said(done) == (5, "own word\n"), done.err
    done = bare.run("namespace", "/elsewhere/own-tool", "", "word", env={"PATH": f"/nowhere:{work}"})
    assert done.status == 115


def test_a_command_is_known_though_another_environment_links_to_its_file(bare: BareProgram) -> None:
    """The loader knows programs by their times too, and a link changes one of a file's."""

    def run() -> tuple[int | None, str]:
        return _said(bare.run("namespace", "spawn", "/usr/bin/made-up-name", "made-up-name", "word"))

    assert run() == (6, "only word of me\n")
    places = (one / "made-up-name" for one in bare.directories.root.rglob("commands"))
    (link,) = (one for one in places if one.is_symlink())
    inside, outside = map(str, (bare.host.directories.root, bare.directories.root))
    program = Path(os.readlink(link).replace(inside, outside, 1))
    # Elsewhere: the object's own directories are read-only.
    (bare.directories.root / "another").hardlink_to(program)
    (bare.directories.root / "another").unlink()
    assert run() == (6, "only word of me\n")


def test_what_a_command_opens_in_its_environment_comes_too(bare: BareProgram) -> None:
    for _ in range(2):
        done = bare.run("namespace", "spawn", "/usr/bin/viewer", "viewer")
        assert _said(done) == (6, "42\nonly viewed of me\n"), done.err


def _said(outcome: Outcome) -> tuple[int | None, str]:
    """The status and the last line, which on a first start follows those about what is fetched."""
    return outcome.status, outcome.out


def test_popen_and_system_have_a_shell_and_its_tools(bare: BareProgram) -> None:
    assert _said(bare.run("namespace", "popen", "ls -d /usr | cat; exit 7")) == (7, "/usr\n")
    assert _said(bare.run("namespace", "system", "exit 8")) == (8, "")


def test_a_command_at_a_path_in_the_programs_constants_is_brought(bare: BareProgram) -> None:
    for _ in range(2):
        words = ("spawn", "/usr/bin/only-here", "only-here", "child")
        assert _said(bare.run("namespace", *words)) == (6, "only child of me\n")


def _begin_with_paths(program: BareProgram) -> None:
    """Before the index of paths is here, no string is known to be a name, and none to be nobody's."""
    assert program.host.run(program.host.denizen("find", "/usr/bin/bare-name")).status == 0
    shutil.rmtree(program.directories.root / "state" / "decisions", ignore_errors=True)


@pytest.mark.parametrize("how", ["spawnp", "execvp"])
def test_a_bare_name_in_the_programs_constants_is_found_along_path(bare: BareProgram, how: str) -> None:
    _begin_with_paths(bare)
    path = {"PATH": "/nowhere:/usr/bin"}
    assert _said(bare.run("namespace", how, "bare-name", "bare-name", "child", env=path)) == (
        6,
        "only child of me\n",
    )
    assert bare.run("namespace", how, "nobody-has-it-either", "x", env=path).out == "2\n"  # ENOENT


@pytest.mark.parametrize("how", ["spawnp", "execvp", "spawn", "each"])
def test_a_name_put_together_while_it_runs_is_found_along_path(bare: BareProgram, how: str) -> None:
    for path in ("/nowhere:/usr/bin:/bin", "/nowhere"):
        name = "/usr/bin/made-up-name" if how == "spawn" else "made-up-name"
        done = bare.run("namespace", how, name, "made-up-name", "child", env={"PATH": path})
        assert _said(done) == (6, "only child of me\n")


@pytest.mark.parametrize("how", ["spawnp", "execvp"])
def test_a_shell_is_found_beyond_path_though_its_place_has_a_loader(bare: BareProgram, how: str) -> None:
    done = bare.run("namespace", how, "sh", "sh", "-c", "exit 7", env={"PATH": "/nowhere"})
    assert done.status == 7, done.err


def _interpreted(program: BareProgram, name: str) -> str:
    """Return the path of a script whose interpreter is a command that only a package has."""
    script = program.directories.work / name
    script.write_text("#!/usr/bin/only-here --option\n")
    script.chmod(0o755)
    return f"{program.host.directories.work}/{name}"


@pytest.mark.parametrize("how", ["spawn", "execvp"])
def test_the_interpreter_of_a_script_that_it_executes_is_brought(bare: BareProgram, how: str) -> None:
    path = _interpreted(bare, "interpreted")
    for _ in range(2):
        assert _said(bare.run("namespace", how, path, path, "word")) == (6, "only --option of me\n")


def test_the_dynamic_linker_can_be_executed(bare: BareProgram) -> None:
    """A program asks which C library is here; and what carries its own libraries starts itself by it."""
    told = bare.run("namespace", "spawn", str(LDSO), str(LDSO), "--version")
    assert (told.status, "ld.so" in told.out) == (0, True), told.err
    script = ("there", "/bin/sh")
    for options in ((), ("--library-path", "/nowhere")):
        started = bare.run("namespace", "spawn", str(LDSO), str(LDSO), *options, bare.path, *script)
        assert (started.status, started.out) == (0, ""), started.err


def test_the_processors_of_the_machine_are_there(bare: BareProgram) -> None:
    """The host has no /sys."""
    for name in ("possible", "cpu0"):
        assert bare.run("namespace", "there", f"/sys/devices/system/cpu/{name}").status == 0


def test_what_a_commands_package_recommends_of_its_own_source_comes_with_it(bare: BareProgram) -> None:
    done = bare.run("namespace", "execvp", "half", "half", env={"PATH": "/usr/bin"})
    assert _said(done) == (0, "whole\n")  # without the manual: nothing matches its pattern


def test_what_is_later_along_path_comes_before_what_could_be_brought(bare: BareProgram) -> None:
    """Programs that search PATH themselves execute the name in each directory: Python's subprocess does."""
    place = bare.directories.work / "mine"
    place.mkdir()
    (place / "made-up-name").symlink_to(bare.path)
    path = {"PATH": f"/usr/bin:{bare.host.directories.work}/mine"}
    done = bare.run("namespace", "each", "made-up-name", "x", "there", "/bin/sh", env=path)
    assert done.status == 0


def test_what_a_shell_that_was_brought_looks_for_is_brought(bare: BareProgram) -> None:
    for _ in range(2):
        done = bare.run("namespace", "popen", "half; echo done", env={"PATH": "/usr/bin"})
        assert _said(done) == (0, "whole\ndone\n")


def test_what_acts_on_the_host_itself_does_not_come(bare: BareProgram) -> None:
    path = {"PATH": "/usr/bin"}
    assert bare.run("namespace", "execvp", "sudo", "sudo", "x", env=path).out == "2\n"  # ENOENT


def test_a_command_nobody_has_is_not_there(bare: BareProgram) -> None:
    _begin_with_paths(bare)
    assert bare.run("namespace", "there", "/usr/bin/nobody-has-it").status != 0
    assert bare.run("namespace", "there", "/bin/sh").status == 0


def test_what_was_asked_for_in_vain_is_not_asked_for_again(bare: BareProgram) -> None:
    words = bare.host.denizen("decide", "--command", "/usr/bin/nobody-has-it")
    absent = bare.directories.root / "state" / "decisions" / "commands" / ".absent" / "nobody-has-it"
    for reason in ("no package has it", "said before"):
        done = bare.host.run(words)
        assert (done.status, reason in done.err) == (127, True)
        absent.write_text("said before")


def test_what_the_program_does_not_name_is_not_there(bare: BareProgram) -> None:
    assert bare.run("namespace", "there", "/usr/bin/ls").status != 0


def test_with_a_lock_no_command_comes(bare: BareProgram) -> None:
    lock = f"{bare.host.directories.work}/lock"
    locked = bare.host.run(bare.host.denizen("lock", bare.path, "--output", lock))
    assert locked.status == 0, locked.err
    assert bare.run("namespace", "there", "/bin/sh", options=("--lock", lock)).status != 0
    _is_told_of_lock(bare, "namespace", lock)


def _is_told_of_lock(program: BareProgram, strategy: str, lock: str) -> None:
    done = program.run(strategy, "execvp", "made-up-name", "x", options=("--lock", lock))
    line = "denizen: made-up-name is not here, and with --lock no command is brought; "
    line += f"without it denizen run {program.path} may bring it"
    assert (done.status, done.out, done.err.splitlines()[-1:]) == (115, "2\n", [line])


def test_standard_streams_signals_and_directory_are_the_callers(bare: BareProgram) -> None:
    done = bare.run("namespace", "popen", "cat; readlink /proc/self/cwd; kill -9 $$", stdin=b"given\n")
    assert (done.status, done.out) == (0, f"given\n{bare.host.directories.work}\n")


def test_under_the_installed_loader_commands_come(bare: BareProgram) -> None:
    """No namespace is around it, and none shows a loader at a command's path."""
    directories, work = bare.directories, bare.host.directories.work
    source, made = directories.work / "installed.c", directories.programs / "here" / "bin" / "installed"
    source.write_text(_STARTS)
    linker = f"-Wl,--dynamic-linker={work}{LDSO}"
    subprocess.run(["gcc", "-w", linker, "-o", made, source], check=True)
    installed = bare.host.run(
        [*bare.host.python, "--root", bare.host.directories.root, "loader", "install", "--prefix", work]
    )
    assert installed.status == 0, installed.err
    program, env = bare.path.removesuffix("program") + "installed", {"PATH": "/nowhere:/usr/bin"}

    def said(*words: str) -> tuple[int | None, str]:
        done = bare.host.run([program, *words], env=env)
        return done.status, done.out

    for how in ("spawnp", "execvp", "each"):
        assert said(how, "made-up-name", "made-up-name", "child") == (6, "only child of me\n")
    assert said("popen", "echo from the shell; exit 7") == (7, "from the shell\n")
    assert said("system", "exit 8") == (8, "")
    assert said("execvp", "nobody-has-it", "x") == (115, "2\n")  # ENOENT


_NAMED_ELSEWHERE = b'#!/bin/sh\necho "$1 by ${0##*/}"\nexit 4\n'
# Commands that are links to a file of another package, or that only a postinst makes: of its own package, of
# one that it depends on, and by a rule for all of a directory.
_ELSEWHERE: tuple[tuple[str, list[Item]], ...] = (
    ("linked", [symlink("./usr/bin/linked", "linked1"), symlink("./usr/bin/broken", "nowhere")]),
    ("linked1", [symlink("./usr/bin/linked1", "../lib/linked/linked1.2")]),
    ("linked-programs", [Item("./usr/lib/linked/linked1.2", content=_NAMED_ELSEWHERE, mode=0o755)]),
    ("php-cli", []),
    ("php8-cli", [Item("./usr/bin/php8", content=_NAMED_ELSEWHERE, mode=0o755)]),
    ("default-jre-headless", []),
    ("lonely", [Item("./usr/bin/lonely", content=_NAMED_ELSEWHERE, mode=0o755)]),
    ("jre", [Item("./usr/lib/jvm/java-1/bin/java", content=_NAMED_ELSEWHERE, mode=0o755)]),
)
# Commands that look for files of packages on which theirs depends, and one that links to such a file.
_READS = b"""#!/bin/sh
read line </usr/share/reader-data/text
[ -x /usr/share/reader-data/hook ] && [ ! -h /usr/share/reader-data/hook ] && echo "$line"
"""
_READER = """
#include <stdio.h>
int main(int count, char **words) {
    char line[99] = "";
    FILE *of = fopen(count > 1 ? words[1] : "/usr/share/reader-data/text", "r");
    return of && fgets(line, sizeof line, of) ? fputs(line, stdout) < 0 : 1;
}
"""
_ELSEWHERE_CONTROLS = {
    "reader": {"depends": "reader-common"},
    "reader-data": {"postinst": "ucf /usr/share/reader-data/template /etc/reader.conf\n"},
    "build": {"depends": "gcc"},
    "reader-common": {"depends": "reader-data"},
    "linked": {"depends": "linked1"},
    "linked1": {"depends": "linked-programs"},
    "php-cli": {"depends": "nobody-has-it | php8-cli (>= 1)"},
    "php8-cli": {
        "postinst": "#!/bin/sh\nupdate-alternatives --install /usr/bin/php php /usr/bin/php8 8\n",
    },
    "default-jre-headless": {"depends": "linked1, jre"},
    "lonely": {"depends": "nobody-has-it"},
}


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    place = tmp_path_factory.mktemp("container")
    packages = (_TOOLS, *_ELSEWHERE, *_readers(place))
    return BareProgram("container", place, _STARTS, *packages, controls=_ELSEWHERE_CONTROLS)


def _readers(place: Path) -> tuple[tuple[str, list[Item]], ...]:
    (place / "reader.c").write_text(_READER)
    subprocess.run(["gcc", "-w", "-o", place / "reader", place / "reader.c"], check=True)
    return (
        (
            "reader",
            [
                Item("./usr/bin/reads", content=(place / "reader").read_bytes(), mode=0o755),
                Item("./usr/bin/script-reads", content=_READS, mode=0o755),
            ],
        ),
        ("reader-common", []),
        (
            "reader-data",
            [
                Item("./usr/share/reader-data/text", content=b"shown\n"),
                Item("./usr/share/reader-data/hook", content=b"#!/bin/sh\n", mode=0o755),
                Item("./etc/X11/reader", content=b"of X11\n"),
                Item("./usr/share/reader-data/template", content=b"configured\n"),
            ],
        ),
        ("gcc", [Item("./usr/bin/gcc", content=_NAMED_ELSEWHERE, mode=0o755)]),
        ("build", [Item("./usr/bin/build", content=b"#!/bin/sh\n/usr/bin/cc told\n", mode=0o755)]),
    )


@pytest.mark.parametrize("strategy", ["stub", "direct"])
def test_without_namespaces_a_command_starts_by_itself(container: BareProgram, strategy: str) -> None:
    shell = ("/bin/sh", "sh", "-c", 'echo "$0 $1"; exit 7', "as", "told")
    assert _said(container.run(strategy, "spawn", *shell)) == (7, "as told\n")
    assert _said(container.run(strategy, *shell)) == (7, "as told\n")


@pytest.mark.parametrize("strategy", ["stub", "direct"])
def test_without_namespaces_popen_and_system_have_a_shell(container: BareProgram, strategy: str) -> None:
    assert _said(container.run(strategy, "system", "exit 8")) == (8, "")
    assert _said(container.run(strategy, "popen", "echo from the shell; exit 7")) == (7, "from the shell\n")
    # The shell ends by itself when the stream is closed, though another is open.
    line = 'read line; echo "got $line"; exit 6'
    assert _said(container.run(strategy, "write", line)) == (6, "got written\n")


@pytest.mark.parametrize("strategy", ["stub", "direct"])
@pytest.mark.parametrize("how", ["spawnp", "execvp"])
def test_without_namespaces_a_name_along_path_is_brought(
    container: BareProgram, strategy: str, how: str
) -> None:
    for env in ({"PATH": "/nowhere:/usr/bin"}, {}):
        words = ("only-here", "only-here", "told")
        assert _said(container.run(strategy, how, *words, env=env)) == (6, "only told of me\n")
    assert container.run(strategy, how, "nobody-has-it", "x").out == "2\n"  # ENOENT


@pytest.mark.parametrize("strategy", ["stub", "direct"])
def test_without_namespaces_a_lock_is_told_too(container: BareProgram, strategy: str) -> None:
    lock = f"{container.host.directories.work}/lock"
    assert container.host.run(container.host.denizen("lock", container.path, "--output", lock)).status == 0
    _is_told_of_lock(container, strategy, lock)


@pytest.mark.parametrize("strategy", ["stub", "direct"])
def test_without_namespaces_a_scripts_interpreter_is_brought(container: BareProgram, strategy: str) -> None:
    path = _interpreted(container, "interpreted")
    assert _said(container.run(strategy, "spawn", path, path, "word")) == (6, "only --option of me\n")


@pytest.mark.parametrize("strategy", ["stub", "direct"])
def test_without_namespaces_a_script_finds_its_interpreter(container: BareProgram, strategy: str) -> None:
    script = container.directories.work / "script"
    script.write_text('#!/usr/bin/env sh\necho "$1 by $0"\nexit 5\n')
    script.chmod(0o755)
    path = f"{container.host.directories.work}/script"
    assert _said(container.run(strategy, "spawn", path, path, "run")) == (5, f"run by {path}\n")


@pytest.mark.parametrize("strategy", ["stub", "direct"])
@pytest.mark.parametrize("name", ["linked", "php", "java", "lonely"])
def test_without_namespaces_a_command_that_is_a_link_to_another_package_is_brought(
    container: BareProgram, strategy: str, name: str
) -> None:
    """So is one whose package depends on what nobody has."""
    outcome = container.run(strategy, "spawnp", name, name, "told", env={"PATH": "/usr/bin"})
    assert (outcome.status, outcome.out.partition(" by ")[0]) == (4, "told"), outcome.err


def test_without_namespaces_a_link_to_a_file_nobody_has_is_not_there(container: BareProgram) -> None:
    assert container.run("direct", "execvp", "broken", "x").out == "2\n"  # ENOENT


def test_without_namespaces_a_shell_that_looks_for_an_alternative_sees_it(container: BareProgram) -> None:
    looked = container.run("stub", "popen", "command -v php && php told", env={"PATH": "/usr/bin"})
    assert (looked.status, looked.out.partition(" by ")[0]) == (4, "/usr/bin/php\ntold"), looked.err


@pytest.mark.parametrize("name", ["reads", "script-reads"])
def test_without_namespaces_a_command_finds_files_that_its_package_depends_on(
    container: BareProgram, name: str
) -> None:
    for _ in range(2):
        done = container.run("stub", "execvp", name, name, env={"PATH": "/usr/bin"})
        assert _said(done) == (0, "shown\n"), done.err


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/X11/reader", "of X11\n"),
        ("/etc/reader.conf", "configured\n"),
        ("/etc/hosts", "127.0.0.1 localhost\n"),
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ],
)
def test_without_namespaces_a_command_finds_what_an_environment_would_have(
    container: BareProgram, path: str, line: str
) -> None:
    done = container.run("stub", "execvp", "reads", "reads", path, env={"PATH": "/usr/bin"})
    assert _said(done) == (0, line), done.err


def test_without_namespaces_a_command_executes_what_only_a_link_of_the_rules_has(
    container: BareProgram,
) -> None:
    """No index has a cc: gcc's postinst makes it."""
    done = container.run("stub", "execvp", "build", "build", env={"PATH": "/usr/bin"})
    assert (done.status, done.out.partition(" by ")[0]) == (4, "told"), done.err


def test_without_namespaces_a_script_whose_interpreter_is_not_here_starts(container: BareProgram) -> None:
    path, env = _interpreted(container, "top"), {"PATH": "/nowhere"}
    for _ in range(2):
        done = container.host.run([*container.host.denizen("run"), path, "word"], env=env)
        assert _said(done) == (6, "only --option of me\n"), done.err
    other = container.directories.work / "other"
    other.write_text("#!/usr/bin/nobody-has-it\n")
    other.chmod(0o755)
    refused = container.host.run([*container.host.denizen("run"), f"{container.host.directories.work}/other"])
    assert (refused.status, refused.out) == (126, ""), refused.err


def test_without_namespaces_a_program_that_starts_itself_is_started_as_it_was(container: BareProgram) -> None:
    """Its dynamic linker is at a path of its own, so that the kernel would start it."""
    work = container.host.directories.work
    shutil.copy(LDSO, container.directories.work / "ld.so")
    (container.directories.work / "again.c").write_text(_STARTS)
    linker = f"-Wl,--dynamic-linker={work}/ld.so"
    again = container.path_here.with_name("again")
    subprocess.run(["gcc", "-w", linker, "-o", again, container.directories.work / "again.c"], check=True)
    words = ("made-up-name", "made-up-name", "child")
    path = container.path.removesuffix("program") + "again"
    done = container.run(
        "stub", "spawn", path, path, "execvp", *words, env={"PATH": "/nowhere"}, program="again"
    )
    assert _said(done) == (6, "only child of me\n"), done.err
