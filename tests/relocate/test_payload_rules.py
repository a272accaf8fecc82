"""Applications packed behind a program, and where they are after a patch that makes the file longer."""

import io
import struct
import zipfile

import pytest

from denizen.elf import read
from denizen.relocate.errors import CannotPatch
from denizen.relocate.file_edits import apply
from denizen.relocate.patch_changes import Changes
from denizen.relocate.patch_plan import plan_patch
from denizen.relocate.verify_patch import verify_patch
from tests.support.elf_builder import Elf, build
from tests.support.zip_archives import adjusted_zip

PLAIN = Elf(interpreter=b"/lib/ld.so.1", needed=(b"libc.so.6",))
LONGER = Changes(interpreter=b"/a/path/that/is/longer/than/the/old/one/ld.so")
LONGEST = Changes(interpreter=b"/" + b"a/path/that/is/longer/still/" * 6 + b"ld.so")

BUN = b"module" * 30 + struct.pack("<Q", 180) + b"\n---- Bun! ----\n" + struct.pack("<Q", 5000)
ZIP = b"PK\3\4" + b"member" * 20 + b"PK\1\2" + b"entry" * 9 + b"PK\5\6" + bytes(18)


def pyinstaller() -> bytes:
    content = b"archive" * 50
    return (
        content + b"MEI\014\013\012\013\016" + struct.pack(">IIII", len(content) + 88, 0, 0, 312) + bytes(64)
    )


def patched(data: bytes, changes: Changes) -> bytes:
    image = read(data)
    plan = plan_patch(image, changes)
    new = apply(plan, data)
    verify_patch(image, new, plan, changes)
    return new


@pytest.mark.parametrize("payload", [BUN, ZIP, pyinstaller()], ids=["bun", "zip", "pyinstaller"])
def test_one_found_from_the_end_of_the_file_stays_at_its_end(payload: bytes) -> None:
    """Also when patched again: the segment grows between the program and its payload."""
    data = build(PLAIN) + payload
    assert plan_patch(read(data), LONGER).grows
    once = patched(data, LONGER)
    again = patched(once, LONGEST)
    for new in (once, again):
        found = read(new).payload
        assert found is not None
        assert new[found.offset :] == payload


def strict_member(data: bytes) -> bytes:
    """The content of the only member, by a reader like bazel's, which adjusts no offset."""
    record = data.rindex(b"PK\5\6")
    _, at, comment = struct.unpack_from("<2IH", data, record + 12)
    assert record + 22 + comment == len(data)
    if at == 0xFFFFFFFF:
        (end,) = struct.unpack_from("<Q", data, record - 20 + 8)
        assert data[end : end + 4] == b"PK\6\6"
        (at,) = struct.unpack_from("<Q", data, end + 48)
    assert data[at : at + 4] == b"PK\1\2"
    (local,) = struct.unpack_from("<I", data, at + 42)
    assert data[local : local + 4] == b"PK\3\4"
    return data[local + 31 : local + 35]


@pytest.mark.parametrize("zip64", [False, True], ids=["zip", "zip64"])
def test_an_archive_with_offsets_of_the_file_stays_where_it_is(*, zip64: bool) -> None:
    """The segment becomes the end of its comment: bazel's reader takes the offsets as they are."""
    start = len(build(PLAIN))
    data = build(PLAIN) + adjusted_zip(start, zip64=zip64)
    assert strict_member(data) == b"DATA"
    once = patched(data, LONGER)
    again = patched(once, LONGEST)
    for new in (once, again):
        assert new[start : start + 35] == data[start : start + 35]
        assert strict_member(new) == b"DATA"
        assert zipfile.ZipFile(io.BytesIO(new)).read("n") == b"DATA"
    assert patched(again, LONGEST) == again


def test_what_no_comment_can_hold_is_refused() -> None:
    data = build(PLAIN) + adjusted_zip(len(build(PLAIN)))
    with pytest.raises(CannotPatch, match="comment cannot hold"):
        plan_patch(read(data), Changes(run_path=b"/a" * 40_000))


def test_one_found_by_its_offset_stays_where_it_is() -> None:
    prelude = b"(function(process, require, console, EXECPATH_FD, PAYLOAD_POSITION, PAYLOAD_SIZE) {"
    data = build(PLAIN) + b"snapshot" * 40 + prelude + b"})"
    assert patched(data, LONGER)[len(build(PLAIN)) : len(data)] == data[len(build(PLAIN)) :]


def test_an_image_behind_the_section_headers_stays_there() -> None:
    plain = bytearray(build(PLAIN))
    plain[8:11] = b"AI\2"
    data = bytes(plain) + b"hsqs" + bytes(range(200))
    assert patched(data, LONGER)[len(plain) : len(data)] == data[len(plain) :]


def test_offsets_at_the_end_of_the_file_are_repeated_there() -> None:
    """Deno's: a mark and four offsets from the start of the file."""
    start = len(build(PLAIN))
    tail = b"d3n0l4nd" + struct.pack(">4Q", start, start + 100, start + 200, start + 300)
    data = build(PLAIN) + b"eszip" * 80 + tail
    once = patched(data, LONGER)
    assert once[start : len(data) - 40] == data[start:-40]
    assert once.endswith(tail)
    assert patched(once, LONGEST).endswith(tail)


@pytest.mark.parametrize(
    "payload", [b"what is this" * 9, b"d3n0l4nd" + bytes(16)], ids=["unknown", "old deno"]
)
def test_one_found_in_no_known_way_is_not_moved(payload: bytes) -> None:
    data = build(PLAIN) + payload
    with pytest.raises(CannotPatch, match="are appended"):
        plan_patch(read(data), LONGER)
    shorter = plan_patch(read(data), Changes(interpreter=b"/ld"))
    assert not shorter.grows
    assert apply(shorter, data).endswith(payload)
