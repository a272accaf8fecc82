"""An initramfs that is a whole system: the closure of a generation, its accounts and its directories.

The objects lie where the store of the target has them, so that every path in them holds. The kernel's
object is left out. Nothing is unpacked or mounted later: the root is in memory.
"""

from __future__ import annotations

import os
import zlib

from denizen.formats.cpio import CpioEntry, write_cpio
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.store.trees.tree_reader import entries as entries_of
from denizen.system.accounts import AccountFiles, numbers_of, with_accounts
from denizen.system.spec import UserSpec
from denizen.system.system_manifest import INITRD, KERNEL
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.bytesio import Buffer
    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.system.system_manifest import SystemManifest
    from denizen.system.system_tree import SystemGeneration

_DIRECTORIES = (b"dev", b"proc", b"sys", b"run", b"root", b"etc", b"tmp", b"var", b"var/lib")
_ROOT = UserSpec("root", 0, "", "root", "/root", "/bin/sh")
# Days since 1970 of the passwords' last change: a constant, so that one generation makes one archive.
_DAY = 1


def write_initramfs(store: Store, generation: SystemGeneration, inside: bytes) -> Iterator[Buffer]:
    """Yield the archive, compressed by gzip, which every kernel with an initramfs reads.

    `inside` is the path of the store in the target.
    """
    packer = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    for piece in write_cpio(_entries(store, generation, inside)):
        yield packer.compress(piece)
    yield packer.flush()


def _entries(store: Store, generation: SystemGeneration, inside: bytes) -> Iterator[Entry | CpioEntry]:
    made: set[bytes] = set()
    for path in (*_DIRECTORIES, inside):
        yield from _with_parents(path, made)
    yield from _accounts_and_directories(generation.manifest, made)
    profiles = os.path.dirname(os.path.dirname(inside)) + b"/profiles"
    yield from _with_parents(profiles, made)
    place = inside + b"/" + generation.path.base.encode()
    yield Symlink(profiles + b"/system", os.path.relpath(place, profiles))
    left_out = {_target(generation, KERNEL), _target(generation, INITRD)}
    for one in sorted(store.closure([generation.path])):
        if one.base.encode() not in left_out:
            yield from _object(store, one, inside)


def _with_parents(path: bytes, made: set[bytes]) -> Iterator[Entry]:
    parts = path.split(b"/")
    for count in range(1, len(parts) + 1):
        above = b"/".join(parts[:count])
        if above not in made:
            made.add(above)
            yield Directory(above)


def _accounts_and_directories(manifest: SystemManifest, made: set[bytes]) -> Iterator[Entry | CpioEntry]:
    users = [one for one in manifest.users if one.name != "root"]
    files = with_accounts(AccountFiles(), [_ROOT, *users], manifest.groups, _DAY).files
    for name, content, mode in (
        (b"passwd", files.passwd, 0o644),
        (b"group", files.group, 0o644),
        (b"shadow", files.shadow, 0o600),
    ):
        yield CpioEntry(File(b"etc/" + name, executable=False, size=len(content), content=(content,)), mode)
    uids, gids = numbers_of(files.passwd), numbers_of(files.group)
    for one in manifest.directories:
        path = one.path.strip("/").encode()
        yield from _with_parents(os.path.dirname(path), made) if b"/" in path else ()
        made.add(path)
        yield CpioEntry(Directory(path), one.mode, uids.get(one.user, 0), gids.get(one.group, 0))


def _object(store: Store, path: StorePath, inside: bytes) -> Iterator[Entry]:
    top = inside + b"/" + path.base.encode()
    for entry in entries_of(store.place_of(path)):
        yield replace(entry, path=top + b"/" + entry.path if entry.path else top)


def _target(generation: SystemGeneration, name: str) -> bytes:
    try:
        return os.path.basename(os.readlink(os.path.join(generation.tree, name.encode())))
    except OSError:
        return b""
