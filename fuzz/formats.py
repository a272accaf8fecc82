"""Archives, packages, derivations and narinfo files: what a store and a cache are made of."""

import io
import tarfile
from collections.abc import Iterable, Sequence

from denizen.build import derivation
from denizen.build.builtin_derivations import recipe
from denizen.elf.errors import Malformed
from denizen.formats import (
    aterm,
    aterm_parser,
    bundle_image,
    drv_outputs,
    iso9660,
    narinfo,
    squashfs,
    squashfs_writer,
    tar,
    unwind_tables,
)
from denizen.formats.archive_tree import Layout, entries
from denizen.formats.bundle_image import EntryKind, ImageEntry
from denizen.formats.deb import Deb
from denizen.formats.file_tree import ArchiveEntry, Directory, Entry, File, Symlink
from denizen.formats.hashes import Hash
from denizen.formats.narinfo import NarInfo
from denizen.formats.os_release import os_release
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.formats.stream import ByteSource
from denizen.nar import reader, writer
from tests.support import debs
from tests.support import squashfs as squashfs_images_of
from tests.support.debs import Item, directory, hard_link, symlink
from tests.support.iso_images import built_image
from tests.support.unwind_tables import MARK
from tests.support.unwind_tables import unwind_tables as made_tables

NAR_TOKENS = (
    b"\x01\0\0\0\0\0\0\0(\0\0\0\0\0\0\0", b"\x01\0\0\0\0\0\0\0)\0\0\0\0\0\0\0",
    b"\x02\0\0\0\0\0\0\0..\0\0\0\0\0\0",
    b"\x05\0\0\0\0\0\0\0entry\0\0\0", b"\x04\0\0\0\0\0\0\0node\0\0\0\0", b"\xff" * 8, bytes(8),
)  # fmt: skip
ISO_TOKENS = (
    b"CD001", b"NM", b"PX", b"SL", b"CE\x1c\x01", b"CL\x0c\x01", b"RE\x04\x01", b"ZF\x10\x01pz",
    b"\xff" * 8, b"ST\x04\x01",
)  # fmt: skip
SQUASHFS_TOKENS = (b"hsqs", b"\xff" * 4, bytes(8), b"\0\x80", b"..", b"\x02\0", b"\x08\0")
UNWIND_TOKENS = (MARK, b"\xff" * 4, bytes(4), b"\x0c\0\0\0")
BUNDLE_IMAGE_TOKENS = (bundle_image.MAGIC, b"../x\0", b"\xff" * 8, bytes(8))
TAR_TOKENS = (
    b"../",
    b"/",
    b"ustar\0" + b"00",
    b"ustar  \0",
    b"\x80",
    b"77777777777\0",
    b"L",
    b"K",
    b"x",
    bytes(512),
)
DEB_TOKENS = (*TAR_TOKENS, b"`\n", b"data.tar.xz     ", b"_", b"2.0\n", b"!<arch>\n")
ATERM_TOKENS = (b'"', b"\\", b"[", b"]", b"(", b")", b",", b"Derive(", b'("out","","","")')
NARINFO_TOKENS = (b": ", b"\n", b"Sig: ", b"References: ", b"sha256:", b"9" * 30, b"NarSize: ", b"\xff")
_SMALL = 10_000
_PATH = StorePath("0" * 32, "name")


def _drain(some: Iterable[ArchiveEntry]) -> None:
    for entry in some:
        if isinstance(entry, File):
            for _ in entry.content:
                pass


def read_nar(data: bytes) -> None:
    _drain(reader.read(io.BytesIO(data)))


def nars() -> Sequence[bytes]:
    trees: tuple[list[Entry], ...] = (
        [File(b"", executable=True, size=3, content=(b"abc",))],
        [Symlink(b"", b"../x")],
        [Directory(b""), Directory(b"a"), File(b"a/f", executable=False, size=9, content=(b"123456789",))],
        [Directory(b""), Symlink(b"l", b"x"), Directory(b"m"), Directory(b"m/n")],
    )
    return [b"".join(bytes(piece) for piece in writer.write(tree)) for tree in trees]


def large_nars() -> Sequence[bytes]:
    """Many entries, the deepest tree, one long file."""
    many: list[Entry] = [Directory(b""), *(Symlink(b"%06d" % number, b"x") for number in range(4000))]
    deep: list[Entry] = [Directory(b"/".join([b"d"] * depth)) for depth in range(1000)]
    long: list[Entry] = [File(b"", executable=False, size=900_000, content=(bytes(900_000),))]
    return [b"".join(bytes(piece) for piece in writer.write(tree)) for tree in (many, deep, long)]


def read_tar(data: bytes) -> None:
    # The merge does everything the plain layout does, and more.
    _drain(entries(tar.members(ByteSource(io.BytesIO(data))), Layout.USR_MERGED))


def read_squashfs(data: bytes) -> None:
    """As an AppImage is unpacked: names and links are checked too."""
    _drain(entries(squashfs.members(data)))


def read_iso9660(data: bytes) -> None:
    """As an AppImage is unpacked: names and links are checked too."""
    _drain(entries(iso9660.members(data)))


def iso_images() -> Sequence[bytes]:
    return [built_image()]


def shorten_unwind_tables(data: bytes) -> None:
    """Shorten the unwind tables of a program that is bundled; all bytes come back, or it stays as it is."""
    short = unwind_tables.shortened(data)
    assert short is None or unwind_tables.restored(short) == data
    unwind_tables.restored(data)
    if short is None:
        raise Malformed("unwind table", "its bytes would not come back", 0)


def unwind_contents() -> Sequence[bytes]:
    """Unwind tables alone, and behind one another, in another order than their functions'."""
    one, other = made_tables([0, 16, 32]), made_tables([-16 * at for at in range(40)])
    return [one, other, b"x" + one + b"yz" + other]


def read_bundle_image(data: bytes) -> None:
    """As an image is listed; the blocks are left as they are."""
    bundle_image.decode(data, lambda frame, size: bytes(frame)[:size].ljust(min(size, 1 << 16), b"\0"))


def bundle_images() -> Sequence[bytes]:
    kinds = (EntryKind.FILE, EntryKind.PROGRAM, EntryKind.LINK)
    entries = [ImageEntry(b"d/%d" % number, kind, b"content") for number, kind in enumerate(kinds)]
    return [bundle_image.encode(entries, bytes), bundle_image.encode([], bytes)]


def read_os_release(data: bytes) -> None:
    os_release(data)


def os_releases() -> Sequence[bytes]:
    return [b'NAME="Debian \\"GNU\\"/Linux"\nID=debian\nHOME_URL=\'https://a.example/\'\n# more\n']


OS_RELEASE_TOKENS = (b'="', b"='", b'\\"', b"\n", b'" ')


def squashfs_images() -> Sequence[bytes]:
    tree: squashfs_images_of.Tree = {
        "AppRun": b"#!/bin/sh\n" * 900,
        "usr": {"lib": {"a.so": "../b", "b": bytes(5000)}, "share": {}},
    }
    images = [squashfs_images_of.image(tree, compressed=compressed) for compressed in (True, False)]
    parts: list[bytes] = []
    with_fragments: list[Entry] = [Directory(b"")]
    with_fragments += [File(b"%d" % n, executable=False, size=9, content=(b"%08d\n" % n,)) for n in range(9)]
    written = squashfs_writer.write_image(with_fragments, bytes, parts.append)
    return [*images, written.superblock + b"".join(parts)]


def tars() -> Sequence[bytes]:
    items = [
        directory("./"),
        Item("./usr/x", content=b"content", mode=0o4755),
        hard_link("./lib/y", "./usr/x"),
        symlink("./usr/l", "../lib/y"),
        symlink("./etc/l", "/usr/x"),
        Item("./" + "long/" * 30 + "name"),
    ]
    return [
        debs.tar(items[:count], form) for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT) for count in (3, 6)
    ]


def large_tars() -> Sequence[bytes]:
    many = [Item(f"./{number:08}") for number in range(1500)]
    links = [symlink(f"./{number}/" + "d/" * 40, "../" * 30 + "x") for number in range(400)]
    # Each member has directories of its own, as deep as they may be; absolute links that lead deeper.
    deep = [Item(f"./{number}" + "/d" * 127) for number in range(300)]
    leads = [directory("./" + "d/" * 100), *(symlink(f"./{n}", "/" + "d/" * 2000) for n in range(300))]
    records = [Item(f"./{n}", pax={f"k{k}": "v" for k in range(2000)}) for n in range(10)]
    return [*map(debs.tar, (many, links, deep, leads)), debs.tar(records, tarfile.PAX_FORMAT)]


def read_deb(data: bytes) -> None:
    _drain(Deb(io.BytesIO(data)).entries())


def packages() -> Sequence[bytes]:
    items = [directory("./"), Item("./usr/x", content=b"content"), symlink("./l", "usr/x")]
    return [debs.deb(items, compression=compression) for compression in debs.COMPRESSORS]


def read_derivation(data: bytes) -> None:
    """Parse; print and compute what it is too, where that does not hide the time parsing takes."""
    quick = drv_outputs.stated_outputs(data)
    found = aterm_parser.parse(data)
    assert quick is None or quick == {name: output.path for name, output in found.outputs.items()}
    if len(data) > _SMALL:
        return
    assert aterm.render(found) == data
    if not found.inputs:
        derivation.seal(derivation.blanked(found), "x", {}, NIX_STORE)


def derivations() -> Sequence[bytes]:
    plain = recipe(b"builtin:x", {b"a": b'"\n\\', b"b": b"\xff"}, (), NIX_STORE)
    fixed = recipe(b"builtin:y", {}, (), NIX_STORE, aterm.DerivationOutput(b"", b"r:sha256", b"0" * 64))
    return [derivation.seal(one, "x", {}, NIX_STORE).content for one in (plain, fixed)]


def large_derivations() -> Sequence[bytes]:
    many = {b"%06d" % number: b"\\" * 20 for number in range(5000)}
    return [
        aterm.render(recipe(b"b", many, (), NIX_STORE)),
        aterm.render(recipe(b"b", {b"a": b"\n" * 200_000}, (), NIX_STORE)),
        b"Derive(" + b"[" * 900_000,
    ]


def read_narinfo(data: bytes) -> None:
    found = narinfo.parse(data, NIX_STORE)
    if len(data) > _SMALL:
        return
    assert narinfo.parse(narinfo.render(found, NIX_STORE), NIX_STORE) == found


def narinfos() -> Sequence[bytes]:
    plain = NarInfo(_PATH, "nar/x", Hash("sha256", bytes(32)), 96)
    full = NarInfo(
        _PATH, "nar/x", Hash("sha256", bytes(32)), 96, (_PATH,), "xz", Hash("sha256", bytes(32)), 7, _PATH,
        "s", ("a:AAAA",), "fixed:r:sha256:x",
    )  # fmt: skip
    return [narinfo.render(one, NIX_STORE) for one in (plain, full)]


def large_narinfos() -> Sequence[bytes]:
    references = " ".join(f"{'0' * 28}{number:04}-name" for number in range(9999)).encode()
    (plain, _) = narinfos()
    return [
        plain.replace(b"References: ", b"References: " + references),
        plain + b"Sig: a\n" * 100_000,
        plain + b"".join(b"K%d: v\n" % number for number in range(60_000)),
    ]
