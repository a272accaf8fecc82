"""What an environment would give a program, where none can be entered: a tree of packages around it.

The tree has what its tools make (fhs/triggers.toml), which are confined: by Landlock and seccomp, without any
namespace.
"""

import gzip
import subprocess
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.build_sandboxes import require_confinement
from tests.support.debs import Item, symlink
from tests.support.hosts import Outcome

pytestmark = pytest.mark.slow

_NOTHING = "int main(void) { return 0; }"
# Prints a file, which a pattern may name.
_READS = """
#include <glob.h>
#include <stdio.h>
int main(int count, char **words) {
    char line[999] = "", *path = count > 1 ? words[1] : "%s";
    glob_t found;
    FILE *of = glob(path, 0, 0, &found) ? 0 : fopen(found.gl_pathv[0], "r");
    return of && fread(line, 1, sizeof line - 1, of) ? fputs(line, stdout) < 0 : 1;
}
"""
# The tool of a trigger: what it may do succeeds, what it tries besides is noted with its errno.
_TOOL = r"""
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
static FILE *notes;
static void *thread(void *unused) { return unused; }
static void note(const char *what, long result) { fprintf(notes, "%s %d\n", what, result < 0 ? errno : 0); }
int main(int count, char **words) {
    char path[4096];
    pthread_t other;
    snprintf(path, sizeof path, "%s/mime.cache", words[1]);
    notes = fopen(path, "w");
    if (!notes) return 2;
    note("the host is read", open("/work/hosts", O_RDONLY));
    note("the host is written", open("/work/made", O_WRONLY | O_CREAT, 0600));
    note("the host is cut", truncate("/work/hosts", 0));
    note("a mode is set", chmod("/work/hosts", 0));
    snprintf(path, sizeof path, "%s/../beside", words[1]);
    note("the tree is written", open(path, O_WRONLY | O_CREAT, 0600));
    note("a socket", socket(AF_UNIX, SOCK_STREAM, 0));
    note("a signal", kill(getppid(), 0));
    note("a process", fork());
    note("a thread", pthread_create(&other, 0, thread, 0) ? -1 : pthread_join(other, 0));
    return fclose(notes) != 0;
}
"""
_NOTED = """the host is read 13
the host is written 13
the host is cut 13
a mode is set 38
the tree is written 13
a socket 38
a signal 38
a process 38
a thread 0
"""
_CACHE = "/usr/share/mime/mime.cache"
# An interpreter that is a script and starts the proper one, which looks for a module; and a program without a
# dynamic linker, as ldd does.
_WRAPPER = b'#!/bin/sh\n/lib64/ld-linux-x86-64.so.2 --help >/dev/null\nexec proper-1 "$@"\n'
_SEEKER = b"#!/bin/sh\nexec locator\n"
# A command that looks for itself along PATH, and for what another package has beside it, as gcc for cc1.
_LOCATES = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words) {
    char path[4096], real[4096] = "", line[99] = "";
    for (char *one = strtok(strdup(getenv("PATH")), ":"); one && !*real; one = strtok(0, ":")) {
        snprintf(path, sizeof path, "%s/%s", one, words[0]);
        if (!access(path, X_OK) && !realpath(path, real)) return 3;
    }
    if (!*real) return 4;
    puts(real);
    snprintf(path, sizeof path, "%.*s/../share/locator/data", (int)(strrchr(real, '/') - real), real);
    FILE *of = fopen(path, "r");
    return of && fgets(line, sizeof line, of) ? fputs(line, stdout) < 0 : 5;
}
"""
_CONTROLS = {
    "seeker": {"depends": "locator"},
    "locator": {"depends": "locator-data"},
    "viewer": {"depends": "viewer-data (= 1), shared-mime-info"},
    "talker": {"depends": "wrapper, talker-modules"},
    "wrapper": {"depends": "proper"},
}


def _compiled(place: Path, source: str, *flags: str) -> bytes:
    (place / "source.c").write_text(source)
    subprocess.run(["gcc", "-w", *flags, "-o", place / "compiled", place / "source.c"], check=True)
    return (place / "compiled").read_bytes()


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> BareProgram:
    place = tmp_path_factory.mktemp("trees")
    tool = _compiled(place, _TOOL)
    proper = _compiled(place, (_READS % "/usr/share/talker/module").replace("count > 1", "0"))
    viewer = [Item("./usr/bin/viewer", content=_compiled(place, _READS % _CACHE), mode=0o755)]
    packages = (
        ("viewer", viewer),
        ("viewer-data", [Item("./usr/share/viewer/text", content=b"of its own release\n")]),
        (
            "shared-mime-info",
            [
                Item("./usr/bin/update-mime-database", content=tool, mode=0o755),
                Item("./usr/share/mime/packages/some.xml", content=b"<some/>\n"),
            ],
        ),
        ("talker", [Item("./usr/bin/talker", content=b"#!/usr/bin/wrapper\n", mode=0o755)]),
        ("wrapper", [Item("./usr/bin/wrapper", content=_WRAPPER, mode=0o755)]),
        ("proper", [Item("./usr/bin/proper-1", content=proper, mode=0o755)]),
        ("seeker", [Item("./usr/bin/seeker", content=_SEEKER, mode=0o755)]),
        (
            "locator",
            [
                Item("./usr/bin/locator-1", content=_compiled(place, _LOCATES), mode=0o755),
                symlink("./usr/bin/locator", "locator-1"),
            ],
        ),
        ("locator-data", [Item("./usr/share/locator/data", content=b"of another package\n")]),
        ("talker-modules", [Item("./usr/share/talker/module", content=b"a module\n")]),
    )
    made = BareProgram("container", place, _NOTHING, *packages, controls=_CONTROLS)
    _unpack(made, "viewer", viewer[0].content)
    _unpack(made, "talker", b"#!/usr/bin/wrapper\n")
    _unpack(made, "seeker", _SEEKER)
    return made


def _unpack(host: BareProgram, name: str, content: bytes) -> None:
    """Unpack a package as `dpkg-deb -x` does: its program, and the version in its documents."""
    top = host.directories.programs / f"{name}-unpacked" / "usr"
    documents = top / "share" / "doc" / name
    documents.mkdir(parents=True)
    line = f"{name} (1) unstable; urgency=low\n"
    (documents / "changelog.gz").write_bytes(gzip.compress(line.encode()))
    (top / "bin").mkdir()
    (top / "bin" / name).write_bytes(content)
    (top / "bin" / name).chmod(0o755)


def _started(host: BareProgram, name: str, *words: str) -> Outcome:
    path = f"{host.host.directories.programs}/{name}-unpacked/usr/bin/{name}"
    (host.directories.work / "hosts").write_text("of the host\n")
    return host.host.run([*host.host.denizen("run"), path, *words])


@pytest.mark.parametrize("path", ["/usr/share/viewer/text", "/usr/share/v*r/te?t"])
def test_a_program_finds_what_its_package_depends_on(container: BareProgram, path: str) -> None:
    for _ in range(2):
        done = _started(container, "viewer", path)
        assert (done.status, done.out) == (0, "of its own release\n"), done.err


def test_a_confined_tool_made_what_a_trigger_makes(container: BareProgram) -> None:
    """It had no right but to read the tree and to write where the rule says."""
    require_confinement()
    done = _started(container, "viewer")
    assert (done.status, done.out) == (0, _NOTED), done.err
    assert (container.directories.work / "hosts").read_text() == "of the host\n"
    assert not (container.directories.work / "made").exists()


def test_a_child_that_the_tree_has_finds_the_tree_too(container: BareProgram) -> None:
    """So does the interpreter of a script, which is a script itself."""
    for _ in range(2):
        done = _started(container, "talker")
        assert (done.status, done.out) == (0, "a module\n"), done.err
    assert not done.err


def test_a_command_of_it_finds_itself_along_path_and_beside_itself_what_others_have(
    container: BareProgram,
) -> None:
    for _ in range(2):
        done = _started(container, "seeker")
        assert (done.status, done.out) == (0, "/usr/bin/locator-1\nof another package\n"), done.err
