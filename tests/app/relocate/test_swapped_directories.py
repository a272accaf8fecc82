"""Links that another user puts in a file's or directory's place while root changes a tree of his."""

import os
from pathlib import Path

import pytest

from denizen import file_content
from denizen.app.bundles.bundle_files import _walked
from denizen.app.exports.disk_entries import disk_entries
from denizen.app.relocate import rewrite_file
from denizen.app.relocate.patch_program import NotPut, PatchRequest, patch
from denizen.app.relocate.relocate_tree import NoTree, TreeRequest, relocate_tree
from denizen.app.relocate.tree_directories import TreeDirectories
from denizen.formats.file_tree import File
from denizen.relocate.patch_changes import Changes
from denizen.relocate.prefix import Prefix
from tests.support.elf_builder import Elf, build

PREFIX = Prefix(b"/opt/app", b"/home/somebody/app")
CONTENT = build(Elf(interpreter=b"/lib/ld.so.1", needed=(b"libc.so.6",), machine=243))
CHANGES = Changes(interpreter=b"/a/path/that/is/longer/than/the/old/one/ld.so")


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A file elsewhere, with the name and the mention that the tree's has."""
    place = tmp_path / "elsewhere" / "passwd"
    place.parent.mkdir()
    place.write_text("/opt/app is precious")
    place.chmod(0o600)
    return place


def swap(directory: Path, precious: Path) -> None:
    directory.rename(directory.with_name("away"))
    directory.symlink_to(precious.parent)


@pytest.mark.parametrize("content", ["/opt/app\n", None])
def test_a_directory_swapped_for_a_link_leads_out_of_no_tree(
    tmp_path: Path, precious: Path, content: str | None
) -> None:
    inside = tmp_path / "tree" / "inside"
    inside.mkdir(parents=True)
    if content is None:
        (inside / "passwd").symlink_to("/opt/app/passwd")
    else:
        (inside / "passwd").write_text(content)
    with pytest.raises(NoTree):
        relocate_tree(
            TreeRequest(os.fsencode(tmp_path / "tree"), PREFIX), told=lambda _: swap(inside, precious)
        )
    assert precious.read_text() == "/opt/app is precious"
    assert sorted(os.listdir(precious.parent)) == ["passwd"]


def test_a_directory_swapped_while_a_program_is_checked_is_still_the_one_written_to(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "programs" / "passwd"
    program.parent.mkdir()
    program.write_bytes(CONTENT)
    original = file_content.whole

    def swapped(*given: int) -> object:
        swap(program.parent, precious)
        return original(*given)

    monkeypatch.setattr(rewrite_file, "whole", swapped)
    patch(PatchRequest(os.fsencode(program), os.fsencode(program), CHANGES))
    assert precious.read_text() == "/opt/app is precious"
    assert (tmp_path / "away" / "passwd").read_bytes() != CONTENT


def test_a_link_in_the_new_files_place_gets_no_owner_and_no_mode(
    tmp_path: Path, precious: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_bytes(CONTENT)
    program.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(program, 65534, 65534)
    original = rewrite_file.write_patched

    def planted(*given: object, **rest: bool) -> None:
        original(*given, **rest)  # type: ignore[arg-type]
        (temporary,) = tmp_path.glob(".program.*")
        temporary.unlink()
        temporary.symlink_to(precious)

    monkeypatch.setattr(rewrite_file, "write_patched", planted)
    with pytest.raises(NotPut):
        patch(PatchRequest(os.fsencode(program), os.fsencode(program), CHANGES))
    facts = precious.stat()
    assert (facts.st_uid, facts.st_mode & 0o777) == (os.geteuid(), 0o600)
    assert program.read_bytes() == CONTENT


def test_a_tree_may_lie_behind_a_link_and_below_directories_that_cannot_be_read(tmp_path: Path) -> None:
    place = tmp_path / "real" / "below"
    place.mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    for top in (tmp_path / "link", tmp_path / "real"):
        with TreeDirectories(os.fsencode(top)) as directories:
            found = directories.of(os.fsencode(top / "below" / "file"))
            assert os.path.samestat(os.fstat(found), place.stat())
            again = directories.of(os.fsencode(top / "file"))
            assert os.path.samestat(os.fstat(again), place.parent.stat())


@pytest.mark.parametrize("top", ["tree", "./tree", "tree/", "tree//", "."])
def test_a_tree_may_be_named_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top: str) -> None:
    inside = tmp_path / "tree" / "inside"
    inside.mkdir(parents=True)
    for place in (inside / "file", inside.parent / "file"):
        place.write_text("/opt/app\n")
    monkeypatch.chdir(tmp_path)
    assert len(relocate_tree(TreeRequest(os.fsencode(top), PREFIX)).entries) == 2
    assert (inside / "file").read_text() == "/home/somebody/app\n"


def swapped_meanwhile(tree: Path, precious: Path) -> Path:
    """A tree with two files; its directory is swapped for a link when it has been listed."""
    inside = tree / "inside"
    inside.mkdir(parents=True)
    for name in ("first", precious.name):
        (inside / name).write_text("of the tree")
    return inside


def test_a_bundled_tree_takes_no_file_from_behind_a_link_that_came_meanwhile(
    tmp_path: Path, precious: Path
) -> None:
    inside = swapped_meanwhile(tmp_path / "tree", precious)
    entries = _walked(os.fsencode(tmp_path / "tree"), b"")
    assert next(entries).content == b"of the tree"
    swap(inside, precious)
    assert [one.content for one in entries] == [b"of the tree"]


def test_an_exported_tree_takes_no_file_from_behind_a_link_that_came_meanwhile(
    tmp_path: Path, precious: Path
) -> None:
    tree = os.fsencode(tmp_path / "tree")
    inside = swapped_meanwhile(tmp_path / "tree", precious)
    files = [one for one in disk_entries(tree, b"", top=tree) if isinstance(one, File)]
    assert [b"".join(one.content) for one in files] == [b"of the tree"] * 2
    swap(inside, precious)
    with pytest.raises(NotADirectoryError):
        b"".join(files[1].content)
