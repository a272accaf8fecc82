"""Packages built in memory, member by member, so that they can be wrong."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda content: content,
    ".gz": lambda content: gzip.compress(content, 1),
    ".xz": lambda content: lzma.compress(content, preset=0),
    ".bz2": bz2.compress,
}
CONTROL = b"Package: test\nVersion: 1\nArchitecture: amd64\n"


@dataclass(frozen=True)
class Item:
    """One member of a tar archive."""

    name: str
    type: bytes = tarfile.REGTYPE
    content: bytes = b""
    mode: int = 0o644
    target: str = ""
    pax: Mapping[str, str] = field(default_factory=dict)


def directory(name: str) -> Item:
    return Item(name, tarfile.DIRTYPE, mode=0o755)


def symlink(name: str, target: str) -> Item:
    return Item(name, tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Item:
    return Item(name, tarfile.LNKTYPE, target=target)


def tar(items: Iterable[Item], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for item in items:
            info = tarfile.TarInfo(item.name)
            info.type, info.mode, info.linkname = item.type, item.mode, item.target
            info.size, info.pax_headers = len(item.content), dict(item.pax)
            archive.addfile(info, io.BytesIO(item.content))
    return buffer.getvalue()


def ar(*members: tuple[str, bytes]) -> bytes:
    parts = [b"!<arch>\n"]
    for name, content in members:
        parts.append(f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        parts += [content, b"\n" * (len(content) % 2)]
    return b"".join(parts)


def deb(
    data: Iterable[Item],
    *,
    compression: str = ".xz",
    control: bytes = CONTROL,
    scripts: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a package; `scripts` are its maintainer scripts by their names."""
    made = [Item(f"./{name}", content=text, mode=0o755) for name, text in (scripts or {}).items()]
    control_tar = gzip.compress(tar([Item("./control", content=control), *made]), 1)
    data_tar = COMPRESSORS[compression](tar(data))
    return ar(
        ("debian-binary", b"2.0\n"), ("control.tar.gz", control_tar), (f"data.tar{compression}", data_tar)
    )
