"""`ldconfig -p` for one program: what it has, what packages have for it, and what the host's own says."""

import ctypes.util
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from denizen.launch.dlopen_record import Opened
from denizen.launch.loader.ldconfig import ListingSettings, configure_ldconfig
from tests.support.compiled_loaders import compile_loader
from tests.support.index_files import index_of

_DEFAULT, _ALTERNATIVE, _PRIVATE = b"0", b"1", b"5"


class Listing:
    """A program's directory of links and its denizen-ldconfig."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.opened = Opened(bytes(directory / "opened"))
        self.opened.make()
        self._compiled = compile_loader(directory / "denizen-ldconfig").read_bytes()
        self.program = directory / "ldconfig"
        self.settle()

    def settle(self, *, kept_out: Sequence[bytes] = (), real: bytes = b"") -> None:
        places = (self.opened.directory, bytes(self.directory / "search"))
        settings = ListingSettings(places, b"libc6,x86-64", tuple(kept_out), real)
        self.program.write_bytes(configure_ldconfig(self._compiled, settings))
        self.program.chmod(0o755)

    def indexes(self, *files: Sequence[tuple[bytes, bytes]]) -> None:
        """Link an index for each list of (soname, kind of directory)."""
        paths = []
        for number, rows in enumerate(files):
            path = self.directory / f"index{number}"
            lines = [b"%b\t%b\t7\t/usr/lib/%b\t" % (name, kind, name) for name, kind in rows]
            path.write_bytes(index_of(lines))
            paths.append(bytes(path))
        self.opened.look_in(paths)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.program, *words], capture_output=True, text=True, check=False)

    @property
    def names(self) -> list[str]:
        """The names that it lists, in order; its first line has their number."""
        done = self.run("-p")
        assert (done.returncode, done.stderr) == (0, "")
        first, *lines = done.stdout.splitlines()
        found = [re.fullmatch(r"\t(\S+) \(libc6,x86-64\) => /\S+", line) for line in lines]
        assert first == f"{len(lines)} libs found in cache `/etc/ld.so.cache'"
        return [match[1] for match in found if match]


@pytest.fixture
def listing(tmp_path: Path) -> Listing:
    return Listing(tmp_path)


def _default(*names: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, _DEFAULT) for name in names]


def test_what_the_program_has_comes_before_what_packages_have(listing: Listing) -> None:
    (listing.directory / "search").mkdir()
    (listing.directory / "search" / "libz.so.1").touch()
    listing.opened.show({b"libcame.so.2": b"/store/x", b"libcame.so.10": b"/store/y"})
    listing.indexes(_default(b"liba.so.1"))
    assert listing.names == ["libcame.so.10", "libcame.so.2", "libz.so.1", "liba.so.1"]


def test_a_name_is_followed_by_the_path_that_packages_have(listing: Listing) -> None:
    listing.indexes(_default(b"liba.so.1"))
    assert "\tliba.so.1 (libc6,x86-64) => /usr/lib/liba.so.1\n" in listing.run("-p").stdout


def test_names_of_files_and_links_for_developers_are_left_out(listing: Listing) -> None:
    """As ldconfig knows a library by its DT_SONAME alone."""
    listing.indexes(_default(b"liba.so", b"liba.so.1", b"liba.so.1.2.3", b"libb.so", b"libpy3.so.1.0"))
    assert listing.names == ["libpy3.so.1.0", "libb.so", "liba.so.1"]


def test_only_what_the_dynamic_linker_finds_by_name_is_listed(listing: Listing) -> None:
    kinds = [(b"liba.so.1", _ALTERNATIVE), (b"libb.so.1", _PRIVATE), (b"plugin.so.1", _DEFAULT)]
    listing.indexes(kinds)
    assert listing.names == ["liba.so.1"]


def test_another_suite_adds_what_the_preferred_one_has_not(listing: Listing) -> None:
    listing.indexes(_default(b"liba.so.2", b"libb.so.1"), _default(b"liba.so.1", b"libb.so.1"))
    assert listing.names == ["libb.so.1", "liba.so.2", "liba.so.1"]


def test_what_does_not_come_is_not_promised(listing: Listing) -> None:
    listing.indexes(_default(b"libcuda.so.1", b"libdenied.so.1", b"libgood.so.1"))
    listing.opened.deny(b"libdenied.so.1", "nobody has it")
    listing.settle(kept_out=[b"libcuda.so.*", b"libother.so.1"])
    assert listing.names == ["libgood.so.1"]


def test_with_a_lock_nothing_that_could_come_is_listed(listing: Listing) -> None:
    listing.indexes(_default(b"liba.so.1"))
    listing.opened.make(locked=True)
    assert listing.names == []


def test_a_damaged_index_has_no_names(listing: Listing) -> None:
    listing.indexes(_default(b"liba.so.1"), _default(b"libb.so.1"))
    (listing.directory / "index0").write_bytes(b"DNZIDX1\n" + b"\xff" * 500)
    assert listing.names == ["libb.so.1"]


def test_the_hosts_own_answers_first_and_does_all_else(listing: Listing) -> None:
    own = listing.directory / "own"
    own.write_text('#!/bin/sh\necho "own: $*"\n')
    own.chmod(0o755)
    listing.settle(real=bytes(own))
    listing.indexes(_default(b"liba.so.1"))
    assert listing.run("-p").stdout.splitlines()[::2] == [
        "own: -p",
        "\tliba.so.1 (libc6,x86-64) => /usr/lib/liba.so.1",
    ]
    assert listing.run("-n", "/opt/lib").stdout == "own: -n /opt/lib\n"


def test_without_one_of_the_hosts_nothing_else_is_done(listing: Listing) -> None:
    done = listing.run("-n", "/opt/lib")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no cache to write" in done.stderr


def test_pythons_find_library_reads_it(listing: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    listing.indexes(_default(b"libmade.so.3", b"libmade.so", b"libmade.so.3.1"))
    real = subprocess.Popen
    path = os.fspath(listing.program)
    monkeypatch.setattr(
        subprocess, "Popen", lambda words, *rest, **options: real([path, *words[1:]], *rest, **options)
    )
    assert ctypes.util._findSoname_ldconfig("made") == "libmade.so.3"  # type: ignore[attr-defined]  # CPython's own
