"""What a program opens that this host satisfies: brought, where an index is here."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.disk import make_directories
from denizen.formats.percent import path_as_word
from tests.support import served_archives
from tests.support.debian_archive import package_paragraph
from tests.support.debs import Item, deb
from tests.support.offline_roots import DenizenHome
from tests.support.opening_programs import ABSENT, Opener, link_library
from tests.support.read_only_trees import delete

pytestmark = pytest.mark.slow


@pytest.fixture
def opening(tmp_path: Path) -> Opener:
    return Opener(DenizenHome(tmp_path))


# It needs nothing but the C library.
_HOSTS = """
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **words) {
    for (int i = 1; i < count; i++) puts(dlopen(words[i], RTLD_NOW) ? "opened" : dlerror());
    return 0;
}
"""


@pytest.fixture
def satisfied(opening: Opener) -> Opener:
    """Let the program be one of which this host has all that it starts with."""
    opening.program = opening.home.compile("satisfied", _HOSTS, "-Wl,--as-needed")
    return opening


def test_a_program_that_the_host_satisfies_gets_what_it_opens(satisfied: Opener) -> None:
    assert satisfied.run("liblate.so.1", "libz.so.1", "libnobody.so.1") == [
        "opened",
        "opened",
        f"libnobody.so.1: {ABSENT}",
    ]
    assert [one.soname for one in satisfied.opened.asked()] == [b"liblate.so.1"]
    assert satisfied.run("liblate.so.1") == ["opened"]
    shown = satisfied.home.denizen("why", str(satisfied.program), status=None).stdout
    assert "opened at run time: liblate.so.1 (libdeep1 1.0-1, liblate1 1.0-1)" in shown
    satisfied.home.denizen("gc")
    shutil.rmtree(satisfied.home.root / "cache")
    assert satisfied.run("liblate.so.1") == ["opened"]


def test_without_an_index_a_program_that_the_host_satisfies_is_executed_as_it_is(
    satisfied: Opener,
) -> None:
    place = satisfied.home.root / "cache" / "index"
    kept = place.rename(place.with_name("kept"))
    assert satisfied.run("liblate.so.1") == [f"liblate.so.1: {ABSENT}"]
    assert (satisfied.decision.host, satisfied.decision.command) == (True, ())
    kept.rename(place)
    satisfied.home.set_up("index", "update")
    assert satisfied.run("liblate.so.1") == ["opened"]


def test_no_part_of_a_c_library_is_brought_beside_the_hosts(satisfied: Opener) -> None:
    satisfied.home.write("parts", [Item("./usr/lib/x86_64-linux-gnu/libnsl.so.1", content=b"x")])
    satisfied.home.set_up("index", "update")
    assert satisfied.run("libnsl.so.1")[0] in ("opened", f"libnsl.so.1: {ABSENT}")
    assert satisfied.opened.asked() == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="sets capabilities")
def test_a_program_that_gets_rights_from_its_file_is_executed_as_it_is(satisfied: Opener) -> None:
    satisfied.program.chmod(0o4755)
    satisfied.run()
    assert (satisfied.decision.host, satisfied.decision.command) == (True, ())


def _packed(library: bytes) -> bytes:
    return _package("liblate1", Item("./usr/lib/x86_64-linux-gnu/liblate.so.1", content=library))


def _package(name: str, item: Item) -> bytes:
    control = f"Package: {name}\nVersion: 1.0-1\nArchitecture: amd64\n"
    return deb([item], compression=".gz", control=control.encode())


class _Network:
    """An archive behind a server that has one library, and a program that this host satisfies.

    The archive has the program too: the command `opens` of the package of that name.
    """

    def __init__(self, directory: Path) -> None:
        self.archive = served_archives.ServedArchive(directory)
        library = directory / "liblate.so.1"
        link_library(library, "-x", "c", "/dev/null", f"-Wl,-soname,{library.name}")
        self.program = directory / "program"
        source = directory / "program.c"
        source.write_text(_HOSTS)
        subprocess.run(["gcc", "-w", "-o", self.program, source], check=True)
        command = Item("./usr/bin/opens", content=self.program.read_bytes(), mode=0o755)
        texts = [
            self._publish("liblate1", _packed(library.read_bytes())),
            self._publish("opens", _package("opens", command)),
        ]
        contents = b"usr/bin/opens  utils/opens\nusr/lib/x86_64-linux-gnu/liblate.so.1  libs/liblate1\n"
        self.archive.archive.publish(packages=texts, contents={"amd64": contents, "all": b""})
        sources = self.archive.root / "config/sources/debian.sources"
        make_directories(os.fsencode(sources.parent))
        self._sources = sources

    def _publish(self, name: str, package: bytes) -> str:
        """Return the paragraph of a package, which the archive has then."""
        hashed = hashlib.sha256(package).hexdigest()
        text = package_paragraph(name, Size=str(len(package)), SHA256=hashed)
        self.archive.archive.add_package_file(text)
        (place,) = self.archive.archive.root.rglob(f"{name}_*.deb")
        place.write_bytes(package)
        return text

    def configure(self) -> None:
        key = path_as_word(os.fsencode(self.archive.key))
        self._sources.write_text(
            f"Types: deb\nURIs: {self.archive.server.url}\nSuites: stable\nSigned-By: {key}\n"
        )

    def run(self) -> tuple[str, str]:
        return self.archive.run("run", str(self.program), "liblate.so.1")


def test_a_network_that_is_gone_leaves_the_error_and_nothing_else(tmp_path: Path) -> None:
    network = _Network(tmp_path)
    with network.archive.server:
        network.configure()
        network.archive.run("index", "update")
    for _ in range(2):
        assert network.run() == (f"liblate.so.1: {ABSENT}\n", "")
    assert not list(network.archive.root.glob("state/decisions/opened/*/*/.absent/*"))


def test_a_network_that_is_here_brings_it(tmp_path: Path) -> None:
    network = _Network(tmp_path)
    with network.archive.server:
        network.configure()
        network.archive.run("index", "update")
        assert network.run() == ("opened\n", "")
    assert network.run() == ("opened\n", "")


@pytest.mark.parametrize("decided", ["before", "with it"])
def test_with_offline_nothing_is_asked_for_while_it_runs(tmp_path: Path, decided: str) -> None:
    """Whichever way it was first started; and what starts with it says nothing of those without."""
    network = _Network(tmp_path)
    with network.archive.server:
        network.configure()
        network.archive.run("index", "update")
        if decided == "before":
            network.archive.run("run", str(network.program), "libnobody.so.1")
        network.archive.server.requests.clear()
        offline = ("run", "--offline", str(network.program), "liblate.so.1")
        for _ in range(2):
            assert network.archive.run(*offline) == (f"liblate.so.1: {ABSENT}\n", "")
        assert network.archive.server.requests == []
        assert network.run() == ("opened\n", "")
        # Now it is here.
        assert network.archive.run(*offline) == ("opened\n", "")


@pytest.mark.parametrize("tried", ["before", "never"])
def test_a_command_of_a_package_with_offline_asks_for_nothing_while_it_runs(
    tmp_path: Path, tried: str
) -> None:
    """However it was tried before; and what starts with --offline says nothing of starts without it."""
    network = _Network(tmp_path)
    run = network.archive.run
    with network.archive.server:
        network.configure()
        run("index", "update")
        run("find", "/usr/bin/opens")
        run("install", "opens")
        if tried == "before":
            run("x", "opens", "libnobody.so.1")
        network.archive.server.requests.clear()
        for _ in range(2):
            assert run("x", "--offline", "opens", "liblate.so.1") == (f"liblate.so.1: {ABSENT}\n", "")
        assert network.archive.server.requests == []
        assert run("x", "opens", "liblate.so.1") == ("opened\n", "")
        assert network.archive.server.asked("liblate1_1.0-1_amd64.deb") != []
        # Now it is here.
        assert run("x", "--offline", "opens", "liblate.so.1") == ("opened\n", "")


def test_a_command_follows_what_was_tried_before_where_offline_allows_no_choice(tmp_path: Path) -> None:
    """Then what it misses while it runs may be fetched, which is said."""
    network = _Network(tmp_path)
    run = network.archive.run
    with network.archive.server:
        network.configure()
        run("x", "opens", "libnobody.so.1")
    delete(network.archive.root / "cache")
    said, told = run("x", "--offline", "opens", "libnobody.so.1")
    assert said == f"libnobody.so.1: {ABSENT}\n"
    assert "denizen: in spite of --offline it may fetch while it runs: " in told


@pytest.mark.parametrize("other", ["another package", "no package", "half of it"])
def test_a_package_in_the_cache_is_believed_by_its_hash(tmp_path: Path, other: str) -> None:
    """Another one that would do as well is not read; the one that was promised is fetched again."""
    network = _Network(tmp_path)
    with network.archive.server:
        network.configure()
        network.archive.run("index", "update")
        network.run()
        (kept,) = (network.archive.root / "cache/packages").glob("*liblate1*")
        genuine = kept.read_bytes()
        evil = _packed((tmp_path / "liblate.so.1").read_bytes() + b"evil")
        kept.write_bytes({"another package": evil, "no package": b"x"}.get(other, genuine[:-9]))
        for name in ("data", "state", "cache/facts"):
            delete(network.archive.root / name)
        network.archive.server.requests.clear()
        assert network.run() == ("opened\n", "")
    assert len(network.archive.server.asked(".deb")) == 1
    assert kept.read_bytes() == genuine
    (library,) = network.archive.root.glob("data/store/*-liblate1-*/usr/lib/*/liblate.so.1")
    assert library.read_bytes() == (tmp_path / "liblate.so.1").read_bytes()
