"""Which package brings a command whole."""

from typing import cast

import pytest

from denizen.app.command_package import command_package
from denizen.index.locate import Index


class _Package:
    def __init__(self, package: bytes, source: bytes) -> None:
        self.package = package
        self.source_package = source


_SOURCES = {
    b"perl": b"",
    b"perl-base": b"perl",
    b"mtools": b"",
    b"m": b"other",
    b"git": b"",
    b"netcat-openbsd": b"",
    b"php": b"php-defaults",
    b"php-cli": b"php-defaults",
}


class _Index:
    """An archive of some packages, one of which has each command."""

    def __init__(self, holder: bytes) -> None:
        self._holder = holder

    def commands(self, name: bytes) -> list[_Package]:
        assert name
        return [_Package(self._holder, b"")] if self._holder else []

    def packages(self, name: bytes) -> list[_Package]:
        return [_Package(name, _SOURCES[name])] if name in _SOURCES else []


@pytest.mark.parametrize(
    ("command", "holder", "package"),
    [
        (b"git", b"git", "git"),
        (b"perl", b"perl-base", "perl"),
        (b"m", b"mtools", "mtools"),
        (b"mcopy", b"mtools", "mtools"),
        (b"nothing", b"", ""),
        (b"nc", b"", "netcat-openbsd"),
        (b"nc", b"git", "git"),
        (b"vi", b"", ""),
        (b"php", b"", "php-cli"),
    ],
)
def test_a_part_of_a_language_gives_way_to_the_whole(command: bytes, holder: bytes, package: str) -> None:
    assert command_package(cast("Index", _Index(holder)), command) == package
