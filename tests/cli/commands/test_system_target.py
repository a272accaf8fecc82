"""Packages of a system in another directory: their commands start there, whatever that directory has."""

import os
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.debs import Item
from tests.support.peers import require
from tests.support.profile_home import ProfileHome

pytestmark = [pytest.mark.peer, pytest.mark.slow]

# Filters for seccomp(2) of x86-64: of nothing, and one by which pivot_root (155) fails with EINVAL.
_ROW = struct.Struct("<HBBI")
_ALL = _ROW.pack(0x06, 0, 0, 0x7FFF0000)
_NO_PIVOT = (
    _ROW.pack(0x20, 0, 0, 0) + _ROW.pack(0x15, 0, 1, 155) + _ROW.pack(0x06, 0, 0, 0x00050000 | 22) + _ALL
)
_SOFTWARE = "var/lib/denizen/profiles/system/sw/bin"


class Target:
    """A directory that becomes a system's root, with the packages of a ProfileHome."""

    def __init__(self, home: ProfileHome, directory: Path) -> None:
        self._home = home
        self.root = directory / "target"
        self._spec = directory / "box.toml"
        self.root.mkdir(mode=0o755)

    def switch(self, *packages: str) -> str:
        """Switch to a system of these packages; return what is said about it."""
        names = ", ".join(f'"{name}"' for name in packages)
        self._spec.write_text(f'name = "box"\npackages = [{names}]\n')
        return self._home.denizen("system", "switch", self._spec, "--target", self.root).stderr

    def runs(self, name: str, *words: str, filtered: bytes = b"") -> tuple[int, str]:
        """Status and output of a command that is started with the target as its root, under a filter."""
        around = ("bwrap", "--bind", self.root, "/", "--proc", "/proc", "--dev", "/dev", "--clearenv")
        with tempfile.TemporaryFile() as rules:
            rules.write(filtered or _ALL)
            rules.seek(0)
            done = subprocess.run(
                [*around, "--seccomp", str(rules.fileno()), f"/{_SOFTWARE}/{name}", *words],
                capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                pass_fds=[rules.fileno()],
            )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def command(self, name: str) -> str:
        """The path in the target, but for the store's, of the file that a command is."""
        place = os.path.realpath(self.root / _SOFTWARE / name)
        return re.sub(r".*/data/store/\w{32}-", "", place)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> ProfileHome:
    require("bwrap")
    home = ProfileHome(tmp_path_factory.mktemp("packages"))
    home.add("luatic", [Item("./usr/bin/luatic", content=b"#!/usr/bin/lua\n", mode=0o755)])
    return home


@pytest.fixture
def target(home: ProfileHome, tmp_path: Path) -> Target:
    return Target(home, tmp_path)


def test_an_empty_target_gets_libraries_and_an_environment_from_packages(
    home: ProfileHome, target: Target
) -> None:
    said = target.switch("greet", "cow")
    assert "will not start" not in said
    assert target.runs("greet", "one", "two") == (2, f"hello from /{_SOFTWARE}/greet\n")
    assert target.runs("cow", "says", "it") == (2, "moo\n/usr/bin/cow: says it\n")
    # What the commands need is theirs: the collector leaves it.
    home.denizen("gc", "--root", target.root / "var/lib/denizen")
    assert target.runs("greet")[0] == 0
    assert target.runs("cow")[0] == 0


def test_what_the_target_satisfies_is_a_link_to_the_program(target: Target) -> None:
    target.switch("greet")
    assert target.command("greet") == "greet-1.0-commands/commands/greet/greet"
    store = target.root / "var/lib/denizen/data/store"
    for package in ("libc6", "libgreet1"):
        (found,) = (path for path in store.iterdir() if f"-{package}-" in path.name and path.is_dir())
        shutil.copytree(found / "usr", target.root / "usr", symlinks=True, dirs_exist_ok=True)
        for directory in (target.root / "usr").rglob("*/"):
            directory.chmod(0o755)
    (target.root / "lib64").symlink_to("usr/lib64")
    (target.root / "lib").symlink_to("usr/lib")
    target.switch("greet")
    assert target.command("greet") == "greet-1.0/usr/bin/greet"
    assert target.runs("greet") == (0, f"hello from /{_SOFTWARE}/greet\n")


def test_commands_that_nothing_starts_there_are_told(target: Target) -> None:
    said = "luatic will not start in the target: the target lacks /usr/bin/lua"
    assert [line for line in target.switch("luatic", "cow").splitlines() if "will not" in line] == [said]
    assert target.runs("cow") == (0, "moo\n/usr/bin/cow: \n")


def test_an_environment_is_entered_where_the_root_cannot_be_exchanged(target: Target) -> None:
    """Where pivot_root(2) answers as for the root of an initramfs, which `initrd = "closure"` makes."""
    target.switch("cow")
    assert target.runs("cow", "it", filtered=_NO_PIVOT) == (1, "moo\n/usr/bin/cow: it\n")
