import struct

import pytest

from denizen.elf import Payload, constants, read
from denizen.elf.payload import end_of_elf
from tests.support.elf_builder import Elf, Note, build, replace

ELF = Elf(entry=1)
END = len(build(ELF))
DOTNET = bytes.fromhex("8b1202b96a612038727b930214d7a03213f5b9e6efae3318ee3b2dce24b36aae")
COOKIE = b"MEI\014\013\012\013\016"


def payload_of(elf: Elf) -> Payload | None:
    return read(build(elf)).payload


def test_a_plain_program_carries_nothing() -> None:
    assert payload_of(ELF) is None


@pytest.mark.parametrize("padding", [1, 4096, 3 << 20])
def test_zeros_behind_the_program_are_padding(padding: int) -> None:
    assert payload_of(replace(ELF, appended=bytes(padding))) is None
    assert payload_of(replace(ELF, appended=bytes(padding) + b"data" * 20_000)) is not None


@pytest.mark.parametrize(
    ("appended", "kind"),
    [
        (b"data" + b"\n---- Bun! ----\n" + bytes(8), "bun"),
        (b"script" + b"d3n0l4nd" + bytes(16), "deno"),
        (b"script" + b"d3n0l4nd" + bytes(32), "deno"),
        (
            b"files(function(process, require, console, EXECPATH_FD, PAYLOAD_POSITION, PAYLOAD_SIZE) { x\n})",
            "pkg",
        ),
        (b"PK\3\4...", "zip"),
        (b"junk first PK\5\6" + bytes(18), "zip"),
        (b"hsqs....", "squashfs"),
        (b"\x1f\x8b....", "gzip"),
        (b"who knows", None),
    ],
)
def test_appended_bytes_are_known_by_their_marks(appended: bytes, kind: str | None) -> None:
    expected = Payload(kind, END, len(appended), appended=True)
    assert payload_of(replace(ELF, appended=appended)) == expected


def test_appimage_is_known_by_its_header() -> None:
    file = bytearray(build(replace(ELF, appended=b"hsqs....")))
    file[8:11] = b"AI\2"
    assert read(bytes(file)).payload == Payload("appimage", END, 8, appended=True)
    file[8:11] = b"AI\1"
    assert read(bytes(file)).payload == Payload("appimage", 0, END + 8, appended=False)


def test_a_node_application_is_a_note() -> None:
    found = payload_of(replace(ELF, notes=(Note(b"NODE_SEA_BLOB", 0, b"blob"),)))
    assert found is not None
    assert (found.kind, found.size, found.appended) == ("node-sea", 4, False)


def test_a_deno_application_is_a_note_of_libsui() -> None:
    found = payload_of(replace(ELF, notes=(Note(b"SUI", 0x53554901, b"\x08\0d3n0l4nd" + b"data"),)))
    assert found is not None
    assert found.kind == "deno"
    assert payload_of(replace(ELF, notes=(Note(b"SUI", 0x53554901, b"\x05\0other"),))) is None


def test_a_bun_application_may_end_the_last_segment() -> None:
    content = b"module graph\n---- Bun! ----\n" + bytes(100)
    file = build(replace(ELF, dynamic=False, segments=((0x60000000, content),)))
    found = read(file).payload
    assert found is not None
    assert (found.kind, found.appended) == ("bun", False)
    assert file[: found.offset + found.size].endswith(b"\n---- Bun! ----\n")


@pytest.mark.parametrize("size", [24, 88])
def test_a_pyinstaller_archive_is_measured_by_its_cookie(size: int) -> None:
    cookie = COOKIE + struct.pack(">I", 100 + size)
    archive = bytes(100) + cookie.ljust(size, b"\1")
    expected = Payload("pyinstaller", END, 100 + size, appended=True)
    assert payload_of(replace(ELF, appended=archive)) == expected


def test_a_pyinstaller_cookie_that_lies_is_none() -> None:
    cookie = COOKIE + struct.pack(">I", 0x7FFFFFFF) + bytes(76)
    assert payload_of(replace(ELF, appended=cookie)) == Payload(None, END, len(cookie), appended=True)


@pytest.mark.parametrize(("offset", "kind"), [(END, "dotnet"), (0, None)])
def test_a_dotnet_bundle_is_one_if_the_host_names_its_offset(offset: int, kind: str | None) -> None:
    elf = replace(ELF, segments=((0x60000000, struct.pack("<Q", offset) + DOTNET),), appended=b"assemblies")
    found = payload_of(elf)
    assert found is not None
    assert found.kind == kind


def test_what_sound_section_headers_cover_is_not_appended() -> None:
    file = bytearray(build(ELF))
    section = struct.pack("<IIQQQQIIQQ", 0, 1, 0, 0, len(file), 16, 0, 0, 1, 0)
    file += b"debug information"[:16] + section
    struct.pack_into("<Q", file, 40, len(file) - len(section))
    struct.pack_into("<HH", file, 58, 64, 1)
    assert read(bytes(file)).payload is None


def test_unsound_section_headers_say_nothing() -> None:
    file = bytearray(build(replace(ELF, appended=b"x" * 50)))
    struct.pack_into("<Q", file, 40, 1 << 40)
    struct.pack_into("<HH", file, 58, 64, 9)
    image = read(bytes(file))
    assert end_of_elf(image.buffer, image.header, image.segments) == END


@pytest.mark.parametrize("kind", [constants.ET_REL, constants.ET_CORE])
def test_object_files_and_cores_carry_no_application(kind: int) -> None:
    assert payload_of(replace(ELF, type=kind, appended=b"PK\3\4")) is None
