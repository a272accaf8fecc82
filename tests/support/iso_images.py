"""ISO 9660 images, made by xorriso or byte by byte."""

import subprocess
import zlib
from itertools import accumulate
from pathlib import Path

from denizen.formats.iso9660 import SECTOR
from tests.support.peers import require


def relocated_image(tree: Path, output: Path) -> bytes:
    """Return an image whose directories below the eighth level lie in another one (CL, PL, RE)."""
    require("xorriso")
    words = [
        "-as",
        "mkisofs",
        "-R",
        "-iso-level",
        "3",
        "-rr_reloc_dir",
        "/moved",
        "-o",
        str(output),
        str(tree),
    ]
    subprocess.run(["xorriso", "-report_about", "FAILURE", *words], check=True, capture_output=True)
    return output.read_bytes()


def iso_image(tree: Path, output: Path, *, compressed: bool = False, rock_ridge: bool = True) -> bytes:
    """Write an image of a directory and return it; `compressed` by zisofs, as AppImages of type 1 are."""
    require("xorriso")
    output.unlink(missing_ok=True)
    if rock_ridge:
        zisofs = ["-set_filter_r", "--zisofs", "/", "--"] if compressed else []
        words = [
            "-outdev",
            str(output),
            "-zisofs",
            "level=9:block_size=128k",
            "-map",
            str(tree),
            "/",
            *zisofs,
        ]
    else:
        words = ["-as", "mkisofs", "--norock", "-iso-level", "1", "-o", str(output), str(tree)]
    subprocess.run(["xorriso", "-report_about", "FAILURE", *words], check=True, capture_output=True)
    return output.read_bytes()


def built_image() -> bytes:
    """Return a small image made here: a link, a directory, a file, and one compressed by zisofs."""
    text, zeros = b"text\n" * 300, bytes(40_000)
    packed = _zisofs(zeros)
    places = {"root": 18, "usr": 19, "text": 20, "zeros": 21}
    root = [
        _record(b"\0", places["root"], SECTOR, 2, b"SP\x07\x01\xbe\xef\0" + _mode(0o40755)),
        _record(b"\1", places["root"], SECTOR, 2, _mode(0o40755)),
        _record(b"APPRUN.;1", places["text"], len(text), 0, _name(b"AppRun") + _mode(0o100755)),
        _record(b"LINK.;1", 0, 0, 0, _name(b"link") + _mode(0o120777) + b"SL\x0f\x01\0\4\0\0\6AppRun"),
        _record(b"USR", places["usr"], SECTOR, 2, _name(b"usr") + _mode(0o40755)),
    ]
    usr = [
        _record(b"\0", places["usr"], SECTOR, 2, _mode(0o40755)),
        _record(b"\1", places["root"], SECTOR, 2, _mode(0o40755)),
        _record(
            b"ZEROS.;1", places["zeros"], len(packed), 0,
            _name(b"zeros") + _mode(0o100644) + b"ZF\x10\x01pz\x04\x0f" + _both(len(zeros)),
        ),
    ]  # fmt: skip
    descriptor = b"\x01CD001\x01\0".ljust(128, b"\0") + b"\x00\x08\x08\x00"
    descriptor = descriptor.ljust(156, b"\0") + _record(b"\0", places["root"], SECTOR, 2, b"")
    sectors = [descriptor, b"\xffCD001\x01", b"".join(root), b"".join(usr), text, packed]
    return bytes(16 * SECTOR) + b"".join(one.ljust(SECTOR, b"\0") for one in sectors)


def _both(number: int) -> bytes:
    return number.to_bytes(4, "little") + number.to_bytes(4, "big")


def _name(name: bytes) -> bytes:
    return b"NM" + bytes([5 + len(name)]) + b"\x01\0" + name


def _mode(mode: int) -> bytes:
    return b"PX\x24\x01" + _both(mode) + _both(1) + bytes(16)


def _record(name: bytes, block: int, size: int, flags: int, use: bytes) -> bytes:
    padded = name + b"\0" * (not len(name) % 2)
    body = _both(block) + _both(size) + bytes(7) + bytes([flags, 0, 0]) + b"\1\0\0\1"
    record = bytes(1) + body + bytes([len(name)]) + padded + use
    record += b"\0" * ((len(record) + 1) % 2)
    return bytes([len(record) + 1]) + record


def _zisofs(content: bytes) -> bytes:
    blocks = [zlib.compress(content[at : at + 32768]) for at in range(0, len(content), 32768)]
    blocks[0] = b""  # of zeros
    head = bytes.fromhex("37e45396c9dbd607") + len(content).to_bytes(4, "little") + b"\x04\x0f\0\0"
    places = list(accumulate([len(head) + 4 * (len(blocks) + 1), *map(len, blocks)]))
    return head + b"".join(place.to_bytes(4, "little") for place in places) + b"".join(blocks)
