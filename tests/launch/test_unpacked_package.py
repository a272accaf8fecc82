"""Which packages are unpacked where a program lies."""

import gzip

import pytest

from denizen.fileview import MemoryView, ViewLink
from denizen.launch.unpacked_package import UnpackedPackage, unpacked_packages

_PLAYER = gzip.compress(b"player (2.0-1) unstable; urgency=low\n")
_PROGRAM = b"/usr/bin/play"
_OTHER = gzip.compress(b"other (3.0) unstable; urgency=low\n")


def _view(**documents: bytes | ViewLink) -> MemoryView:
    files: dict[bytes, bytes | ViewLink] = {
        b"/home/me/x/usr/bin/play": b"",
        b"/usr/bin/play": b"",
        b"/home/me/play": b"",
    }
    files[b"/usr/share/doc/system/changelog.gz"] = _OTHER
    for name, content in documents.items():
        files[b"/home/me/x/usr/share/doc/" + name.encode()] = content
    return MemoryView(files)


@pytest.mark.parametrize("name", ["player/changelog.Debian.gz", "player/changelog.gz"])
def test_the_documents_tell_the_package_and_its_version(name: str) -> None:
    view = _view(**{name: _PLAYER})
    assert unpacked_packages(view, b"/home/me/x/usr/bin/play") == (
        UnpackedPackage(b"player", b"2.0-1", _PROGRAM),
    )


def test_several_packages_may_be_unpacked_into_one_directory() -> None:
    view = _view(
        **{"player/changelog.Debian.gz": _PLAYER, "other/changelog.gz": _OTHER, "third/copyright": b""}
    )
    found = unpacked_packages(view, b"/home/me/x/usr/bin/play")
    assert found == (
        UnpackedPackage(b"other", b"3.0", _PROGRAM),
        UnpackedPackage(b"player", b"2.0-1", _PROGRAM),
    )


@pytest.mark.parametrize("program", [b"/usr/bin/play", b"/home/me/play", b"/nowhere/usr/bin/play"])
def test_a_program_of_the_system_or_of_no_package_has_none(program: bytes) -> None:
    assert unpacked_packages(_view(**{"player/changelog.gz": _PLAYER}), program) == ()


def test_a_whole_system_is_no_unpacked_package() -> None:
    view = _view(**{f"package{number}/changelog.gz": _PLAYER for number in range(33)})
    assert unpacked_packages(view, b"/home/me/x/usr/bin/play") == ()


def test_documents_that_are_a_link_to_those_of_another_package_tell_no_version() -> None:
    found = unpacked_packages(_view(player=ViewLink(b"player-common")), b"/home/me/x/usr/bin/play")
    assert found == (UnpackedPackage(b"player", b"", _PROGRAM),)


def _has_files(path: bytes) -> bool:
    files = {b"/x/usr/share/doc/player/changelog.gz": _PLAYER, b"/x/usr/bin/play": b"", b"/x/" + path: b""}
    (found,) = unpacked_packages(MemoryView(files), b"/x/usr/bin/play")
    return found.has_files


def test_files_that_lie_with_a_program_are_told_by_their_directory() -> None:
    assert _has_files(b"usr/share/player/words")
    assert _has_files(b"usr/lib/player/plugin.so")
    assert _has_files(b"usr/lib/x86_64-linux-gnu/player/plugin.so")
    assert _has_files(b"usr/libexec/player/helper")


def test_files_for_people_and_services_and_libraries_do_not_count() -> None:
    assert not _has_files(b"usr/share/man/man1/play.1.gz")
    assert not _has_files(b"usr/lib/x86_64-linux-gnu/libplay.so.1")
    assert not _has_files(b"usr/lib/systemd/system/play.service")
