"""The release that a program of this host's distribution is of."""

import pytest

from denizen.app.resolution.host_release import own_release
from denizen.fileview import MemoryView

_BOOKWORM = b'ID=debian\nVERSION_CODENAME="bookworm"\n'
_LIST = {
    b"/var/lib/dpkg/info/sqlite3.list": b"/.\n/usr/bin\n/usr/bin/sqlite3\n",
    b"/var/lib/dpkg/info/sed.list": b"/.\n/bin/sed\n",
}


@pytest.mark.parametrize("path", [b"/usr/bin/sqlite3", b"/usr/bin/sed", b"/bin/sed"])
def test_a_file_of_a_package_is_of_the_hosts_release(path: bytes) -> None:
    assert own_release(MemoryView({b"/etc/os-release": _BOOKWORM, **_LIST}), path, "Debian") == "bookworm"


@pytest.mark.parametrize("path", [b"/home/me/tool", b"/usr/local/bin/tool"])
def test_no_list_of_dpkg_is_read_for_a_place_where_packages_have_nothing(path: bytes) -> None:
    listed = {b"/var/lib/dpkg/info/tool.list": b"/.\n" + path + b"\n"}
    assert own_release(MemoryView({b"/etc/os-release": _BOOKWORM, **listed}), path, "Debian") == ""


@pytest.mark.parametrize("path", [b"/usr/local/bin/sqlite3", b"/usr/bin/sqlite", b"/home/me/sed"])
def test_a_file_of_no_package_is_of_no_release(path: bytes) -> None:
    view = MemoryView({b"/usr/lib/os-release": _BOOKWORM, **_LIST})
    assert own_release(view, path, "Debian") == ""


@pytest.mark.parametrize(
    "text",
    [b"", b"ID=ubuntu\nVERSION_CODENAME=noble\n", b"ID=debian\n", b"ID=debian\nVERSION_CODENAME=../x\n"],
)
def test_a_host_of_another_distribution_or_of_no_release_has_none(text: bytes) -> None:
    view = MemoryView({b"/etc/os-release": text, **_LIST})
    assert own_release(view, b"/usr/bin/sqlite3", "Debian") == ""


def test_a_host_without_dpkg_has_none() -> None:
    assert own_release(MemoryView({b"/etc/os-release": _BOOKWORM}), b"/usr/bin/sqlite3", "Debian") == ""
    assert own_release(MemoryView(_LIST), b"/usr/bin/sqlite3", "Debian") == ""
