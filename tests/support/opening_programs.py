"""A program that opens libraries by names it makes up, and the packages that have them."""

import shutil
import subprocess
from pathlib import Path

from denizen.launch.decisions.decision import Decision
from denizen.launch.dlopen_record import Opened
from denizen.launch.fast_path import read_decision
from tests.support.compiled_programs import compiled
from tests.support.hosts import HOSTS, Host, HostDirectories
from tests.support.offline_roots import DenizenHome

OPENS = """
#include <dlfcn.h>
#include <stdio.h>
const char *greeting(void);
int main(int count, char **words) {
    char name[999];
    greeting();
    for (int i = 1; i < count; i++) {
        snprintf(name, sizeof name, words[i][0] == '/' ? "%s" : "lib%s.so.1", words[i]);
        void *found = dlopen(name, RTLD_NOW);
        puts(found ? "opened" : dlerror());
    }
    return 0;
}
"""
_LATE = b"int deep(void); int late(void) { return deep(); }"
ABSENT = "cannot open shared object file: No such file or directory"


def link_library(output: Path, *words: str | Path) -> None:
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", output, *words], check=True)


class Opener:
    """A home with libraries that nothing links, and a program that opens them by names it makes up."""

    def __init__(self, home: DenizenHome) -> None:
        self.home = home
        home.add_library("deep", "int deep(void) { return 3; }")
        late, deep = home.library("late"), home.library("deep")
        inputs = {"late.c": _LATE, deep.name: deep.read_bytes()}
        words = ["-shared", "-fPIC", "late.c", deep.name, f"-Wl,-soname,{late.name}"]
        late.write_bytes(compiled(words, inputs))
        late.chmod(0o755)
        home.pack_library("late")
        home.add_library("other", "int other(void) { return 4; }")
        home.add_library("nss_made", "int made(void) { return 5; }")
        home.set_up("index", "update")
        self.program = home.compile("opens", OPENS, "-ldl")

    def run(self, *names: str, status: int = 0) -> list[str]:
        done = self.home.denizen("run", str(self.program), *names, status=status)
        return done.stdout.splitlines()

    @property
    def decision(self) -> Decision:
        (file,) = (one for one in self.home.decisions.iterdir() if one.name.count("-") == 4)
        decision = read_decision(bytes(file))
        assert decision is not None
        return decision

    @property
    def opened(self) -> Opened:
        return Opened(self.decision.opened)


def host_with(name: str, opening: Opener, directory: Path) -> Host:
    """A host that has the program, the packages, and a denizen that knows nothing yet."""
    directories = HostDirectories(directory / "other-root", directory / "programs", directory / "other-work")
    for room in (directories.root, directories.work):
        room.mkdir(0o755)
    shutil.copytree(opening.home.debs, directories.programs / "debs")
    host = HOSTS[name](directories)
    source = ["source", "add", "debian", f"{host.directories.programs}/debs", "--directory"]
    added = host.run([*host.python, *source, "--root", str(host.directories.root)])
    assert added.status == 0, added.err
    return host
