"""File formats recognised by their first bytes (pure).

Only formats that people try to start, or download in place of a program; libmagic knows the rest. Longer
and more specific magics come first.
"""

from __future__ import annotations

# (offset, bytes, name)
_MAGICS = (
    (0, b"!<arch>\ndebian-binary", "Debian package"),
    (0, b"\xed\xab\xee\xdb", "RPM package"),
    (0, b"hsqs", "squashfs"),
    (0, b"PK\3\4", "zip"),
    (0, b"PK\5\6", "zip"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\xfd7zXZ\0", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"BZh", "bzip2"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\7", "rar"),
    (257, b"ustar", "tar"),
    (0, b"MZ", "Windows program"),
    (0, b"\xcf\xfa\xed\xfe", "macOS program"),
    (0, b"\xce\xfa\xed\xfe", "macOS program"),
    (0, b"\0asm", "WebAssembly"),
    (0, b"version https://git-lfs", "Git LFS pointer"),
    (0, b"BC\xc0\xde", "LLVM bitcode"),
    (0, b"%PDF-", "PDF"),
    (0, b"\x89PNG", "PNG"),
)
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<?xml")


def format_of(start: bytes) -> str | None:
    """Return the name of the format that `start`, a file's first 512 bytes, has.

    None if it is none of these.
    """
    for offset, magic, name in _MAGICS:
        if start.startswith(magic, offset):
            # jar(1) writes META-INF/ as the first member.
            return "Java archive" if name == "zip" and start.startswith(b"META-INF/", 30) else name
    # Java classes and macOS' fat files share a magic. The next word is the number of architectures of a fat
    # file, which is small, or the version of a class file.
    if start.startswith(b"\xca\xfe\xba\xbe"):
        return "macOS program" if int.from_bytes(start[4:8], "big") < 20 else "Java class"
    head = start.lstrip()[:16].lower()
    return "web page" if head.startswith(_PAGE_STARTS) else None


def is_text(start: bytes) -> bool:
    """Return whether there is no control character but white space and escape; for any superset of ASCII."""
    return not start.translate(None, bytes(range(0x20, 0x100)) + b"\t\n\v\f\r\b\x1b")
