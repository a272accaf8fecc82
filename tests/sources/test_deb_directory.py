from pathlib import Path

import pytest

from denizen.sources.base import Scope
from denizen.sources.deb_directory import BadPackageFile, DirectoryOfDebs
from denizen.sources.errors import HashMismatch
from tests.support.debs import Item, deb, symlink

CONTROL = b"Package: x\nVersion: 1\nArchitecture: amd64\nDepends: libc6\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    items = [Item("./usr/lib/libx.so.1.0", content=b"."), symlink("./usr/lib/libx.so.1", "libx.so.1.0")]
    (tmp_path / "x.deb").write_bytes(deb(items, control=CONTROL))
    return tmp_path


def test_links_count_as_well_as_files(directory: Path) -> None:
    source = DirectoryOfDebs("mine", bytes(directory))
    snapshot = source.snapshot("mine", None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    assert sorted(path for path, _ in source.libraries(snapshot, "amd64")) == [
        b"usr/lib/libx.so.1",
        b"usr/lib/libx.so.1.0",
    ]


def test_a_file_added_makes_another_snapshot(directory: Path) -> None:
    source = DirectoryOfDebs("mine", bytes(directory))
    before = source.snapshot("mine", None)
    (directory / "y.deb").write_bytes(deb([], control=CONTROL.replace(b"x", b"y")))
    assert source.snapshot("mine", None).identity != before.identity


@pytest.mark.parametrize(
    "content", [b"", b"not a package", deb([], control=b"Version: 1\n"), deb([], control=CONTROL)[:-40]]
)
def test_a_file_that_is_no_package_is_named(directory: Path, content: bytes) -> None:
    (directory / "bad.deb").write_bytes(content)
    source = DirectoryOfDebs("mine", bytes(directory))
    with pytest.raises(BadPackageFile) as caught:
        source.prepare(source.snapshot("mine", None), "amd64", Scope.LIBRARIES)
    assert caught.value.path == bytes(directory / "bad.deb")


def test_a_package_that_changed_since_it_was_indexed_is_refused(directory: Path) -> None:
    source = DirectoryOfDebs("mine", bytes(directory))
    snapshot = source.snapshot("mine", None)
    source.prepare(snapshot, "amd64", Scope.LIBRARIES)
    (package,) = source.packages(snapshot, "amd64")
    (directory / "x.deb").write_bytes(deb([], control=CONTROL))
    with pytest.raises(HashMismatch):
        source.fetch([package], b"/nowhere")
