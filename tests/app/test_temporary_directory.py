"""A program that unpacks itself, on a host whose /tmp is mounted noexec."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, HostDirectories
from tests.support.offline_roots import DenizenHome

pytestmark = pytest.mark.slow

# It writes a program below TMPDIR or /tmp and executes it, as self-extractors do; its word is its end.
_UNPACKS = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
const char *GREETS(void);
int main(int count, char **words) {
    char place[4096];
    const char *top = getenv("TMPDIR");
    snprintf(place, sizeof place, "%s/unpacked-%d", top && *top ? top : "/tmp", getpid());
    FILE *to = fopen(place, "w"), *own = fopen(words[1], "r");
    if (!to || !own) return 2;
    for (int c; (c = getc(own)) != EOF;) putc(c, to);
    fclose(to), chmod(place, 0700);
    USE;
    printf("%s\\n", top && *top ? top : "none");
    fflush(stdout);
    execl(place, place, (char *)0);
    return 3;
}
"""
_INNER = "int main(void) { return 7; }"
_STARTS = """
#include <unistd.h>
const char *greeting(void);
int main(int count, char **words) { return *greeting() ? execv(words[1], words + 1) : 4; }
"""


def _static(home: DenizenHome, name: str, source: str) -> None:
    command = ["gcc", "-w", "-static", "-x", "c", "-", "-o", str(home.work / name)]
    subprocess.run(command, input=source.encode(), check=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    made = DenizenHome(tmp_path_factory.mktemp("unpacks"))
    _static(made, "inner", _INNER)
    _static(made, "satisfied", _UNPACKS.replace("USE", ""))
    made.compile("foreign", _UNPACKS.replace("GREETS", "greeting").replace("USE", "greeting()"))
    made.compile("starter", _STARTS)
    for name in ("foreign", "satisfied"):
        program = made.work / name
        shutil.copy(program, program.with_name(f"plain-{name}"))
        with program.open("ab") as end:
            end.write(b"\x1f\x8b" + b"appended payload of no known kind" * 100)
        shutil.copy(program, program.with_name(f"child-{name}"))
    return made


@pytest.mark.parametrize("name", ["noexec /tmp", "bare root"])
@pytest.mark.parametrize("program", ["foreign", "satisfied"])
def test_it_gets_a_directory_that_can_execute_where_tmp_cannot(
    home: DenizenHome, tmp_path: Path, name: str, program: str
) -> None:
    directories = HostDirectories(tmp_path / "root", tmp_path / "programs", tmp_path / "work")
    for one in (directories.root, directories.work):
        one.mkdir()
    shutil.copytree(home.debs, directories.programs / "debs")
    here = directories.programs / "here" / "work"
    shutil.copytree(home.work, here)
    host = HOSTS[name](directories)
    source = ["source", "add", "debian", f"{host.directories.programs}/debs", "--directory"]
    assert host.run([*host.python, *source, "--root", str(host.directories.root)]).status == 0
    inner = f"{host.directories.programs}/here/work/inner"
    for _ in range(2):
        done = host.run(host.denizen("run", f"{host.directories.programs}/here/work/{program}", inner))
        own = f"{host.directories.root}/cache/tmp"
        assert (done.status, done.out) == (7, f"{own if name == 'noexec /tmp' else 'none'}\n"), done.err
    # As a child too, which the kernel starts in its parent's namespace; nobody stands before a static one.
    words = [f"{host.directories.programs}/here/work/{one}" for one in ("starter", f"child-{program}")]
    for _ in range(2 if program == "foreign" else 0):
        done = host.run(host.denizen("run", *words, inner))
        assert (done.status, done.out) == (7, f"{own if name == 'noexec /tmp' else 'none'}\n"), done.err
    # One that unpacks nothing sees the caller's variables.
    plain = host.run(host.denizen("run", f"{host.directories.programs}/here/work/plain-{program}", inner))
    assert plain.out == "none\n"
