"""Which liblzma decodes .xz streams in this process: Python's own, or a newer one from the store.

Decoding is two thirds of what unpacking packages takes, and liblzma since 5.6 does it 1.5 times as fast on
x86-64 (`xz`). Where Python's is older, the archive's `liblzma5` becomes an object like any package, and is
opened beside it. It gives the same bytes; where it cannot be had, nothing is lost but the time.

A library is opened in a running process, so it is judged first as a dynamic linker would: everything it
needs must be there, of the very C library this process runs on. What was found fit is kept as a root,

    gcroots/decoder/<C library>  ->  the object

named by the C library's identity: after an upgrade of that there is no such link, until it is judged again.
"""

from __future__ import annotations

import hashlib
import os
import sys

from denizen.errors import BadInput, DenizenError, display
from denizen.formats.compression import prefer_xz
from denizen.formats.storepath import containing
from denizen.host import machine_name
from denizen.trust import is_trusted
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.build.xz import Liblzma
    from denizen.fileview import FileView
    from denizen.formats.compression import Decoder
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout

SONAME = b"liblzma.so.5"
# The first with the range decoder in assembly: 5.6.0, stable, as `lzma_version_number` tells it.
FAST = 50_060_002
_ROOTS = b"decoder"
# Where the package has it (merged /usr), on the one architecture that gains by it.
FILE = b"usr/lib/x86_64-linux-gnu/" + SONAME
MACHINE = "x86_64"
_LIBC = b"libc.so.6"
_MAPS = "/proc/self/maps"


@value
class DecoderChoice:
    """Whether Python's own liblzma is to be helped.

    Attributes:
        helped: it is.
        reason: why, or why not: "liblzma 5.4.1 is older than 5.6".
    """

    helped: bool
    reason: str


def standing() -> DecoderChoice:
    """What this process has of its own."""
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
    """A version as `lzma_version_number` tells it, in words: the last digit is the stability."""
    return f"{version // 10_000_000}.{version // 10_000 % 1000}.{version // 10 % 1000}"


def _own_version() -> int:
    """Of the liblzma that the lzma module is bound to; 0 where that does not tell."""
    try:
        import _lzma

        from denizen.build.xz import open_liblzma

        # Looked up in the module and in what it loads; a module built in has no file.
        return open_liblzma(os.fsencode(_lzma.__file__)).version
    except (ImportError, OSError, AttributeError):
        return 0


def libc_of_process() -> bytes | None:
    """The file of the C library this process runs on; None: it is not glibc's, or /proc does not tell."""
    try:
        with open(_MAPS, "rb") as maps:
            lines = maps.read().splitlines()
    except OSError:
        return None
    paths = (b"/" + line.partition(b"/")[2] for line in lines)
    return next((path for path in paths if path.rpartition(b"/")[2] == _LIBC), None)


def judged(view: FileView, library: bytes, program: bytes) -> str:
    """What stands against loading a library into this process, which runs `program`; else ""."""
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
    """Keep an object that was judged, for the C library of this process; roots for others go."""
    from denizen.store.collection.gc_roots import add_link

    name = libc_name()
    assert name is not None  # what was judged, was judged by it
    directory = os.path.join(layout.gcroots, _ROOTS)
    for other in os.listdir(directory) if os.path.isdir(directory) else ():
        if other != name:
            os.unlink(os.path.join(directory, other))
    add_link(layout, _ROOTS + b"/" + name, path)


def kept(layout: StoreLayout) -> bytes | None:
    """The library that was judged for this process's C library, if it is there."""
    name = libc_name()
    if name is None:
        return None
    library = os.path.join(layout.gcroots, _ROOTS, name, FILE)
    return library if os.path.exists(library) else None


def opened(layout: StoreLayout) -> Liblzma | None:
    """The liblzma that was judged, loaded into this process; None: there is none, or it does not load."""
    library = kept(layout)
    try:
        place = sound(layout, library) if library else None
        if place is None:
            return None
        from denizen.build.xz import open_liblzma  # ctypes takes 2 ms

        return open_liblzma(place)
    except (DenizenError, ImportError, OSError, AttributeError):
        return None


def sound(layout: StoreLayout, library: bytes) -> bytes | None:
    """Return the file a root leads to, if nobody else can have changed it and it is as it was registered.

    Code from it runs in this process. So every directory down to it has to be this user's or root's and
    writable by nobody else, and its object has to hash to what its sidecar says: 1 ms for its 300 kB.

    Raises:
        OSError, DenizenError: something of that cannot be read.
    """
    from denizen.store.rebuild import read_sidecar
    from denizen.store.trees.digest import Digester, digest_tree

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
    """Have .xz streams decoded by the library of this store, if there is one; the first stream opens it."""
    found: list[Liblzma | None] = []

    def decoder(memory: int) -> Decoder | None:
        if not found:
            found.append(opened(layout))
        return found[0].decoder(memory) if found[0] else None

    prefer_xz(decoder)


def libc_name() -> bytes | None:
    """The identity of the C library this process runs on, as a file name; None where it is not glibc."""
    libc = libc_of_process()
    if libc is None:
        return None
    try:
        facts = os.stat(libc)
    except OSError:
        return None  # replaced a moment ago, or in another root
    identity = b"%d %d %d %d" % (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
    return hashlib.sha256(libc + b"\0" + identity).hexdigest()[:32].encode("ascii")
