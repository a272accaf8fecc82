"""What an archive sends: Release, Packages, Contents, their compression; and lists of sources."""

import gzip
import io
import lzma
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from denizen.build.liblzma import open_liblzma
from denizen.formats import aptsources, armor, compression, contents, debversion, packages, release
from denizen.formats.compression import BadCompression, Bomb
from denizen.formats.deb822 import BadControl
from denizen.formats.debian_changelog import newest_version
from denizen.formats.debian_copyright import licences
from denizen.formats.inflate import BadStream, decompressed
from tests.support.debian_archive import package_paragraph

if TYPE_CHECKING:
    from denizen.formats.compression import XzMaker

CHUNK = 4093
LIMIT = 8 << 20
CONTENTS_TOKENS = (b"\n", b" ", b"\t", b"./", b"FILE LOCATION\n", b",", b"a/b c/d\n", b"libx.so.1 s/p\n")
PACKAGES_TOKENS = (
    b"\n\n",
    b"\nPackage: ",
    b"\nSize: ",
    b"\nSHA256: ",
    b"\n ",
    b"\t",
    b"../",
    b"%2e",
    b"9" * 20,
)
RELEASE_TOKENS = (b"\nSHA256:\n", b"\nDate: ", b" UTC\n", b"\n ", b"9" * 20, b"..", b"Acquire-By-Hash: yes\n")
SOURCES_TOKENS = (
    b"deb ",
    b"[",
    b"]",
    b"signed-by=",
    b"\n ",
    b"\nTypes: deb\n",
    b"URIs: ",
    b"file:",
    b"#",
    b"\n\n",
)
VERSION_TOKENS = (b"~", b":", b"-", b"+", b"0", b"9" * 40, b".")
STREAM_TOKENS = (b"\x1f\x8b\x08", b"\xfd7zXZ\0", bytes(8), b"\xff" * 8)
COPYRIGHT_TOKENS = (
    b"Format: https://",
    b"\nLicense: ",
    b"\nlicense:\t",
    b"\n .\n",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\0",
)
ARMOR_TOKENS = (
    b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
    b"-----END PGP PUBLIC KEY BLOCK-----\n",
    b"\n=",
    b"\n\n",
)


def _chunks(data: bytes) -> list[bytes]:
    return [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]


def read_contents(data: bytes) -> None:
    """Where the chunks are cut makes no difference."""
    whole = list(contents.groups([data]))
    if len(data) < 2 * CHUNK:
        cut = len(data) // 2
        assert list(contents.groups([data[:cut], data[cut:]])) == whole


def read_libraries(data: bytes) -> None:
    for _ in contents.lines_holding(_chunks(data), b".so"):
        pass


def some_contents() -> Sequence[bytes]:
    lines = b"bin/ls  utils/coreutils\nusr/lib/libx.so.1\tlibs/a,non-free/libs/b\nusr/a b  x\n"
    return [lines, b"prose\nFILE  LOCATION\n" + lines, lines.replace(b"usr", b"./usr"), b""]


def large_contents() -> Sequence[bytes]:
    return [
        b"".join(b"d%d/f%d s/p%d\n" % (n % 7, n, n) for n in range(40_000)),
        b"usr/lib/x86_64-linux-gnu/liba.so.1 " + b",".join([b"s/p%d" % n for n in range(6000)]) + b"\n",
        b"a.so a\n" * 100_000,
    ]


def read_packages(data: bytes) -> None:
    for package in packages.packages_in(_chunks(data)):
        packages.relation_names(package.depends)


def some_packages() -> Sequence[bytes]:
    one = package_paragraph("libx1", Depends="a (>= 1) | b:any, c [amd64]", Provides="v (= 1)").encode()
    return [
        one,
        one + b"\n" + package_paragraph("y", "1:2~3-4", "all").encode(),
        one + b"Description: x\n y\n .\n",
    ]


def large_packages() -> Sequence[bytes]:
    folded = package_paragraph("x", Depends="a,\n " + " b,\n " * 20_000)
    return ["\n".join(package_paragraph(f"p{n}") for n in range(3000)).encode(), folded.encode()]


def read_release(data: bytes) -> None:
    release.parse_release(data)


def read_changelog(data: bytes) -> None:
    """Read the newest version of a changelog, of which only the head is decompressed."""
    assert len(newest_version(data)) <= 201


def changelogs() -> Sequence[bytes]:
    """Return gzipped changelogs."""
    entry = (
        b"player (1:2.0~rc1-3+deb12u1) unstable; urgency=low\n\n  * New.\n\n -- A <a@b>  Mon, 1 Jan 2024\n"
    )
    return [gzip.compress(entry, mtime=0), gzip.compress(entry * 9, 0, mtime=0)]


def large_changelogs() -> Sequence[bytes]:
    """Return changelogs of many bytes, and one that none of them ends."""
    return [gzip.compress(bytes(8 << 20), mtime=0), gzip.compress(b" " * (1 << 20), 0, mtime=0)]


def read_licences(data: bytes) -> None:
    """Read the licences of a copyright file; each is one line's, and told once."""
    found = licences(data)
    assert len(set(found)) == len(found)
    assert not any("\n" in name for name in found)


def copyrights() -> Sequence[bytes]:
    head = b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
    stanza = b"\nFiles: *\nCopyright: 2026 Somebody\nLicense: GPL-2+ or MIT\n Words.\n .\n More.\n"
    return [head + stanza, b"\xef\xbb\xbf" + head + stanza * 3, b"This package was debianized by hand.\n"]


def large_copyrights() -> Sequence[bytes]:
    names = b"".join(b"License: L%d\n" % number for number in range(60_000))
    return [copyrights()[0] + names, b"\n" * 900_000, b"Format:\n" + b"License:" + b" " * 900_000]


def releases() -> Sequence[bytes]:
    digest = b"0" * 64
    head = b"Suite: stable\nCodename: trixie\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"
    files = b"SHA256:\n " + digest + b" 12 main/Contents-amd64.gz\n " + digest + b" 0 x\n"
    return [
        head + files,
        head + b"Valid-Until: Sun, 12 Jul 2026 10:16:37 +0000\nAcquire-By-Hash: yes\n" + files,
    ]


def large_releases() -> Sequence[bytes]:
    lines = b"".join(b" %064x %d main/f%d\n" % (n, n, n) for n in range(9000))
    return [b"Suite: s\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nSHA256:\n" + lines]


def read_sources(data: bytes) -> None:
    """Both forms: a list in the wrong one is refused, not misread into an exception."""
    for parse in (aptsources.parse_one_line, aptsources.parse_deb822):
        try:
            list(parse(data))
        except (aptsources.BadSources, BadControl):
            continue


def sources() -> Sequence[bytes]:
    return [
        b"deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://a.test/d stable main contrib\n# x\n",
        b"Types: deb deb-src\nURIs: http://a.test/d\nSuites: s\nComponents: main\nEnabled: no\n",
        b"Types: deb\nURIs: file:/x\nSuites: s/\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n A\n",
    ]


def compare_versions(data: bytes) -> None:
    assert debversion.version_key(data) == debversion.version_key(data)


def versions() -> Sequence[bytes]:
    return [b"1.2-3", b"2:1.0~rc1+dfsg-1~deb12u2", b"", b"0", b"20240101.git"]


def inflate(data: bytes) -> None:
    """As either; neither gives more than the limit."""
    for suffix in (".gz", ".xz"):
        try:
            assert sum(map(len, decompressed(_chunks(data), suffix, LIMIT))) <= LIMIT
        except BadStream:
            continue


def decode_xz(data: bytes) -> None:
    """By the standard library and by ctypes the same, or refused by both."""
    assert _decoded(data, None) == _decoded(data, _decoders())


def _decoded(data: bytes, maker: "XzMaker | None") -> tuple[bytes, str]:
    """What came out, and why the rest was refused."""
    compression.prefer_xz(maker)
    stream = compression.expanded(io.BytesIO(data), "xz")
    found = b""
    try:
        while piece := stream.read(LIMIT):
            found += piece
    except (BadCompression, Bomb) as refusal:
        return found, str(refusal)
    finally:
        compression.prefer_xz(None)
    return found, ""


@cache
def _decoders() -> "XzMaker":
    """Of the host's own liblzma: what is tried is the way to it, not the library."""
    return open_liblzma(b"liblzma.so.5").decoder


def xz_streams() -> Sequence[bytes]:
    text = b"usr/bin/x s/p\n" * 100
    checks = (lzma.CHECK_NONE, lzma.CHECK_CRC32, lzma.CHECK_CRC64, lzma.CHECK_SHA256)
    x86 = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 1}]
    return [
        *(lzma.compress(text, check=check) for check in checks),
        lzma.compress(text, filters=x86),
        lzma.compress(text) + bytes(8) + lzma.compress(b""),
    ]


def streams() -> Sequence[bytes]:
    text = b"usr/bin/x s/p\n" * 100
    return [gzip.compress(text), lzma.compress(text), gzip.compress(text) * 2, lzma.compress(text) * 2, b""]


def read_armor(data: bytes) -> None:
    armor.binary_keys(data)


def armors() -> Sequence[bytes]:
    return [
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEAAAA\n=AAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"\x99\x01\x0d\x04" + bytes(100),
    ]
