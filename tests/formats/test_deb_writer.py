"""Debian packages that are written."""

import lzma
import subprocess
from pathlib import Path

import pytest

from denizen.formats.deb_writer import (
    BadPackageField,
    PackageControl,
    checksums,
    control_text,
    package,
    package_name,
)
from tests.support.peers import require

_CONTROL = PackageControl("tool", "1.0", "amd64", 3000, "nobody <n@localhost>", ("one line", "another"))


def test_dpkg_reads_the_fields(tmp_path: Path) -> None:
    require("dpkg-deb")
    from denizen.formats.file_tree import Directory, File
    from denizen.formats.tar_writer import write_tar

    def packed(*entries: Directory | File) -> bytes:
        parts: list[bytes] = []
        write_tar(entries, parts.append, prefix=b"./")
        return lzma.compress(b"".join(parts))

    text = control_text(_CONTROL)
    control = File(b"control", executable=False, size=len(text), content=(text,))
    odd = File(b"usr/file", executable=False, size=3, content=(b"odd",))
    path = tmp_path / "tool.deb"
    path.write_bytes(package(packed(control), packed(Directory(b"usr"), odd)))
    shown = subprocess.run(["dpkg-deb", "--field", path], capture_output=True, text=True, check=True).stdout
    assert "Package: tool\n" in shown
    assert "Installed-Size: 3\n" in shown
    assert shown.endswith("Description: one line\n another\n")
    names = subprocess.run(
        ["dpkg-deb", "--contents", path], capture_output=True, text=True, check=True
    ).stdout
    assert names.splitlines()[-1].endswith("./usr/file")


@pytest.mark.parametrize(("name", "made"), [("Tool_X", "tool-x"), ("x", "x-program"), ("--", "x-program")])
def test_a_name_becomes_a_packages(name: str, made: str) -> None:
    assert package_name(name) == made


@pytest.mark.parametrize("version", ["", "x1", "1 0", "1\nDepends: x"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    control = PackageControl("tool", version, "amd64", 0, "nobody", ("x",))
    with pytest.raises(BadPackageField, match="version"):
        control_text(control)


def test_a_field_does_not_begin_another() -> None:
    with pytest.raises(BadPackageField):
        control_text(PackageControl("tool", "1", "amd64", 0, "x\nDepends: y", ("x",)))


def test_checksums_are_sorted() -> None:
    assert checksums({b"b": "2", b"a": "1"}) == b"1  a\n2  b\n"
