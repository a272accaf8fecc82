"""The choice of the liblzma that decodes .xz streams: Python's own, or a newer one from the store.

Decoding takes two thirds of the time of unpacking packages, and liblzma since 5.6 is 1.5 times as fast on
x86-64 (`xz`). Where Python's is older, the archive's package `liblzma5` becomes a store object, and its
library is loaded beside Python's. It gives the same bytes; without it, decoding only takes longer.

The library is loaded into a running process, so it is checked first by the dynamic linker's rules: all it
needs must be found, with the same C library that this process runs on. A library that passed is kept by
the root

    gcroots/decoder/<C library>  ->  the object

named by the C library's identity. After an upgrade of the C library there is no such link, and the
library is checked again.
"""

from __future__ import annotations

import os
import sys

from denizen.errors import BadInput, DenizenError, display
from denizen.formats.compression import prefer_xz
from denizen.formats.storepath import containing
from denizen.host import machine_name
from denizen.sha256 import hex_digest_of
from denizen.trust import is_trusted
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.build.liblzma import Liblzma
    from denizen.fileview import FileView
    from denizen.formats.compression import Decoder
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout

SONAME = b"liblzma.so.5"
# 5.6.0, stable, in the form of `lzma_version_number`: the first with the range decoder in assembly.
FAST = 50_060_002
_ROOTS = b"decoder"
# The library's path in the package (merged /usr), on the one architecture where it is faster.
FILE = b"usr/lib/x86_64-linux-gnu/" + SONAME
MACHINE = "x86_64"
_LIBC = b"libc.so.6"
_MAPS = "/proc/self/maps"


class DecoderChoice(Value):
    """The decision about a newer liblzma than Python's own.

    Attributes:
        helped: a newer one would be faster.
        reason: the reason for either: "liblzma 5.4.1 is older than 5.6".
    """

    helped: bool
    reason: str


def standing() -> DecoderChoice:
    """Return whether this process would gain by a newer liblzma, with the reason."""
    if machine_name() != MACHINE or sys.maxsize < 2**32:
        return DecoderChoice(helped=False, reason="a newer liblzma is faster on x86-64 only")
    if libc_of_process() is None:
        return DecoderChoice(helped=False, reason="this Python does not run on glibc")
    version = _own_version()
    if version >= FAST:
        return DecoderChoice(helped=False, reason=f"it is liblzma {shown(version)}, which is fast")
    own = f"it is liblzma {shown(version)}" if version else "its version of liblzma cannot be told"
    return DecoderChoice(helped=True, reason=f"{own}; since 5.6 it is 1.5 times as fast")


def shown(version: int) -> str:
    """Return a version of `lzma_version_number` as text; its last digit, the stability, is left out."""
    return f"{version // 10_000_000}.{version // 10_000 % 1000}.{version // 10 % 1000}"


def _own_version() -> int:
    """Return the version of the liblzma that Python's lzma module uses; 0 where it cannot be determined."""
    try:
        import _lzma

        from denizen.build.liblzma import open_liblzma

        # dlopen of the module finds the symbols of the liblzma it loads; a built-in module has no file.
        return open_liblzma(os.fsencode(_lzma.__file__)).version
    except (ImportError, OSError, AttributeError):
        return 0


def libc_of_process() -> bytes | None:
    """Return the path of the C library this process runs on.

    It is the one whose code is mapped. A libc.so.6 that is only read (a library examined by its mapped
    bytes) has mappings as well, but none that executes.

    Returns None where it is not glibc, or /proc cannot be read.
    """
    try:
        with open(_MAPS, "rb") as maps:
            lines = maps.read().splitlines()
    except OSError:
        return None
    # proc(5): "address permissions offset device inode path", the permissions as in "r-xp".
    code = (line for line in lines if b"x" in line.split(b" ", 2)[1])
    paths = (b"/" + line.partition(b"/")[2] for line in code)
    return next((path for path in paths if path.rpartition(b"/")[2] == _LIBC), None)


def refusal_reason(view: FileView, library: bytes, program: bytes) -> str:
    """Return why `library` cannot be loaded into this process, which runs `program`; "" if it can."""
    from denizen.linker import Environment, bind, resolve

    try:
        interpreter = resolve(view, program, Environment()).interpreter
        closure = resolve(view, library, Environment(interpreter=interpreter))
        binding = bind(closure)
    except (OSError, BadInput) as problem:
        return str(problem)
    libc = next((one.path for one in closure.libraries if one.soname == _LIBC), None)
    mapped = libc_of_process()
    if libc is None or mapped is None or view.realpath(libc) != mapped:
        return "this process runs on another C library than the dynamic linker would find"
    lacking = [
        *(display(one.soname) for one in closure.missing),
        *(display(one.version) for one in binding.missing_versions),
        *(display(one.name) for one in binding.unresolved),
    ]
    return f"it needs {', '.join(lacking)}" if lacking or closure.failures else ""


def keep(layout: StoreLayout, path: StorePath) -> None:
    """Keep a checked object by a root for this process's C library.

    Remove the roots for other C libraries.
    """
    from denizen.store.collection.gc_roots import add_link

    name = libc_name()
    assert name is not None  # `refusal_reason` refuses a library where there is no glibc
    directory = os.path.join(layout.gcroots, _ROOTS)
    for other in os.listdir(directory) if os.path.isdir(directory) else ():
        if other != name:
            os.unlink(os.path.join(directory, other))
    add_link(layout, _ROOTS + b"/" + name, path)


def kept(layout: StoreLayout) -> bytes | None:
    """Return the path of the library that was checked for this process's C library, or None."""
    name = libc_name()
    if name is None:
        return None
    library = os.path.join(layout.gcroots, _ROOTS, name, FILE)
    return library if os.path.exists(library) else None


def opened(layout: StoreLayout) -> Liblzma | None:
    """Return the checked liblzma, loaded into this process; None if there is none or it does not load."""
    library = kept(layout)
    try:
        place = sound(layout, library) if library else None
        if place is None:
            return None
        from denizen.build.liblzma import open_liblzma  # ctypes takes 2 ms

        return open_liblzma(place)
    except (DenizenError, ImportError, OSError, AttributeError):
        return None


def sound(layout: StoreLayout, library: bytes) -> bytes | None:
    """Return the file a root leads to, if no other user can have changed it and it is as registered, or None.

    Code from it runs in this process. So every directory down to it has to be this user's or root's and
    writable by nobody else, and its object has to have the hash in its sidecar: 1 ms for its 300 kB.

    Raises:
        OSError, DenizenError: one of these cannot be read.
    """
    from denizen.store.trees.nar_hashing import Digester, digest_tree
    from denizen.store.upkeep.rebuild import read_sidecar

    place, store = os.path.realpath(library), os.path.realpath(layout.physical)
    path, inside = containing(place, store)
    roots = os.path.join(layout.gcroots, _ROOTS)
    believed = [store, layout.state, layout.info, layout.sidecar_of(path), layout.gcroots, roots]
    steps = inside.split(b"/")
    believed += [b"/".join([path.inside(store), *steps[:count]]) for count in range(len(steps) + 1)]
    if not all(is_trusted(os.stat(one)) for one in believed):
        return None
    info = read_sidecar(layout, path)
    found = digest_tree(path.inside(store), Digester())
    return place if (found.nar_hash, found.nar_size) == (info.nar_hash, info.nar_size) else None


def use(layout: StoreLayout) -> None:
    """Decode .xz streams by the checked library of this store, if there is one; the first stream loads it."""
    found: list[Liblzma | None] = []

    def decoder(memory: int) -> Decoder | None:
        if not found:
            found.append(opened(layout))
        return found[0].decoder(memory) if found[0] else None

    prefer_xz(decoder)


def libc_name() -> bytes | None:
    """Return a file name that identifies the C library this process runs on; None where it is not glibc."""
    libc = libc_of_process()
    if libc is None:
        return None
    try:
        facts = os.stat(libc)
    except OSError:
        return None  # replaced a moment ago, or in another root
    identity = b"%d %d %d %d" % (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    return hex_digest_of(libc + b"\0" + identity)[:32].encode("ascii")
