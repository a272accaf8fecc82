"""Packages with a distribution's interpreter's modules."""

import os
from pathlib import Path

import pytest

from denizen.app.bundles import interpreter_modules as module
from denizen.app.bundles.interpreter_modules import module_packages
from denizen.disk_view import DiskView
from denizen.launch.program import open_program
from tests.support.elf_builder import Elf, build


@pytest.mark.parametrize(
    ("name", "mentions", "packages"),
    [
        ("python3.11", b"", (b"libpython3.11-minimal", b"libpython3.11-stdlib")),
        ("perl", b"/usr/share/perl/5.36\0", (b"libperl5.36", b"perl-modules-5.36")),
        ("perl5.36.0", b"", (b"libperl5.36", b"perl-modules-5.36")),
        ("perl", b"", ()),
        ("python", b"", ()),
        ("python3.11-config", b"", ()),
    ],
)
def test_they_are_known_by_the_version(
    name: str, mentions: bytes, packages: tuple[bytes, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HOME", os.fsencode(tmp_path))
    path = tmp_path / name
    path.write_bytes(build(Elf()) + mentions)
    assert module_packages(open_program(DiskView(), os.fsencode(path))) == packages


def test_another_build_brings_its_own(tmp_path: Path) -> None:
    path = tmp_path / "python3.11"
    path.write_bytes(build(Elf()))
    assert module_packages(open_program(DiskView(), os.fsencode(path))) == ()
