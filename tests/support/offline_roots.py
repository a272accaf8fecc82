"""A denizen root that needs no network: its only source is a directory of packages made here.

The C library in them is this machine's, packed as Debian packs it, so that programs compiled here run in
denizen without a network.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest

from denizen.launch.loader.binaries import enter_path, loader_path
from tests.support.compiled_programs import compiled
from tests.support.debs import Item, deb
from tests.support.peers import require
from tests.support.set_up_commands import run_here

LDSO = Path("/lib64/ld-linux-x86-64.so.2")
TRIPLET = "usr/lib/x86_64-linux-gnu"
LIBC_FILES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0")
TIMEOUT = 120
VERSION, ARCHITECTURE = "1.0-1", "amd64"
GREETER = 'const char *greeting(void) { return "hello from the store"; }\n'
PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
const char *greeting(void);
int main(int count, char **words) {
    printf("%s\\n", greeting());
    for (int i = 0; i < count; i++) printf("[%s]\\n", words[i]);
    return getenv("STATUS") ? atoi(getenv("STATUS")) : 0;
}
"""


class DenizenHome:
    """A denizen root; everything denizen keeps is below `root`, and programs are made in `work`."""

    def __init__(self, directory: Path) -> None:
        require("gcc")
        if os.uname().machine != "x86_64" or not os.path.exists(loader_path("x86_64")):
            pytest.skip("programs are compiled for x86-64 and need its loader")
        assert os.path.exists(enter_path("x86_64"))
        self.root = directory / "root"
        # Two below: what lies beside a program or its directory counts as the program's own.
        self.work = directory / "programs" / "here" / "work"
        self.debs = directory / "debs"
        self._greeter = directory / "greeter"
        for place in (self.root, self.work, self.debs, self._greeter):
            place.mkdir(parents=True)
        self._deb_path("libc6").write_bytes(_c_library_package())
        self.add_library("greet", GREETER)
        self.set_up("source", "add", "debian", os.fspath(self.debs), "--directory")

    def denizen(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        status: int | None = 0,
        directory: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the command; `status` None allows any."""
        done = subprocess.run(
            self.command(*words),
            env=dict(os.environ if env is None else env),
            cwd=directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert status is None or done.returncode == status, done.stderr
        return done

    def set_up(self, *words: str | Path) -> None:
        """Run the command in this process; it must succeed."""
        run_here(self.root, *words)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "denizen", "--root", os.fspath(self.root), *words]

    def pack(self, name: str, files: list[str], *, extra: list[Item] | None = None) -> None:
        """A package with libraries of this machine."""
        self.write(name, [*_items_of_this_machine(files), *(extra or [])])

    def add_library(self, name: str, source: str) -> Path:
        """A package with libNAME.so.1, and the library itself, for linking."""
        output = self.library(name)
        text = output.with_suffix(".c")
        text.write_text(source)
        soname = f"-Wl,-soname,{output.name}"
        output.write_bytes(compiled(["-shared", "-fPIC", soname, text.name], {text.name: text.read_bytes()}))
        output.chmod(0o755)
        self.pack_library(name)
        return output

    def pack_library(self, name: str) -> None:
        """Its package, with the library as it is now."""
        path = self.library(name)
        self.write(f"lib{name}1", [Item(f"./{TRIPLET}/{path.name}", content=path.read_bytes())])

    def library(self, name: str) -> Path:
        """A library that a package here has and this host has not, to link with."""
        return self._greeter / f"lib{name}.so.1"

    def compile(self, name: str, source: str = PROGRAM, *flags: str) -> Path:
        """A program that needs libgreet.so.1, which this host does not have."""
        output = self.work / name
        text = self.work / f"{name}.c"
        text.write_text(source)
        greet = self.library("greet")
        inputs = {text.name: text.read_bytes(), greet.name: greet.read_bytes()}
        output.write_bytes(compiled(["-w", text.name, *flags, greet.name], inputs))
        output.chmod(0o755)
        return output

    @property
    def decisions(self) -> Path:
        return self.root / "state" / "decisions"

    def write(
        self,
        name: str,
        items: list[Item],
        version: str = VERSION,
        architecture: str = ARCHITECTURE,
        depends: str = "",
        *,
        section: str = "",
        source: str = "",
        recommends: str = "",
    ) -> None:
        """A package."""
        further = {"Section": section, "Source": source, "Recommends": recommends}
        content = _package(name, items, version, architecture, depends, further=further)
        self._deb_path(name, version, architecture).write_bytes(content)

    def _deb_path(self, name: str, version: str = VERSION, architecture: str = ARCHITECTURE) -> Path:
        return self.debs / f"{name}_{version}_{architecture}.deb"


def _items_of_this_machine(files: Sequence[str]) -> list[Item]:
    system = LDSO.resolve().parent
    return [Item(f"./{TRIPLET}/{file}", content=(system / file).read_bytes()) for file in files]


@cache
def _c_library_package() -> bytes:
    """Return the package of this machine's C library, compressed once (0.2 s)."""
    linker = Item(f"./{TRIPLET}/{LDSO.name}", content=LDSO.read_bytes(), mode=0o755)
    return _package("libc6", [*_items_of_this_machine(LIBC_FILES), linker])


def _package(
    name: str,
    items: Sequence[Item],
    version: str = VERSION,
    architecture: str = ARCHITECTURE,
    depends: str = "",
    *,
    further: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    control = (
        f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMulti-Arch: same\n"
        "Maintainer: nobody <nobody@example.org>\nDescription: made for a test\n"
    )
    control += f"Depends: {depends}\n" if depends else ""
    control += "".join(f"{field}: {value}\n" for field, value in further.items() if value)
    return deb(items, control=control.encode())
