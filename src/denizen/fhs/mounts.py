"""Plans for `denizen-enter`: the root for a trigger's tool, and the root that a user enters (pure).

The operations are loader/enter/enter.c's. Both roots are built in a file system of their own at `stage`, an
empty directory, and become / as the last step: no name is ever made on the host.

An entered root has the environment's /usr and /etc, the host's everything else, entry by entry, and

    /.denizen/environment   the environment's whole tree
    /.denizen/tree          a link to the tree where it is on the host: which environment this is
    /.denizen/etc           links to files of the host, or defaults, which the environment's /etc links to
    /.denizen/host          the host's /etc and /usr: its fonts, its drivers
    /.denizen/share         links to what the host's drivers say of themselves (driver_libraries.py)
"""

from __future__ import annotations

import posixpath

from denizen.fhs.driver_libraries import SHARE
from denizen.fhs.host_etc import HOST, EtcFile, EtcJoined
from denizen.fileview import USR_MERGED
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from denizen.fhs.host_etc import EtcEntry

# Names at the root that come from the environment or are made, not taken from the host.
_OWN = (*USR_MERGED, b"usr", b"etc", b".denizen", b"opt")
# Directories that programs expect; they are made if the host lacks them (a bare root).
_EXPECTED = (b"proc", b"dev", b"sys", b"tmp", b"run", b"var", b"home", b"opt", b"mnt")
# What lies there is gone when a machine stops: a file system of its own where a host lacks it.
_PASSING = frozenset({b"run", b"tmp"})
# An empty directory used on the way.
_STATE_STAGE = b"/.denizen/state"
_DEVICES = (b"null", b"zero", b"full", b"random", b"urandom")


class BindMount(Value):
    """A path of the host that is shown at another path; with `optional` only if it exists."""

    source: bytes
    target: bytes
    optional: bool = False


class EnteredRoot(Value):
    """The parts of an entered root.

    Attributes:
        tree: path of the environment's store object.
        etc: the files and links of /.denizen/etc, by name.
        stage: an empty directory.
        merged: the names in USR_MERGED that the tree has below /usr.
        top: names of the host's root that exist.
        bindings: further paths that the user wants.
        cache: a file to show as /etc/ld.so.cache; b"" for the tree's own.
        manifests: links in /.denizen/share, each with its target inside.
        state: directories below /var and /run that are made, for as long as the program runs, where the host
            lacks them; sorted.
    """

    tree: bytes
    etc: Mapping[bytes, EtcEntry]
    stage: bytes
    merged: tuple[bytes, ...]
    top: tuple[bytes, ...]
    bindings: tuple[BindMount, ...] = ()
    cache: bytes = b""
    manifests: tuple[tuple[bytes, bytes], ...] = ()
    state: tuple[bytes, ...] = ()


def entering(entry: EnteredRoot) -> tuple[bytes, ...]:
    """Return the operations that make the root that a user enters."""
    steps = [word for step in _built(entry) for word in step]
    if entry.state:
        moved = entry.stage + _STATE_STAGE
        steps += [b"dir", moved, b"lacking", entry.stage, moved, b"%d" % len(entry.state), *entry.state]
    return (b"private", *steps, b"root", entry.stage, b"readonly", b"/")


def standing(entry: EnteredRoot) -> tuple[bytes, ...]:
    """Return the operations that make that root at `entry.stage` for all processes: a plain chroot, for root.

    Each mount is made private before anything is mounted below it: a bind mount is a peer of its source, and
    a mount below it would appear at the source too (mount_namespaces(7)).
    """
    steps: list[bytes] = []
    for step in _built(entry):
        steps += [*step, b"apart", entry.stage] if step[0] in (b"bind", b"offer", b"entries") else step
    return (*steps, b"readonly", entry.stage, b"check")


def _built(entry: EnteredRoot) -> list[tuple[bytes, ...]]:
    """Return the operations that fill `entry.stage`."""
    stage = entry.stage

    def at(path: bytes) -> bytes:
        return stage + path

    steps: list[tuple[bytes, ...]] = [(b"tmpfs", stage), (b"apart", stage)]
    steps.append((b"entries", b"/", stage, b"%d" % len(_OWN), *_OWN))
    missing = [name for name in _EXPECTED if name not in entry.top]
    steps += [(b"dir", at(b"/" + name)) for name in (b"usr", b"etc", b"opt", b".denizen", *missing)]
    steps += [(b"tmpfs", at(b"/" + name)) for name in missing if name in _PASSING]
    below = (b"environment", b"etc", b"host", b"host/etc", b"host/usr")
    steps += [(b"dir", at(b"/.denizen/" + name)) for name in below]
    steps.append((b"symlink", entry.tree, at(b"/.denizen/tree")))
    for source, target in (
        (entry.tree + b"/usr", b"/usr"),
        (entry.tree + b"/etc", b"/etc"),
        (entry.tree, b"/.denizen/environment"),
    ):
        steps += [(b"bind", source, at(target)), (b"readonly", at(target))]
    if entry.cache:
        place = at(b"/etc/ld.so.cache")
        steps += [(b"bind", entry.cache, place), (b"readonly", place)]
    steps += _shared(entry.manifests, at(SHARE))
    for name in (b"/etc", b"/usr"):
        target = at(HOST + name)
        # In an environment these names are its own links; the host's directories are below /.denizen/host.
        steps += [(b"offer", name, target), (b"offer", HOST + name, target)]
    steps += [_of_etc(one, at(b"/.denizen/etc/" + name), stage) for name, one in sorted(entry.etc.items())]
    steps.append((b"offer", b"/usr/local", at(b"/usr/local")))
    steps.append((b"entries", b"/opt", at(b"/opt"), b"0"))
    steps.append((b"entries", entry.tree + b"/opt", at(b"/opt"), b"0"))
    steps += [(b"symlink", b"usr/" + name, at(b"/" + name)) for name in entry.merged]
    return steps + _bound(entry.bindings, stage)


def _of_etc(one: EtcEntry, place: bytes, stage: bytes) -> tuple[bytes, ...]:
    """Return the operation that makes a name of /.denizen/etc, after the host's /etc is shown."""
    if isinstance(one, EtcJoined):
        return (b"joined", stage + one.source, one.text, place)
    if isinstance(one, EtcFile):
        return (b"text", one.text, place)
    return (b"symlink", one.target, place)


def _shared(manifests: Iterable[tuple[bytes, bytes]], top: bytes) -> list[tuple[bytes, ...]]:
    """Return the operations that make the links to drivers' manifests and their directories."""
    links = dict(manifests)
    directories = {posixpath.dirname(name) for name in links}
    directories |= {posixpath.dirname(name) for name in directories}
    made = sorted({b"", *directories} if links else ())
    steps: list[tuple[bytes, ...]] = [(b"dir", posixpath.join(top, name).rstrip(b"/")) for name in made]
    return steps + [(b"symlink", links[name], posixpath.join(top, name)) for name in sorted(links)]


def sandbox(tree: bytes, stage: bytes, writes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the operations that make the root for a trigger's tool: the tree, and nothing of the host.

    `writes` are directories relative to the tree's top that can be written; the rest is read-only.
    """
    steps: list[bytes] = [b"private", b"offline", b"tmpfs", stage]
    for name in (b"usr", b"etc", b"proc", b"dev", b"tmp", b"var", b"var/tmp", b"var/cache", b"run", b"root"):
        steps += [b"dir", stage + b"/" + name]
    for name in USR_MERGED:
        steps += [b"symlink", b"usr/" + name, stage + b"/" + name]
    for name in (b"usr", b"etc"):
        place = b"%b/%b" % (stage, name)
        steps += [b"bind", b"%b/%b" % (tree, name), place, b"readonly", place]
    for path in writes:
        steps += [b"bind", b"%b/%b" % (tree, path), b"%b/%b" % (stage, path)]
    steps += [b"bind", b"/proc", stage + b"/proc"]
    for name in _DEVICES:
        place = stage + b"/dev/" + name
        steps += [b"file", place, b"offer", b"/dev/" + name, place]
    return (*steps, b"root", stage, b"chdir", b"/")


def _bound(bindings: Iterable[BindMount], stage: bytes) -> list[tuple[bytes, ...]]:
    return [
        (b"offer" if one.optional else b"bind", one.source, stage + posixpath.normpath(one.target))
        for one in bindings
    ]
