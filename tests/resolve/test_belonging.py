"""What lies beside a program is its own with a sign that they belong together, and else is told."""

from collections.abc import Mapping

import pytest

from denizen.fileview import FileKind, MemoryView, Stat
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.resolution import ChoiceRule, Resolution
from denizen.resolve.shared_directories import SharedDirectories
from denizen.resolve.shipped_libraries import Bundle
from denizen.value import replace
from tests.support.memory_archive import (
    DIRECTORY,
    PackageArchive,
    chosen,
    libc,
    library,
    package_of,
    program,
)

SONAME = b"libs.so.1"


@pytest.fixture
def package_archive() -> PackageArchive:
    made = PackageArchive()
    made.add("new", b"libc6", libc())
    made.add("new", b"libs1", {DIRECTORY + SONAME: library(SONAME, b"libc.so.6")})
    return made


def resolved(
    package_archive: PackageArchive, path: bytes, lying: bytes, *, others: Mapping[bytes, bytes] = {}
) -> Resolution:
    """A program at a path that asks for SONAME, and a library of that DT_SONAME at another."""
    return package_archive.resolve({path: program(SONAME), lying: library(SONAME), **others}, [path])


@pytest.mark.parametrize(
    "directory",
    [
        b"/home/me/Downloads", b"/home/me/Desktop", b"/home/me", b"/root", b"/tmp", b"/opt",
        b"/srv/x/Downloads", b"/home/me/bin", b"/home/me/.local/bin",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", [SONAME, b"libs.so (1).download", b"../lib/libs.so.1"])
def test_nothing_in_a_directory_that_programs_share_is_a_programs_own(
    package_archive: PackageArchive, directory: bytes, name: bytes
) -> None:
    made = resolved(package_archive, directory + b"/app", directory + b"/" + name)
    assert package_of(made, SONAME) == (b"libs1", "new")


def test_a_copy_in_a_shared_directory_is_told() -> None:
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc())
    made = resolved(package_archive, b"/home/me/Downloads/app", b"/home/me/Downloads/libs.so.1")
    assert not made.is_complete
    (left,) = [one for one in made.left_out if one.soname == SONAME]
    assert "many programs share" in left.reason


def test_a_folder_of_downloads_goes_by_the_name_that_user_dirs_gives_it(
    package_archive: PackageArchive,
) -> None:
    said = {b"/data/u/.config/user-dirs.dirs": b'# XDG\nXDG_DOWNLOAD_DIR="$HOME/Geladen"\n'}
    made = resolved(package_archive, b"/data/u/Geladen/app", b"/data/u/Geladen/libs.so.1", others=said)
    assert package_of(made, SONAME) == (b"libs1", "new")
    elsewhere = {
        b"/etc/passwd": b"root:x:0:0::/data/root:/bin/sh\n",
        b"/data/root/.config/user-dirs.dirs": b'XDG_DOWNLOAD_DIR="/big/incoming"\n',
    }
    made = resolved(package_archive, b"/big/incoming/app", b"/big/incoming/libs.so.1", others=elsewhere)
    assert package_of(made, SONAME) == (b"libs1", "new")


@pytest.mark.parametrize(
    "lying", [b"libs.so.1", b"lib/libs.so.1.0.4", b"../lib/libs.so.1.0.4", b"libx/libs.so.1"]
)
def test_in_a_tree_of_its_own_a_file_name_or_a_library_directory_is_the_sign(
    package_archive: PackageArchive, lying: bytes
) -> None:
    made = resolved(
        package_archive, b"/home/me/Downloads/app-1.2/bin/app", b"/home/me/Downloads/app-1.2/bin/" + lying
    )
    assert chosen(made, SONAME).rule is ChoiceRule.BESIDE


def test_a_run_path_is_a_sign_anywhere(package_archive: PackageArchive) -> None:
    path = b"/home/me/Downloads/app"
    files = {path: program(SONAME, runpath=b"$ORIGIN"), b"/home/me/Downloads/libs.so.1": library(SONAME)}
    assert [pin.name for pin in package_archive.resolve(files, [path]).packages] == [b"libc6"]


class Owned(MemoryView):
    """A tree with modes and owners of its own."""

    def __init__(self, facts: Mapping[bytes, tuple[int, int]], contents: Mapping[bytes, bytes] = {}) -> None:
        """`facts`: path -> permission bits, owner."""
        empty = {path + b"/" if mode & 0o100 else path: b"" for path, (mode, _) in facts.items()}
        super().__init__(empty | dict(contents))
        self._facts_of = facts

    def stat(self, path: bytes) -> Stat:
        return self._owned(path, super().stat(path))

    def lstat(self, path: bytes) -> Stat:
        return self._owned(path, super().lstat(path))

    def _owned(self, path: bytes, found: Stat) -> Stat:
        mode, uid = self._facts_of.get(path, (0o755, 0))
        return replace(found, mode=found.mode & ~0o7777 | mode, uid=uid)


def shares(mode: int, uid: int) -> bool:
    """Whether a directory with these is shared, for a program of user 1000 in it."""
    view = Owned({b"/srv/tool": (mode, uid), b"/srv/tool/app": (0o644, 1000)})
    assert view.stat(b"/srv/tool").kind is FileKind.DIRECTORY
    return SharedDirectories(view, b"/srv/tool/app").is_shared(b"/srv/tool")


@pytest.mark.parametrize(("mode", "uid"), [(0o1777, 0), (0o777, 1000), (0o755, 1001)])
def test_a_directory_that_others_may_write_to_is_shared(mode: int, uid: int) -> None:
    assert shares(mode, uid)


@pytest.mark.parametrize(("mode", "uid"), [(0o755, 1000), (0o775, 1000), (0o755, 0)])
def test_a_directory_of_root_or_the_programs_owner_is_not(mode: int, uid: int) -> None:
    assert not shares(mode, uid)


def own_library(path: bytes, owners: Mapping[bytes, tuple[int, int]], content: bytes) -> bytes | None:
    """The library that a program of user 1000 in /srv/tool has as its own, of one that lies at a path."""
    facts = {b"/srv/tool": (0o755, 1000), b"/srv/tool/app": (0o644, 1000), path: (0o644, 1000), **owners}
    cached = CachedView(Owned(facts, {b"/srv/tool/app": program(SONAME), path: content}))
    return Bundle(cached, b"/srv/tool/app").find(SONAME, cached.image(b"/srv/tool/app").header)


@pytest.mark.parametrize("path", [b"/srv/tool/libs.so.1", b"/srv/tool/lib/libs.so.1"])
@pytest.mark.parametrize(("mode", "uid"), [(0o755, 1001), (0o757, 1000)])
def test_what_another_user_put_into_a_programs_directory_is_not_its_own(
    path: bytes, mode: int, uid: int
) -> None:
    assert own_library(path, {}, library(SONAME)) == path
    assert own_library(path, {path: (mode & 0o666, uid)}, library(SONAME)) is None
    assert own_library(path, {path.rpartition(b"/")[0]: (mode, uid)}, library(SONAME)) is None


def test_a_copy_of_a_part_of_another_glibc_is_not_a_programs_own() -> None:
    """It calls that glibc's private functions (libresolv.so.2 beside many programs)."""
    path, asks = b"/srv/tool/libs.so.1", ((b"__private", b"GLIBC_PRIVATE", b"libc.so.6"),)
    assert own_library(path, {}, library(SONAME, b"libc.so.6")) == path
    assert own_library(path, {}, library(SONAME, b"libc.so.6", asks=asks)) is None


BROKEN = (b"libnobody-has.so.9", b"libc.so.6")


@pytest.mark.parametrize("runpath", [None, b"$ORIGIN/../lib"])
def test_a_library_that_cannot_be_satisfied_gives_way_to_the_archives(
    package_archive: PackageArchive, runpath: bytes | None
) -> None:
    files = {
        b"/srv/app/bin/app": program(SONAME, runpath=runpath),
        b"/srv/app/lib/libs.so.1": library(SONAME, *BROKEN),
    }
    made = package_archive.resolve(files, [b"/srv/app/bin/app"])
    assert made.is_complete
    assert package_of(made, SONAME) == (b"libs1", "new")
    assert chosen(made, SONAME).rule is ChoiceRule.INSTEAD
    assert made.override == ((SONAME,) if runpath else ())
    (left,) = [one for one in made.left_out if one.soname == SONAME]
    assert left.needed_by == b"../lib/libs.so.1"
    assert "libnobody-has.so.9" in left.reason


def test_what_asks_for_the_one_that_cannot_be_satisfied_gives_way_where_that_one_is_nobodys(
    package_archive: PackageArchive,
) -> None:
    files = {
        b"/srv/app/bin/app": program(SONAME),
        b"/srv/app/lib/libs.so.1": library(SONAME, b"libprivate.so"),
        b"/srv/app/lib/libprivate.so": library(b"libprivate.so", *BROKEN),
    }
    made = package_archive.resolve(files, [b"/srv/app/bin/app"])
    assert made.is_complete
    assert [choice.soname for choice in made.choices if not choice.package] == []


def test_nothing_gives_way_where_that_helps_nobody(package_archive: PackageArchive) -> None:
    files = {
        b"/srv/app/bin/app": program(SONAME, b"libnobody-has.so.9"),
        b"/srv/app/lib/libs.so.1": library(SONAME, *BROKEN),
    }
    made = package_archive.resolve(files, [b"/srv/app/bin/app"])
    assert chosen(made, SONAME).rule is ChoiceRule.BESIDE


def test_an_optional_need_that_nobody_can_satisfy_is_told(package_archive: PackageArchive) -> None:
    plugin = b"/srv/app/plugin.so"
    files = {b"/srv/app/bin/app": program(), plugin: library(b"plugin.so", b"libnobody-has.so.9")}
    made = package_archive.resolve(files, [b"/srv/app/bin/app"], added=[plugin])
    assert made.is_complete
    (left,) = made.left_out
    assert (left.soname, left.needed_by) == (b"libnobody-has.so.9", b"../plugin.so")
    assert left.reason == "no package of new, old has it"
