"""Root file systems as values: owners, conflicts, links, layers."""

import pytest

from denizen.exports.rootfs_tree import SYSTEM, ExportConflict, RootTree
from denizen.formats.file_tree import Entry, File, Symlink


def file(path: bytes, content: bytes = b"x") -> File:
    return File(path, executable=False, size=len(content), content=(content,))


def same(one: File, other: File) -> bool:
    return list(one.content) == list(other.content)


def tree(*entries: tuple[Entry, str]) -> RootTree:
    made = RootTree(same)
    for entry, owner in entries:
        made.add(entry, owner)
    return made


def paths(made: RootTree) -> list[bytes]:
    return [entry.path for entry in made.entries()]


def test_directories_come_before_their_content() -> None:
    found = paths(tree((file(b"usr/lib/a/b"), "one"), (file(b"usr/lib-x"), "one")))
    assert found.index(b"usr/lib") < found.index(b"usr/lib/a") < found.index(b"usr/lib/a/b")
    assert b"tmp" in found


def test_what_lies_behind_a_link_is_where_it_leads() -> None:
    made = tree((Symlink(b"usr/lib64", b"lib"), "one"), (file(b"usr/lib64/ld.so"), "two"))
    assert b"usr/lib/ld.so" in paths(made)
    assert b"usr/lib64/ld.so" in made


def test_an_absolute_link_stays_in_the_root_and_a_circle_ends() -> None:
    made = tree(
        (Symlink(b"lib", b"/usr/lib"), "one"), (file(b"lib/x"), "two"), (Symlink(b"o", b"o"), "three")
    )
    assert b"usr/lib/x" in paths(made)
    assert b"o/x" not in made


def test_the_same_file_is_shared_and_another_refused() -> None:
    made = tree((file(b"usr/x"), "one"), (file(b"usr/x"), "two"))
    assert paths(made).count(b"usr/x") == 1
    with pytest.raises(ExportConflict) as caught:
        made.add(file(b"usr/x", b"other"), "three")
    assert (caught.value.one, caught.value.other) == ("one", "three")
    with pytest.raises(ExportConflict):
        made.add(file(b"usr/x/y"), "three")


def test_documents_are_no_conflict() -> None:
    tree((file(b"usr/share/doc/p/copyright"), "one"), (file(b"usr/share/doc/p/copyright", b"other"), "two"))


def test_a_root_is_completed_with_users_and_links() -> None:
    made = tree((file(b"usr/lib/x"), "one"), (file(b"etc/passwd", b"mine"), "one"))
    made.complete()
    found = {entry.path: entry for entry in made.entries()}
    assert found[b"lib"] == Symlink(b"lib", b"usr/lib")
    assert b"bin" not in found
    assert found[b"etc/passwd"] == file(b"etc/passwd", b"mine")
    assert b"etc/group" in found


def test_each_layer_has_the_directories_it_needs() -> None:
    made = tree((file(b"usr/lib/a"), "one"), (file(b"usr/lib/b"), "two"), (file(b"opt/x"), SYSTEM))
    first, second, last = made.layers([("one",), ("two",), (SYSTEM,)])
    assert [entry.path for entry in first.entries] == [b"usr", b"usr/lib", b"usr/lib/a"]
    assert [entry.path for entry in second.entries] == [b"usr", b"usr/lib", b"usr/lib/b"]
    assert last.title == "the root itself"
    assert {b"opt", b"opt/x", b"tmp"} <= {entry.path for entry in last.entries}


def test_a_layer_depends_on_its_package_alone() -> None:
    alone = tree((file(b"usr/lib/a"), "one")).layers([("one",), (SYSTEM,)])[0]
    among = tree((file(b"usr/lib/0"), "zero"), (file(b"usr/lib/a"), "one")).layers(
        [("zero",), ("one",), (SYSTEM,)]
    )
    assert alone == among[1]
