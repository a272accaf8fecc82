import io

import pytest

from denizen.bytesio import Truncated
from denizen.formats import ar
from denizen.formats.ar import BadAr
from denizen.formats.stream import ByteSource
from tests.support import debs
from tests.support.generated_trees import ShortReads, drain

ARCHIVE = debs.ar(("one", b"odd"), ("two", b""), ("three/", b"even"))


def settled(content: bytes, step: int = 100) -> list[tuple[str, bytes]]:
    return [(m.name, drain(m.content)) for m in ar.members(ByteSource(ShortReads(content, step)))]


def test_members_are_those_that_were_written_whatever_the_pieces() -> None:
    for step in range(1, len(ARCHIVE) + 1):
        assert settled(ARCHIVE, step) == [("one", b"odd"), ("two", b""), ("three", b"even")]


def test_what_is_left_of_a_member_is_passed_over() -> None:
    names = []
    for member in ar.members(ByteSource(io.BytesIO(ARCHIVE))):
        names.append(member.name)
        member.content.read(1)
    assert names == ["one", "two", "three"]


def test_an_archive_cut_inside_a_member_is_truncated() -> None:
    ends = {8, 8 + 60 + 4, 8 + 60 + 4 + 60, len(ARCHIVE)}
    # Padding at the very end may be absent.
    ends |= {8 + 60 + 3}
    for size in set(range(len(ARCHIVE))) - ends:
        with pytest.raises(Truncated):
            settled(ARCHIVE[:size])


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"!<arch>", b"!<arcH>"),
        (b"`\n", b"``"),
        (b"one  ", b"#1/20"),
        (b"one  ", b"//   "),
        (b"one  ", b"a/b  "),
        (b"one  ", b"a\x1bb  "),
        (b"one  ", b"\xc3\xa9   "),
        (b"one  ", b"     "),
        (b"3         `", b"-3        `"),
        (b"3         `", b"          `"),
        (b"odd\n", b"oddx"),
    ],
)
def test_what_packages_do_not_use_is_refused(good: bytes, bad: bytes) -> None:
    assert good in ARCHIVE
    with pytest.raises(BadAr):
        settled(ARCHIVE.replace(good, bad, 1))
