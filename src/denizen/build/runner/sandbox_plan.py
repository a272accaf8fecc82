"""The plan of a builder's sandbox: operations for `denizen-enter` (pure).

Specification: Nix, src/libstore/build/local-derivation-goal.cc (startBuilder, runChild). In a sandbox a
builder is user 1000 of group 100, process 1, on the host `localhost`, and sees

    the store directory   its inputs' closure, read-only, and room for its outputs
    /build                its build directory, which is the working directory
    /tmp                  a directory of its own
    /dev, /proc           of its own; no devices but null, zero, full, random, urandom, tty, and terminals
    /etc                  users, groups, and the name `localhost`; to fetch, the host's resolver as well
    further paths         that the user has configured, and those of the tree that the derivation asks for

The root is read-only. Without the network there is a loopback interface alone. Control groups (cgroups)
cannot be mounted: a builder could end, stop and starve all processes of denizen's group by them. Which system
calls are refused is decided in syscall_filter.py.

The variable `__denizenRoot` names an input whose top-level entries are shown at the root, read-only: a tree
of unpacked packages, whose programs are compiled for /usr and /lib64. The tree of an environment
(`builtin:fhs`) has all below /usr, so that /bin, /lib64 and the like become links into it.
"""

from __future__ import annotations

import posixpath

from denizen.build.runner.syscall_filter import syscall_filter
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from denizen.build.runner.build_settings import SandboxPath

BUILD_DIR = b"/build"
ROOT_VARIABLE = b"__denizenRoot"
UID, GID = 1000, 100

_DEVICES = (b"full", b"null", b"random", b"tty", b"urandom", b"zero")
_LINKS = (
    (b"/proc/self/fd", b"/dev/fd"),
    (b"/proc/self/fd/0", b"/dev/stdin"),
    (b"/proc/self/fd/1", b"/dev/stdout"),
    (b"/proc/self/fd/2", b"/dev/stderr"),
    (b"/dev/pts/ptmx", b"/dev/ptmx"),
)
_PASSWD = (
    b"root:x:0:0:Nix build user:/build:/noshell\n"
    b"nixbld:x:1000:100:Nix build user:/build:/noshell\n"
    b"nobody:x:65534:65534:Nobody:/:/noshell\n"
)
_GROUP = b"root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n"
_HOSTS = b"127.0.0.1 localhost\n::1 localhost\n"
_NSSWITCH = b"hosts: files dns\nservices: files\n"
_RESOLVER = (b"/etc/resolv.conf", b"/etc/services", b"/etc/hosts")
# What only the kernel's own root may write: a sandbox that root makes has that user outside of it.
_KERNEL_FILES = (b"/proc/sys", b"/proc/sysrq-trigger", b"/proc/irq", b"/proc/bus")

_Step = tuple[bytes, ...]


class BuildRoom(Value):
    """The directories of one build on disk.

    Attributes:
        build: the build directory.
        outputs: the directory in which outputs are made.
        scratch: the directory shown as /tmp.
        stage: an empty directory, on which the root is made.
    """

    build: bytes
    outputs: bytes
    scratch: bytes
    stage: bytes


class SandboxRequest(Value):
    """The parts of a sandbox.

    Attributes:
        room: the build's own directories.
        store_dir: the store directory, as the builder sees it.
        physical: the directory where the objects are.
        inputs: base names of the objects that are shown.
        paths: configured paths, parents before what lies in them.
        tree: directory of the tree whose entries are shown at the root; b"" for none.
        entries: the paths in it that are shown, relative to its top.
        merged: names at the root that become links into /usr.
        network: the builder may use the network.
        as_root: denizen is run by root.
        devices: further devices that it has (b"kvm").
        machine: this machine (`uname -m`).
    """

    room: BuildRoom
    store_dir: bytes
    physical: bytes
    inputs: tuple[bytes, ...]
    paths: tuple[SandboxPath, ...] = ()
    tree: bytes = b""
    entries: tuple[bytes, ...] = ()
    merged: tuple[bytes, ...] = ()
    network: bool = False
    as_root: bool = False
    devices: tuple[bytes, ...] = ()
    machine: str = "x86_64"


def sandboxed(request: SandboxRequest, status: int) -> tuple[bytes, ...]:
    """Return the operations up to a builder in a sandbox.

    `status` is the descriptor on which its end is told.
    """
    steps: list[_Step] = [
        (b"status", b"%d" % status),
        (b"isolate", b"%d" % UID, b"%d" % GID),
        (b"no-cgroups",),
        *([] if request.network else [(b"offline",), (b"loopback",)]),
        (b"names", b"localhost"),
        (b"tmpfs", request.room.stage),
        *_root(request),
        (b"root", request.room.stage),
        *([(b"harden", path) for path in _KERNEL_FILES] if request.as_root else []),
        (b"readonly", b"/"),
        (b"chdir", BUILD_DIR),
        *_confined(request.machine, network=request.network),
    ]
    return tuple([word for step in steps for word in step])


def guarded(build_dir: bytes, status: int) -> tuple[bytes, ...]:
    """Return the operations up to a builder without a sandbox, which sees all of this machine."""
    return (b"status", b"%d" % status, b"guard", b"chdir", build_dir, b"weaken")


def _confined(machine: str, *, network: bool) -> Iterator[_Step]:
    if network:
        # A process outside could hand it files through an abstract socket (CVE-2024-27297).
        yield (b"scoped",)
    yield (b"weaken",)
    yield (b"filter", syscall_filter(machine).hex().encode())


def _root(request: SandboxRequest) -> Iterator[_Step]:
    stage, room = request.room.stage, request.room
    made: set[bytes] = set()
    made |= {b"/" + name for name in request.entries}
    for top in (b"/etc", b"/dev", b"/dev/pts", b"/dev/shm", b"/proc", b"/tmp", BUILD_DIR):
        yield from _directory(top, stage, made)
    if request.entries:
        yield (b"shown", request.tree, stage, b"%d" % len(request.entries), *request.entries)
    for name in request.merged:
        yield (b"symlink", b"usr/" + name, stage + b"/" + name)
    yield from _etc(stage, network=request.network)
    yield from _dev(stage, request.devices)
    yield from _bound(room.scratch, stage + b"/tmp")
    yield from _bound(room.build, stage + BUILD_DIR)
    yield from _directory(request.store_dir, stage, made)
    yield from _bound(room.outputs, stage + request.store_dir)
    yield (
        b"shown", request.physical, stage + request.store_dir, b"%d" % len(request.inputs), *request.inputs,
    )  # fmt: skip
    yield from _configured(request.paths, stage, made)
    yield (b"mount", b"proc", b"", stage + b"/proc")


def root_entries(top: Sequence[bytes], etc: Sequence[bytes], store_dir: bytes) -> tuple[bytes, ...]:
    """Return the paths of a tree that are shown at the root, given the names at its top and in its /etc.

    What the sandbox has of its own, and the directory of the store, is not taken from the tree.
    """
    own = {b"etc", b"dev", b"proc", b"sys", b"tmp", BUILD_DIR[1:], store_dir.split(b"/")[1]}
    in_etc = {b"passwd", b"group", b"hosts", b"nsswitch.conf", b"resolv.conf", b"services"}
    names = [name for name in top if name not in own]
    return (*names, *[b"etc/" + name for name in etc if name not in in_etc])


def _directory(path: bytes, stage: bytes, made: set[bytes]) -> Iterator[_Step]:
    """Yield the steps that make a directory with its parents, each once."""
    parts = path.strip(b"/").split(b"/")
    for count in range(1, len(parts) + 1):
        place = b"/" + b"/".join(parts[:count])
        if place not in made:
            made.add(place)
            yield (b"dir", stage + place)


def _bound(source: bytes, target: bytes) -> Sequence[_Step]:
    return ((b"bind", source, target), (b"safe", target))


def _etc(stage: bytes, *, network: bool) -> Iterator[_Step]:
    texts = [(b"/etc/passwd", _PASSWD), (b"/etc/group", _GROUP)]
    texts.append((b"/etc/nsswitch.conf", _NSSWITCH) if network else (b"/etc/hosts", _HOSTS))
    for path, text in texts:
        yield (b"text", text, stage + path)
    if network:
        for path in _RESOLVER:
            yield (b"show-if", path, stage + path)


def _dev(stage: bytes, more: tuple[bytes, ...]) -> Iterator[_Step]:
    for name in (*_DEVICES, *more):
        place = b"%b/dev/%b" % (stage, name)
        yield from ((b"file", place), (b"offer", b"/dev/" + name, place))
    for target, path in _LINKS:
        yield (b"symlink", target, stage + path)
    yield (b"mount", b"devpts", b"newinstance,ptmxmode=0666,mode=0620", stage + b"/dev/pts")
    yield (b"mount", b"tmpfs", b"mode=1777,size=50%", stage + b"/dev/shm")


def _configured(paths: Iterable[SandboxPath], stage: bytes, made: set[bytes]) -> Iterator[_Step]:
    for one in paths:
        parent = posixpath.dirname(one.target)
        if parent != b"/":
            yield from _directory(parent, stage, made)
        made.add(one.target)
        place = stage + one.target
        if one.source.startswith(b"/dev/"):
            yield from ((b"file", place), (b"offer" if one.optional else b"bind", one.source, place))
        else:
            yield (b"show-if" if one.optional else b"show", one.source, place)
