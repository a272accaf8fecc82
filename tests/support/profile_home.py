"""A root with packages whose commands are installed: by libraries alone, and in an environment."""

import os
import subprocess
from pathlib import Path

from tests.support.debs import Item, symlink
from tests.support.fhs_environments import FhsHome

TRIPLET = "usr/lib/x86_64-linux-gnu"
_LIBRARY = 'const char *greeting(void) { return "%s"; }\n'
_PROGRAM = """
#include <stdio.h>
#include <string.h>
const char *greeting(void);
int main(int count, char **words) {
    char line[99];
    printf("%s from %s\\n", greeting(), words[0]);
    fflush(stdout);
    if (count > 1 && !strcmp(words[1], "wait")) {
        fgets(line, sizeof line, stdin);
        printf("%s again\\n", greeting());
        return 7;
    }
    return count - 1;
}
"""


_OPENER = """
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words) {
    if (!strcmp(words[count - 1], "list")) return system("/sbin/ldconfig -p");
    void *opened = dlopen("libshown.so.1", RTLD_NOW);
    int (*shown)(void) = opened ? dlsym(opened, "shown") : 0;
    printf("%d\\n", shown ? shown() : -1);
    fflush(stdout);
    return execlp("bare-name", "bare-name", "of", "me", NULL);
}
"""


class ProfileHome(FhsHome):
    """Packages `greet` (a program and its library), and `cow` (a script with data in /usr/share)."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._made = directory / "made"
        self._made.mkdir()
        self.add_greet("1.0", "hello")
        face = Item("./usr/share/cow/face", content=b"moo\n")
        script = b'#!/bin/sh\ncat /usr/share/cow/face\necho "$0: $*"\nexit $#\n'
        self.add("cow", [Item("./usr/bin/cow", content=script, mode=0o755), face], depends="dash, coreutils")
        self.add("mooing", [symlink("./usr/bin/mooing", "cow")], depends="cow")

    def add_greet(self, version: str, greeting: str) -> None:
        """The package in a version whose library says this."""
        (self._made / "greet.c").write_text(_LIBRARY % greeting)
        (self._made / "main.c").write_text(_PROGRAM)
        library, program = self._made / "libgreet.so.1", self._made / "greet"
        _compile("-shared", "-fPIC", "-Wl,-soname,libgreet.so.1", "-o", library, self._made / "greet.c")
        _compile("-o", program, self._made / "main.c", library)
        content = [Item(f"./{TRIPLET}/libgreet.so.1", content=library.read_bytes())]
        self.add("libgreet1", content, version=version)
        files = [
            Item("./usr/bin/greet", content=program.read_bytes(), mode=0o755),
            Item("./usr/share/man/man1/greet.1", content=b".TH GREET 1\n"),
            Item("./usr/share/doc/greet/copyright", content=b"free\n"),
        ]
        self.add("greet", files, version=version, depends=f"libgreet1 (= {version}), libc6")

    def add_odd(self) -> None:
        """A program whose library no index knows by its name."""
        (self._made / "greet.c").write_text(_LIBRARY % "odd")
        library, program = self._made / "libodd.so.beta", self._made / "odd"
        _compile("-shared", "-fPIC", "-Wl,-soname,libodd.so.beta", "-o", library, self._made / "greet.c")
        _compile("-o", program, self._made / "main.c", library)
        self.add("libodd1", [Item(f"./{TRIPLET}/libodd.so.beta", content=library.read_bytes())])
        tool = Item("./usr/bin/odd", content=program.read_bytes(), mode=0o755)
        self.add("odd", [tool], depends="libodd1, libc6")

    def add_opener(self) -> None:
        """Commands that open a library and start another command, on which their packages do not depend.

        `opener` is a program, `opening` a script with that for its interpreter; `calling` is a shell's script
        that starts the other command alone.
        """
        (self._made / "shown.c").write_text("int shown(void) { return 42; }")
        (self._made / "opener.c").write_text(_OPENER)
        library, program = self._made / "libshown.so.1", self._made / "opener"
        _compile("-shared", "-fPIC", "-Wl,-soname,libshown.so.1", "-o", library, self._made / "shown.c")
        _compile("-o", program, self._made / "opener.c")
        self.add("libshown1", [Item(f"./{TRIPLET}/libshown.so.1", content=library.read_bytes())])
        for name, content, depends in (
            ("bare-name", b"#!/bin/sh\necho bare-name $*\n", "dash"),
            ("opener", program.read_bytes(), "dash"),
            ("opening", b"#!/usr/bin/env opener\n", "opener"),
            ("calling", b"#!/bin/sh\nbare-name by a shell\n", "dash"),
        ):
            self.add(name, [Item(f"./usr/bin/{name}", content=content, mode=0o755)], depends=depends)

    @property
    def profile(self) -> Path:
        return self.root / "state" / "profiles" / "profile"

    def command_of(self, name: str) -> Path:
        return self.profile / "bin" / name

    def runs(self, name: str, *words: str) -> tuple[int, str]:
        """Status and output of an installed command."""
        done = subprocess.run(
            [self.command_of(name), *words],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout + done.stderr

    def objects(self) -> set[str]:
        """The names of all objects in the store, without their hashes."""
        names = os.listdir(self.root / "data" / "store")
        return {name[33:] for name in names if name != ".denizen"}


def _compile(*words: str | Path) -> None:
    subprocess.run(["gcc", "-w", *words], check=True)
