"""The single file on hosts without Python: it starts, and brings a program what that needs."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.hosts import HOSTS, HostDirectories
from tests.support.memory_archive import libc
from tests.support.offline_roots import DenizenHome
from tests.support.peers import require
from tests.support.single_file import single_file

pytestmark = [pytest.mark.peer, pytest.mark.network, pytest.mark.slow]
_MUSL = "/lib/ld-musl-x86_64.so.1"
# The library's name is nowhere in the program: it is known when it is asked for.
_OPENER = """
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
    char name[20];
    sprintf(name, "lib%s.so.%d", "late", 1);
    void *late = dlopen(name, RTLD_NOW);
    printf("%d\\n", late ? ((int (*)(void))dlsym(late, "late"))() : -1);
    return 0;
}
"""


def bare(_: Path) -> None:
    """Make a root with nothing at all."""


def musl(root: Path) -> None:
    """Make a root like Alpine's: its C library, and a shell that needs it."""
    require("musl-gcc")
    (root / "lib").mkdir()
    shutil.copy(os.path.realpath(_MUSL), root / _MUSL[1:])
    (root / "etc").mkdir()
    (root / "etc" / "os-release").write_text("ID=alpine\n")
    (root / "bin").mkdir()
    text = root / "bin" / "sh.c"
    text.write_text("int main(void) { return 0; }")
    subprocess.run(["musl-gcc", "-o", root / "bin" / "sh", text], check=True)


def distroless(root: Path) -> None:
    """Make a root like those of distroless images: certificates, users, no C library."""
    (root / "etc" / "ssl" / "certs").mkdir(parents=True)
    (root / "etc" / "ssl" / "certs" / "ca-certificates.crt").write_text("")
    (root / "etc" / "passwd").write_text("nonroot:x:1000:1000::/home/nonroot:/sbin/nologin\n")


def old_glibc(root: Path) -> None:
    """Make a root whose C library ends with GLIBC_2.17."""
    for path, content in libc(b"GLIBC_2.17").items():
        file = root / os.fsdecode(path).lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (root / "lib64").mkdir()
    (root / "lib64" / "ld-linux-x86-64.so.2").symlink_to("../usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    return DenizenHome(tmp_path_factory.mktemp("single-file"))


def started(root: Path, shown: Sequence[Path], *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the single file in a root, which shows these directories; it unpacks into the first."""
    require("bwrap")
    binds = [word for path in shown for word in ("--bind", str(path), str(path))]
    for path in root.iterdir():
        binds += ["--ro-bind", str(path), f"/{path.name}"]
    command = [
        "bwrap",
        "--unshare-user",
        "--unshare-net",
        "--uid",
        "1000",
        "--gid",
        "1000",
        "--die-with-parent",
    ]
    command += ["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", *binds]
    command += ["--ro-bind", str(single_file()), "/opt/denizen", "--clearenv"]
    command += ["--setenv", "XDG_CACHE_HOME", str(shown[0]), "/opt/denizen", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if "bwrap" in done.stderr:
        pytest.skip(f"bubblewrap cannot make a namespace here: {done.stderr.strip()}")
    return done


@pytest.mark.parametrize("make", [bare, musl, distroless, old_glibc], ids=lambda one: one.__name__)
def test_a_program_is_brought_what_it_needs(
    make: Callable[[Path], None], home: DenizenHome, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    make(root)
    program = home.compile("greeter")
    cache = home.root.parent / "unpacked"
    cache.mkdir(exist_ok=True)
    shown = (cache, home.root.parent)
    state = home.root.parent / f"root of {make.__name__}"
    added = started(root, shown, "--root", state, "source", "add", "debian", home.debs, "--directory")
    assert added.returncode == 0, added.stderr
    for _ in ("decided now", "decided before"):
        done = started(root, shown, "--root", state, "run", program, "a word")
        assert done.stdout.splitlines() == ["hello from the store", f"[{program}]", "[a word]"], done.stderr
    assert [one.name for one in (cache / "denizen").iterdir()] == ["bundles"]


@pytest.mark.parametrize("name", ["container", "no user namespaces", "noexec /tmp"])
def test_it_works_where_the_kernel_refuses_things(
    name: str, home: DenizenHome, directories: HostDirectories
) -> None:
    programs = directories.programs
    shutil.copytree(home.debs, programs / "debs")
    shutil.copy(single_file(), programs / "denizen")
    # Two below: what lies beside a program or its directory counts as the program's own.
    (programs / "here" / "bin").mkdir(parents=True)
    shutil.copy(home.compile("greeter"), programs / "here" / "bin" / "greeter")
    host = HOSTS[name](directories)
    # Where /tmp does not execute it finds another place by itself.
    places = {} if "noexec" in name else {"XDG_CACHE_HOME": str(host.directories.work)}
    words = ["/programs/denizen", "--root", str(host.directories.root)]
    added = host.run([*words, "source", "add", "debian", "/programs/debs", "--directory"], env=places)
    assert added.status == 0, added.err
    done = host.run([*words, "run", "/programs/here/bin/greeter", "x"], env=places)
    assert done.out.splitlines()[::2] == ["hello from the store", "[x]"], done.err


def test_a_running_program_is_answered_by_the_unpacked_file(home: DenizenHome, tmp_path: Path) -> None:
    """The loader's helper has no environment: it must not unpack anew, nor ask for a Python."""
    home.add_library("late", "int late(void) { return 7; }")
    program = home.compile("opener", _OPENER, "-ldl")
    root, cache = tmp_path / "root", tmp_path / "cache"
    root.mkdir()
    cache.mkdir()
    shown = (cache, home.root.parent)
    state = home.root.parent / "root of helper"
    started(root, shown, "--root", state, "source", "add", "debian", home.debs, "--directory")
    done = started(root, shown, "--root", state, "run", program)
    assert (done.stdout, done.returncode) == ("7\n", 0), done.stderr


def test_certificates_are_carried(tmp_path: Path) -> None:
    tmp_path.joinpath("cache").mkdir()
    tmp_path.joinpath("root").mkdir()
    assert started(tmp_path / "root", (tmp_path / "cache",), "--version").stdout.startswith("denizen ")
    (found,) = (tmp_path / "cache").rglob("certificates.pem")
    assert found.read_text().count("BEGIN CERTIFICATE") > 100
