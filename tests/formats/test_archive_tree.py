import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.errors import BadInput
from denizen.formats import archive_tree, tar
from denizen.formats.archive_tree import Layout, UnsafeMember
from denizen.formats.file_tree import ArchiveEntry, Directory, File, HardLink, Symlink
from denizen.formats.stream import ByteSource
from tests.support import debs
from tests.support.debs import Item, directory, hard_link, symlink


def unpacked(*items: Item, layout: Layout = Layout.AS_PACKAGED) -> list[ArchiveEntry]:
    """The tree, without its top and with contents read."""
    members = tar.members(ByteSource(io.BytesIO(debs.tar(items))))
    top, *entries = [
        File(e.path, e.executable, e.size, tuple(map(bytes, e.content))) if isinstance(e, File) else e
        for e in archive_tree.entries(members, layout)
    ]
    assert top == Directory(b"")
    return entries


def refusal(*items: Item, layout: Layout = Layout.AS_PACKAGED) -> UnsafeMember:
    with pytest.raises(UnsafeMember) as caught:
        unpacked(*items, layout=layout)
    return caught.value


EMPTY = File(b"a/b", False, 0, ())


@pytest.mark.parametrize("name", ["a/b", "./a/b", "./a//b", "././a/./b", "a/./b"])
def test_spellings_of_a_name_are_one(name: str) -> None:
    assert unpacked(Item(name)) == [Directory(b"a"), EMPTY]


def test_directories_are_announced_once_whether_the_archive_does_or_not() -> None:
    assert unpacked(directory("./"), Item("a/b"), directory("./a/"), directory("a/c/d")) == [
        Directory(b"a"),
        EMPTY,
        Directory(b"a/c"),
        Directory(b"a/c/d"),
    ]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "//etc", "../x", "a/../../x", "a/..", "./..", "..", "n" * 256, "a/" + "n" * 256]
)
def test_names_that_lead_out_or_nowhere_are_refused(name: str) -> None:
    for item in (Item(name), directory(name), symlink(name, "x")):
        assert refusal(item).name.decode().rstrip("/") == name


def test_a_path_longer_than_the_kernel_takes_is_refused() -> None:
    assert "longer than a path" in refusal(Item("/".join(["d" * 200] * 21))).why


def test_a_name_with_nul_is_refused() -> None:
    member = tar.TarMember(b"a\0b", tar.MemberKind.FILE, 0o644, 0, b"")
    with pytest.raises(UnsafeMember, match="NUL"):
        list(archive_tree.entries([member]))


@pytest.mark.parametrize("target", ["/etc", "elsewhere", ".", "a"])
@pytest.mark.parametrize("through", [Item("x/passwd"), directory("x/d"), symlink("x/l", "y"), directory("x")])
def test_nothing_is_written_through_a_link(target: str, through: Item) -> None:
    assert "x' is a symbolic link" in refusal(symlink("x", target), through).why


def test_nothing_is_written_below_a_file() -> None:
    assert "is a file" in refusal(Item("x"), Item("x/y")).why
    assert "is a file" in refusal(Item("x"), hard_link("y", "x"), directory("y")).why
    assert "is a hard link" not in refusal(Item("x"), hard_link("y", "x"), Item("y/z")).why


@pytest.mark.parametrize("second", [Item("x"), symlink("x", "y"), hard_link("x", "other")])
@pytest.mark.parametrize("first", [Item("x"), symlink("x", "y"), directory("x")])
def test_a_name_twice_is_refused(first: Item, second: Item) -> None:
    assert refusal(Item("other"), first, second).why == "it is in the archive twice"


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.CHRTYPE, "character device"),
        (tarfile.BLKTYPE, "block device"),
        (tarfile.FIFOTYPE, "named pipe"),
    ],
)
def test_devices_and_pipes_are_refused(kind: bytes, word: str) -> None:
    assert word in refusal(Item("dev/x", kind)).why


@pytest.mark.parametrize(
    ("mode", "executable"),
    [
        (0o644, False),
        (0o755, True),
        (0o4755, True),
        (0o2644, False),
        (0o6711, True),
        (0o1777, True),
        (0o077, False),
    ],
)
def test_of_the_mode_only_the_owners_execute_bit_is_left(mode: int, executable: bool) -> None:  # noqa: FBT001 - a parameter
    assert unpacked(Item("x", mode=mode)) == [File(b"x", executable, 0, ())]


def test_hard_links_lead_to_files_that_came_before() -> None:
    assert unpacked(Item("a/b"), hard_link("./c", "./a/b"), hard_link("d", "c")) == [
        Directory(b"a"),
        EMPTY,
        HardLink(b"c", b"a/b"),
        HardLink(b"d", b"c"),
    ]


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "a/../../x", "missing", "", "a", "self", "a/b/c"])
def test_any_other_hard_link_is_refused(target: str) -> None:
    refusal(Item("a/b"), hard_link("self", target))


def test_a_hard_link_to_a_link_is_that_link_again() -> None:
    assert unpacked(symlink("l", "x"), hard_link("d/m", "l")) == [
        Symlink(b"l", b"x"),
        Directory(b"d"),
        Symlink(b"d/m", b"x"),
    ]
    assert "outside" in refusal(symlink("d/e/l", "../../x"), hard_link("m", "d/e/l")).why


@pytest.mark.parametrize("target", ["x", ".", "../other", "./x/../y", "../../lib/z", "x//y"])
def test_relative_links_that_stay_inside_are_kept_as_written(target: str) -> None:
    assert unpacked(symlink("a/b/l", target))[-1] == Symlink(b"a/b/l", target.encode())


@pytest.mark.parametrize(
    "target", ["../../..", "../../../etc/passwd", "x/../../../../y", "/..", "/a/../../b"]
)
def test_links_whose_words_lead_above_the_top_are_refused(target: str) -> None:
    assert "outside the package" in refusal(symlink("a/b/l", target)).why


@pytest.mark.parametrize(
    ("target", "result"),
    [
        ("/usr/lib/real", "../../usr/lib/real"),
        ("/usr//lib/./real", "../../usr//lib/./real"),
        ("/usr/lib", "../../usr/lib"),
        ("/", "../../"),
        ("/usr/lib/alias/below", "../../usr/lib/alias/below"),
        ("/etc/alternatives/x", "/etc/alternatives/x"),
        ("/usr/lib/missing", "/usr/lib/missing"),
    ],
)
def test_absolute_links_become_relative_where_the_archive_has_their_end(target: str, result: str) -> None:
    found = unpacked(symlink("a/b/l", target), Item("usr/lib/real"), symlink("usr/lib/alias", "elsewhere"))
    # Absolute links come last: what they lead to may come late.
    assert found[-1] == Symlink(b"a/b/l", result.encode())


@pytest.mark.parametrize("target", ["", "t" * 4096])
def test_a_target_the_kernel_would_not_take_is_refused(target: str) -> None:
    assert "nowhere" in refusal(symlink("x", target)).why


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_tree, "MAX_ENTRIES", 10)
    assert "over 10 members" in refusal(*(Item(str(number)) for number in range(11))).why


def test_too_many_bytes_of_names_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_tree, "MAX_NAME_BYTES", 1000)
    assert "1000 bytes of names" in refusal(*(Item(f"{number:0100}") for number in range(11))).why


def test_the_top_can_only_be_a_directory() -> None:
    refusal(Item("."))
    refusal(symlink(".", "/etc"))


def merged(*items: Item) -> list[ArchiveEntry]:
    return unpacked(*items, layout=Layout.USR_MERGED)


def test_merging_moves_what_the_merge_moves_and_nothing_else() -> None:
    found = merged(Item("bin/a"), Item("lib64/b"), Item("libexec/c"), Item("usr/bin/d"))
    assert [e.path for e in found if isinstance(e, File)] == [
        b"usr/bin/a",
        b"usr/lib64/b",
        b"libexec/c",
        b"usr/bin/d",
    ]


@pytest.mark.parametrize(
    ("link", "result"),
    [
        (symlink("lib/x/l", "../../usr/lib/y"), Symlink(b"usr/lib/x/l", b"../../../usr/lib/y")),
        (symlink("usr/lib/l", "../../lib/y"), Symlink(b"usr/lib/l", b"../../usr/lib/y")),
        (symlink("lib/l", "y"), Symlink(b"usr/lib/l", b"../../usr/lib/y")),
        (symlink("usr/lib/l", "y"), Symlink(b"usr/lib/l", b"y")),
        (symlink("etc/l", "/bin/sh"), Symlink(b"etc/l", b"/usr/bin/sh")),
        (symlink("etc/l", "/etc/m"), Symlink(b"etc/l", b"/etc/m")),
    ],
)
def test_merged_links_lead_where_they_led(link: Item, result: Symlink) -> None:
    assert merged(link)[-1] == result


def test_a_compatibility_link_to_the_same_file_is_left_out() -> None:
    found = merged(Item("usr/lib/x"), symlink("lib/x", "/usr/lib/x"))
    assert found == [Directory(b"usr"), Directory(b"usr/lib"), File(b"usr/lib/x", False, 0, ())]


def test_the_links_that_make_a_merged_system_become_the_directories() -> None:
    assert merged(symlink("lib", "usr/lib"), Item("usr/lib/x")) == [
        Directory(b"usr"),
        Directory(b"usr/lib"),
        File(b"usr/lib/x", False, 0, ()),
    ]


def test_a_merged_package_with_both_files_is_refused() -> None:
    assert "twice" in refusal(Item("lib/x"), Item("usr/lib/x"), layout=Layout.USR_MERGED).why


parts = st.sampled_from(["a", "b", "..", ".", "", "lib", "usr"])
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
items = st.one_of(
    names.map(Item),
    names.map(directory),
    st.builds(symlink, names, names),
    st.builds(hard_link, names, names),
)


@given(st.lists(items, max_size=8), st.sampled_from(list(Layout)))
def test_whatever_the_archive_the_tree_is_safe_to_write(items: list[Item], layout: Layout) -> None:
    try:
        found = unpacked(*items, layout=layout)
    except BadInput:
        return
    kinds: dict[bytes, ArchiveEntry] = {b"": Directory(b"")}
    for entry in found:
        parts = entry.path.split(b"/")
        assert not {b"", b".", b".."} & set(parts)
        assert entry.path not in kinds
        assert isinstance(kinds[entry.path.rpartition(b"/")[0]], Directory)
        if isinstance(entry, HardLink):
            assert isinstance(kinds[entry.existing], File | HardLink)
        if isinstance(entry, Symlink) and not entry.target.startswith(b"/"):
            depth = len(parts) - 1
            for part in entry.target.split(b"/"):
                depth += {b"..": -1, b".": 0, b"": 0}.get(part, 1)
                assert depth >= 0
        kinds[entry.path] = entry


def test_directories_may_be_as_deep_as_is_said_and_no_deeper() -> None:
    deepest = "/".join(["d"] * archive_tree.MAX_DEPTH)
    assert len(unpacked(Item(f"{deepest}/f"))) == archive_tree.MAX_DEPTH + 1
    for item in (Item(f"{deepest}/d/f"), directory(f"{deepest}/d/f"), symlink(f"{deepest}/d/f", "x")):
        assert f"more than {archive_tree.MAX_DEPTH} directories" in refusal(item).why


def test_announced_directories_count_as_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_tree, "MAX_NAME_BYTES", 10_000)
    assert "bytes of names" in refusal(*(Item(f"{n}/" + "d/" * 100 + "f") for n in range(10))).why
    monkeypatch.setattr(archive_tree, "MAX_ENTRIES", 50)
    assert "50 members" in refusal(Item("d/" * 100 + "f")).why


def test_an_absolute_link_far_below_what_there_is_takes_no_long_look() -> None:
    """It is looked for only as far as the archive has directories, not once for each of its words."""
    looked: list[bytes] = []

    class Kinds(dict[bytes, tar.MemberKind]):
        def get(self, key: bytes) -> tar.MemberKind | None:  # type: ignore[override]
            looked.append(key)
            return super().get(key)

    members = tar.members(
        ByteSource(io.BytesIO(debs.tar([directory("a/b"), symlink("l", "/a/" + "d/" * 1500)])))
    )
    one = archive_tree._Unpacking(Layout.AS_PACKAGED)
    one._kinds = Kinds(one._kinds)
    assert list(one.entries(members))[-1] == Symlink(b"l", b"/a/" + b"d/" * 1500)
    assert len(looked) < 20


def test_a_link_through_a_link_of_the_archive_is_made_relative_however_deep() -> None:
    assert unpacked(directory("a/b"), symlink("a/b/c", "x"), symlink("l", "/a/b/c/d/e"))[-1] == Symlink(
        b"l", b"a/b/c/d/e"
    )
