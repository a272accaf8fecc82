"""FHS environments without a network: an archive of packages made of this machine's own tools.

The shell, some of coreutils and ldconfig are real, so that environments can be entered and triggers run; the
rest of the base set is empty.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from denizen.fhs.tree_creation import base_set
from denizen.launch.loader.binaries import enter_path
from tests.support.debs import Item, deb, symlink
from tests.support.peers import require
from tests.support.set_up_commands import run_here

TIMEOUT = 120
_TOOLS = {
    "dash": ("dash",),
    "bash": ("bash",),
    "coreutils": ("cat", "env", "id", "ls", "mkdir", "readlink", "sleep", "stat", "touch"),
    "libc-bin": ("getent",),
}
_LIBRARY_PACKAGE = "libc6"


class FhsHome:
    """A denizen root for FHS environments; everything denizen keeps is below `root`."""

    def __init__(self, directory: Path) -> None:
        require("bwrap")
        if os.uname().machine != "x86_64" or not os.path.exists(enter_path("x86_64")):
            pytest.skip("the tools packed are x86-64's, and denizen-enter must be compiled")
        self.root, self.debs = directory / "root", directory / "debs"
        for place in (self.root, self.debs):
            place.mkdir()
            place.chmod(0o755)  # others reach what root installs, whatever the umask of the tests
        self._pack_base()
        self.set_up("source", "add", "debian", os.fspath(self.debs), "--directory")

    def denizen(
        self, *words: str | Path, env: Mapping[str, str] | None = None, status: int | None = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run the command; `status` None allows any."""
        done = subprocess.run(
            self.command(*words), env=env, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
        assert status is None or done.returncode == status, done.stderr
        return done

    def set_up(self, *words: str | Path) -> None:
        """Run the command in this process; it must succeed."""
        run_here(self.root, *words)

    def command(self, *words: str | Path) -> list[str]:
        return [
            sys.executable,
            "-m",
            "denizen",
            "--root",
            os.fspath(self.root),
            *[os.fspath(word) for word in words],
        ]

    def out(self, name: str, *words: str) -> str:
        """What a command prints in an environment."""
        return self.denizen("fhs", "run", name, *words).stdout

    def add(self, name: str, items: Sequence[Item] = (), **fields: str) -> None:
        """A package; fields such as `depends` go to its control file, preinst and postinst become scripts."""
        version, architecture = fields.pop("version", "1"), fields.pop("architecture", "amd64")
        names = [name for name in ("preinst", "postinst") if name in fields]
        scripts: dict[str, bytes] = {name: fields.pop(name).encode() for name in names}
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n"
        control += "Maintainer: nobody <nobody@example.org>\nDescription: made for a test\n"
        control += "".join(f"{key.replace('_', '-').title()}: {text}\n" for key, text in fields.items())
        path = self.debs / f"{name}_{version}_{architecture}.deb"
        path.write_bytes(deb(items, control=control.encode(), compression=".gz", scripts=scripts))

    def _pack_base(self) -> None:
        packages, libraries = base_packages()
        for name, items in packages.items():
            self.add(name, items)
        self.add(_LIBRARY_PACKAGE, libraries)


def base_packages() -> tuple[dict[str, list[Item]], list[Item]]:
    """Return the packages of the base set but for the C library's, and the libraries of all, with that."""
    libraries: dict[str, Item] = {}
    packages: dict[str, list[Item]] = {}
    for name in base_set():
        items = packages.setdefault(name, [])
        for tool in _TOOLS.get(name, ()):
            path = Path(f"/usr/bin/{tool}")
            items.append(Item(f"./usr/bin/{tool}", content=path.read_bytes(), mode=0o755))
            libraries |= {item.name: item for item in _libraries(path)}
        if name == "dash":
            items.append(symlink("./bin/sh", "dash"))
        if name == "libc-bin":
            items.append(Item("./sbin/ldconfig", content=Path("/sbin/ldconfig").read_bytes(), mode=0o755))
            items.append(Item("./etc/ld.so.conf", content=b"/usr/lib/x86_64-linux-gnu\n"))
    packages.pop(_LIBRARY_PACKAGE, None)
    return packages, list(libraries.values())


def _libraries(program: Path) -> list[Item]:
    """Return the libraries that this machine's own ld.so lists for a program of this machine."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    paths = {word for line in listed.splitlines() for word in line.split() if word.startswith("/")}
    items = []
    for path in sorted(paths):
        name = Path(path).name
        place = "lib64" if name.startswith("ld-") else "usr/lib/x86_64-linux-gnu"
        items.append(Item(f"./{place}/{name}", content=Path(path).read_bytes(), mode=0o755))
    return items
