"""Programs with a dynamic linker that a static program starts, on a root that has no such linker."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.bare_programs import BareProgram
from tests.support.debs import Item
from tests.support.hosts import Outcome

pytestmark = pytest.mark.slow

_STARTS = """
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) { execv(words[1], words + 1); return printf("%d\\n", errno), 115; }
"""
_CHILD = (
    '#include <stdio.h>\nint main(int count, char **words) { return printf("child %s\\n", words[1]), 7; }\n'
)
# What nothing else on the root has, as Nix's programs name it.
_ELSEWHERE = "-Wl,--dynamic-linker=/nix/store/0-glibc/lib/ld-linux-x86-64.so.2"


class Static:
    """A static program and its children, beside a program that the host's archive was made for."""

    def __init__(self, host: str, directory: Path) -> None:
        self.bare = BareProgram(host, directory, _CHILD)
        place = self.bare.directories.programs / "here" / "bin"
        for name, source, flags in (
            ("static", _STARTS, ("-static",)),
            ("child", _CHILD, ()),
            ("elsewhere", _CHILD, (_ELSEWHERE,)),
        ):
            (directory / f"{name}.c").write_text(source)
            subprocess.run(["gcc", "-w", *flags, "-o", place / name, directory / f"{name}.c"], check=True)

    def path(self, name: str) -> str:
        return self.bare.path.removesuffix("program") + name

    def run(self, child: str) -> Outcome:
        return self.denizen("run", self.path("static"), self.path(child), "told")

    def denizen(self, command: str, *words: str) -> Outcome:
        return self.bare.host.run([*self.bare.host.denizen(command), *words])


def test_in_a_namespace_they_start(tmp_path: Path) -> None:
    static = Static("bare root", tmp_path)
    for child in ("child", "elsewhere", "child"):
        done = static.run(child)
        assert (done.status, done.out) == (7, "child told\n"), done.err


def test_where_namespaces_are_forbidden_it_is_said(tmp_path: Path) -> None:
    static = Static("container", tmp_path)
    first, second = static.run("child"), static.run("child")
    assert (first.status, first.out) == (second.status, second.out) == (115, "2\n")  # ENOENT, the kernel's
    said = (
        "what it starts fails as without denizen if it needs /lib64/ld-linux-x86-64.so.2, which is not here"
    )
    assert said in first.err
    assert "this host forbids it" in first.err
    assert said not in second.err  # a decision is told of once
    shown = static.denizen("why", "--json", static.path("static"))
    assert said in json.loads(shown.out)["strategy"]["unstarted"]
    assert said in static.denizen("why", static.path("static")).out


# A program that makes its system calls itself: it looks along PATH, and executes only what it saw.
_SEARCHES = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
const char *names[] = {"gadget", "gcc", "nobody-has-it", "id"};
int main(int count, char **words) {
    static char path[999], found[999];
    struct stat facts;
    for (int i = 0; i < 4; i++) {
        char *rest = strdup(getenv("PATH")), *one;
        while ((one = strsep(&rest, ":"))) {
            snprintf(path, sizeof path, "%s/%s", one, names[i]);
            if (!stat(path, &facts) && S_ISREG(facts.st_mode) && !access(path, X_OK)) {
                puts(path);
                if (!*found) strcpy(found, path);
            }
        }
    }
    fflush(stdout);
    execl(found, found, NULL);
    return 3;
}
"""


def test_in_a_namespace_they_are_seen_along_path(tmp_path: Path) -> None:
    gadget = Item("./usr/bin/gadget", content=b"#!/bin/sh\necho ran\nexit 6\n", mode=0o755)
    compiler = Item("./usr/bin/gcc", content=b"", mode=0o755)
    packages = (("gadget", [gadget]), ("gcc", [compiler]))
    bare = BareProgram("bare root", tmp_path, _SEARCHES, *packages, flags=("-static",))
    updated = bare.host.run([*bare.host.python, "index", "update", "--root", bare.host.directories.root])
    assert updated.status == 0, updated.err
    for _ in range(2):
        done = bare.host.run([*bare.host.denizen("run"), bare.path], env={"PATH": "/usr/local/bin:/usr/bin"})
        assert (done.status, done.out) == (6, "/usr/bin/gadget\n/usr/bin/id\nran\n"), done.err


# A program that executes by a search of its own what its arguments name, as a compiler's cache does.
_NAMED = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int count, char **words) {
    static char path[999];
    struct stat facts;
    char *name = strdup(words[count - 1]), *rest = strdup(getenv("PATH")), *one;
    if (strrchr(name, ' ')) name = strrchr(name, ' ') + 1;
    while ((one = strsep(&rest, ":"))) {
        snprintf(path, sizeof path, "%s/%s", one, name);
        if (!stat(path, &facts)) execl(path, path, NULL);
    }
    return puts("none"), 3;
}
"""


def test_in_a_namespace_they_see_what_their_arguments_name(tmp_path: Path) -> None:
    compiler = Item("./usr/bin/gcc", content=b"#!/bin/sh\necho compiled\nexit 6\n", mode=0o755)
    bare = BareProgram("bare root", tmp_path, _NAMED, ("gcc", [compiler]), flags=("-static",))
    updated = bare.host.run([*bare.host.python, "index", "update", "--root", bare.host.directories.root])
    assert updated.status == 0, updated.err

    def run(*words: str, path: str = "/usr/bin") -> tuple[int | None, str]:
        done = bare.host.run([*bare.host.denizen("run"), bare.path, *words], env={"PATH": path})
        return done.status, done.out

    assert run("nobody-has-it") == (3, "none\n")
    for _ in range(2):
        assert run("gcc") == (6, "compiled\n")
        assert run("-c", "true | gcc") == (6, "compiled\n")
        assert run("-c", "nobody-has-it") == (3, "none\n")
        assert run("gcc", path="/nowhere") == (6, "compiled\n")

    def decisions() -> dict[str, int]:
        place = bare.directories.root / "state/decisions"
        return {one.name: one.stat().st_ino for one in place.iterdir() if one.is_file()}

    # A decision takes a second, and most words are none of a command.
    before = decisions()
    assert before
    assert run("a-word", "another-word") == (3, "none\n")
    assert decisions() == before
