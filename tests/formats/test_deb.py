import bz2
import io
import itertools
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.bytesio import Truncated
from denizen.errors import BadInput
from denizen.formats import deb
from denizen.formats.archive_tree import Layout, UnsafeMember
from denizen.formats.compression import Bomb
from denizen.formats.deb import BadDeb, Deb
from denizen.formats.file_tree import ArchiveEntry, Directory, File
from tests.formats.test_compression import bomb, zstd
from tests.support import debs
from tests.support.debs import CONTROL, Item, directory, symlink
from tests.support.generated_trees import ShortReads

ITEMS = [directory("./"), directory("./usr"), Item("./usr/x", content=b"content", mode=0o4755)]
TREE = [Directory(b""), Directory(b"usr"), File(b"usr/x", True, 7, (b"content",))]
GOOD = debs.deb(ITEMS)


def settled(content: bytes, step: int = 100_000, layout: Layout = Layout.AS_PACKAGED) -> list[ArchiveEntry]:
    return [
        File(e.path, e.executable, e.size, tuple(map(bytes, e.content))) if isinstance(e, File) else e
        for e in Deb(ShortReads(content, step)).entries(layout)
    ]


@pytest.mark.parametrize("compression", list(debs.COMPRESSORS))
def test_a_package_gives_its_control_file_and_its_tree(compression: str) -> None:
    content = debs.deb(ITEMS, compression=compression)
    assert Deb(io.BytesIO(content)).control == CONTROL
    assert settled(content) == TREE


def test_zstd_packages_are_read() -> None:
    content = debs.ar(
        ("debian-binary", b"2.0\n"),
        ("control.tar.zst", zstd(debs.tar([Item("./control", content=CONTROL)]))),
        ("data.tar.zst", zstd(debs.tar(ITEMS))),
    )
    assert settled(content) == TREE


def test_every_piece_size_gives_the_same_tree() -> None:
    for step in (1, 2, 3, 7, 59, 60, 61, 127, 128, 129):
        assert settled(GOOD, step) == TREE


def test_a_package_cut_at_any_byte_is_refused() -> None:
    # The last byte may be padding of the ar archive, which may be absent.
    for size in range(len(GOOD) - 1):
        with pytest.raises(BadInput):
            settled(GOOD[:size])


def test_the_layout_is_passed_on() -> None:
    content = debs.deb([Item("./lib/x")])
    assert settled(content, layout=Layout.USR_MERGED)[-1] == File(b"usr/lib/x", False, 0, ())


DATA = ("data.tar", debs.tar([]))
CONTROL_TAR = ("control.tar", debs.tar([Item("./control", content=CONTROL)]))
BINARY = ("debian-binary", b"2.0\n")


def test_members_that_begin_with_an_underscore_are_passed_over_and_later_ones_not_read() -> None:
    content = debs.ar(BINARY, ("_gpgbuilder", b"x"), CONTROL_TAR, ("_x", b"y"), DATA, ("extra", b"z"))
    assert settled(content) == [Directory(b"")]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([], "first member is not debian-binary"),
        ([CONTROL_TAR, DATA], "first member is not debian-binary"),
        ([("debian-binary", b"3.0\n"), CONTROL_TAR, DATA], "its format is '3.0'"),
        ([("debian-binary", b"2.0"), CONTROL_TAR, DATA], "its format is"),
        ([("debian-binary", b"2.0\n" * 1000), CONTROL_TAR, DATA], "first member is not debian-binary"),
        ([BINARY, DATA, CONTROL_TAR], "stands where control.tar"),
        ([BINARY, ("surprise", b""), CONTROL_TAR, DATA], "stands where control.tar"),
        ([BINARY, CONTROL_TAR], "has no data.tar"),
        ([BINARY], "has no control.tar"),
        ([BINARY, CONTROL_TAR, ("data.tar.lz4", b"")], "compressed in a way"),
        ([BINARY, ("control.tar", debs.tar([Item("./postinst")])), DATA], "no file 'control'"),
        ([BINARY, ("control.tar", debs.tar([Item("./x/control")])), DATA], "no file 'control'"),
    ],
)
def test_what_deb5_does_not_describe_is_refused(members: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(BadDeb, match=reason):
        settled(debs.ar(*members))


def test_a_control_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deb, "MAX_CONTROL", 10)
    with pytest.raises(BadDeb, match="more than 10 bytes"):
        settled(GOOD)


@pytest.mark.parametrize(
    "item",
    [
        Item("/etc/passwd", content=b"root::0:0"),
        Item("./../../etc/passwd"),
        symlink("./usr/lib/out", "../../../../etc"),
        debs.hard_link("./x", "/etc/shadow"),
        debs.hard_link("./x", "../../etc/shadow"),
        Item("./dev/sda", b"4"),
    ],
)
def test_hostile_members_are_refused(item: Item) -> None:
    with pytest.raises(UnsafeMember):
        settled(debs.deb([item]))


def test_a_hostile_control_archive_is_refused_too() -> None:
    control = (
        "control.tar",
        debs.tar([symlink("./control", "/etc/passwd"), Item("./control", content=b"x")]),
    )
    with pytest.raises(UnsafeMember, match="twice"):
        settled(debs.ar(BINARY, control, DATA))


def test_a_bomb_is_stopped_in_data_and_in_control() -> None:
    with pytest.raises(BadInput):
        # Zeros are the end of a tar archive: the bomb is in what follows.
        settled(debs.ar(BINARY, CONTROL_TAR, ("data.tar.bz2", bomb())))


def test_a_file_that_claims_gigabytes_of_a_bomb_is_stopped() -> None:
    header = bytearray(debs.tar([Item("./huge")])[:512])
    header[124:136] = b"%011o\0" % (8 * 1024**3 - 1)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bz2.compress(bytes(header)) + bomb()
    assert len(data) < 12_000
    package = Deb(io.BytesIO(debs.ar(BINARY, CONTROL_TAR, ("data.tar.bz2", data))))
    top, huge = itertools.islice(package.entries(), 2)
    assert top == Directory(b"")
    assert isinstance(huge, File)
    with pytest.raises(Bomb):
        deque(huge.content, maxlen=0)


def test_the_scripts_of_a_package_are_never_part_of_its_tree() -> None:
    control = debs.tar(
        [Item("./postinst", content=b"rm -rf /", mode=0o755), Item("./control", content=CONTROL)]
    )
    content = debs.ar(BINARY, ("control.tar", control), ("data.tar", debs.tar(ITEMS)))
    assert settled(content) == TREE


def test_a_member_that_claims_more_than_the_file_has_is_truncated() -> None:
    with pytest.raises(Truncated):
        settled(debs.ar(BINARY, CONTROL_TAR, DATA)[:-600])


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_changed_byte_is_an_error_or_still_a_tree(where: int, change: int) -> None:
    content = bytearray(GOOD)
    content[where] ^= change
    try:
        assert settled(bytes(content))
    except BadInput:
        return
