"""Zip archives made by hand, byte by byte: as tools append them to programs."""

import struct
import zlib


def adjusted_zip(start: int, *, zip64: bool = False) -> bytes:
    """An archive behind `start` bytes, whose offsets are from the file's start (zip -A)."""
    crc = zlib.crc32(b"DATA")
    member = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, crc, 4, 4, 1, 0) + b"nDATA"
    directory = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, crc, 4, 4, 1, 0, 0, 0, 0, 0, start)
    at, directory = start + len(member), directory + b"n"
    more = b""
    if zip64:
        size = len(directory)
        end = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, size, at)
        more, at = end + struct.pack("<4sIQI", b"PK\6\7", 0, at + size, 1), 0xFFFFFFFF
    record = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(directory), at, 4)
    return member + directory + more + record + b"note"
