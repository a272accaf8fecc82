"""Entering an environment: the host's part of its /etc, and the command that makes its root.

`command` returns words to which a program's own are appended: `denizen-enter` with a plan. The process stays
the same from there to the program.
"""

from __future__ import annotations

import contextlib
import os
import pwd

from denizen.fhs import driver_libraries
from denizen.fhs.builtin_fhs import ACCOUNTS, DIRECTORIES
from denizen.fhs.host_etc import DEFAULT_GROUP, DEFAULT_PASSWD, HOST, User, files
from denizen.fhs.mounts import EnteredRoot, entering
from denizen.fhs.state_directories import MAX_DIRECTORIES
from denizen.fileview import USR_MERGED, exists
from denizen.formats.sysusers import read_sysusers
from denizen.host import machine_name
from denizen.linker.ldcache import BadCache
from denizen.machines import by_kernel
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from denizen.fhs.mounts import BindMount
    from denizen.fileview import FileView
    from denizen.linker.ldcache import CacheEntry

_LIMIT = 16 << 20
# The first exists in an environment, where /etc is the environment's.
_HOST = (HOST + b"/etc", b"/etc")
# NixOS has no ld.so.cache; its drivers are in this directory (nixpkgs' hardware.graphics).
_NIXOS = b"/run/opengl-driver/lib"
_NSS = (b"usr/lib", b"usr/lib64")
# Names of /etc that a machine has once it runs: its accounts, and what is found out when it boots.
_MADE_LATER = frozenset({b"passwd", b"group", b"hostname", b"machine-id", b"resolv.conf", b"localtime"})
_DEFAULTS = {b"passwd": DEFAULT_PASSWD, b"group": DEFAULT_GROUP}


class Inside(Value):
    """An environment that can be entered.

    Attributes:
        tree: path of its store object.
        enter: path of denizen-enter.
        stage: an empty directory.
        bindings: further directories of the host to show.
        cache: path of a file with the result of `cache_with_drivers`; b"" if that was empty.
    """

    tree: bytes
    enter: bytes
    stage: bytes
    bindings: tuple[BindMount, ...] = ()
    cache: bytes = b""


def command(inside: Inside) -> tuple[bytes, ...]:
    """Return the words that precede a program's own."""
    return (inside.enter, *entering(entry_of(inside)), b"--")


def entry_of(inside: Inside) -> EnteredRoot:
    """Return the parts of the root on this host, in its present state."""
    tree, host = inside.tree, _host()
    etc = files(
        lambda name: _read(os.path.join(host, name)),
        lambda name: os.path.exists(os.path.join(host, name)),
        _user(),
        lambda name: _serves(tree, name),
        lambda name: _read(_accounts(tree, name)),
        requests=read_sysusers(_read(os.path.join(tree, ACCOUNTS)) or b""),
    )
    merged = tuple(name for name in USR_MERGED if os.path.isdir(b"%b/usr/%b" % (tree, name)))
    shown = tuple(_manifests()) if inside.cache else ()
    top = tuple(os.listdir(b"/"))
    state = tuple((_read(os.path.join(tree, DIRECTORIES)) or b"").splitlines()[:MAX_DIRECTORIES])
    return EnteredRoot(tree, etc, inside.stage, merged, top, inside.bindings, inside.cache, shown, state)


def entry_elsewhere(
    inside: Inside, place: bytes, machine: FileView, declared: Collection[bytes]
) -> EnteredRoot:
    """Return the parts of the root on another machine, whose files are seen through a view.

    `place` is the path of the tree on this machine, and `declared` the names that /etc will have there.
    """
    names = {*_MADE_LATER, *declared}
    etc = files(
        lambda name: _seen_in(machine, name) or _DEFAULTS.get(name),
        lambda name: name in names or exists(machine, b"/etc/" + name),
        User(b"root", 0, 0, b"/root"),
        lambda name: _serves(place, name),
        lambda name: _read(_accounts(place, name)),
    )
    merged = tuple(name for name in USR_MERGED if os.path.isdir(b"%b/usr/%b" % (place, name)))
    return EnteredRoot(inside.tree, etc, inside.stage, merged, ())


def _accounts(tree: bytes, name: bytes) -> bytes:
    """Return the path of a tree's own passwd or group (triggers.toml)."""
    return os.path.join(tree, b"usr/share/denizen", name)


def _seen_in(machine: FileView, name: bytes) -> bytes | None:
    try:
        return bytes(machine.read(b"/etc/" + name)[:_LIMIT])
    except OSError:
        return None


def cache_with_drivers(tree: bytes, is_driver: Callable[[bytes], bool]) -> bytes:
    """Return a tree's ld.so.cache with the libraries of this host's drivers; b"" if the host has none."""
    found = _drivers(is_driver, _seen)
    own = _read(os.path.join(tree, b"etc/ld.so.cache"))
    try:
        return driver_libraries.joined(own, found) if own and found else b""
    except BadCache:
        return b""


def drivers_of_host(flags: int, is_driver: Callable[[bytes], bool]) -> dict[bytes, bytes]:
    """Return the libraries of this host's drivers: name -> path; `flags` are of the kind in ld.so.cache.

    The paths are those of the cache: where a driver is updated, its links lead to the new one.
    """
    found: dict[bytes, bytes] = {}
    for one in _drivers(is_driver, lambda path: path):
        if one.flags == flags:
            found.setdefault(one.name, one.path)
    return found


def _drivers(is_driver: Callable[[bytes], bool], inside: Callable[[bytes], bytes]) -> tuple[CacheEntry, ...]:
    found = driver_libraries.drivers(_read(os.path.join(_host(), b"ld.so.cache")) or b"", is_driver, inside)
    machine = by_kernel(machine_name())
    with contextlib.suppress(OSError):
        if machine is not None:
            names = sorted(os.listdir(_NIXOS))
            found += driver_libraries.listed(names, _NIXOS, machine.cache_flags, is_driver)
    return found


def _seen(path: bytes) -> bytes:
    return driver_libraries.seen(
        os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    )


def _manifests() -> Iterator[tuple[bytes, bytes]]:
    """Yield the manifests of the host's drivers: (name below /.denizen/share, path inside)."""
    for directory, shared in driver_libraries.MANIFESTS:
        with contextlib.suppress(OSError):
            place = _host().removesuffix(b"/etc") + directory
            for name in driver_libraries.manifests(os.listdir(place)):
                yield os.path.join(shared, name), _seen(os.path.join(place, name))


def _host() -> bytes:
    """Return the path of the host's own /etc."""
    return next(place for place in _HOST if os.path.isdir(place) or place == _HOST[-1])


def _user() -> User:
    uid, gid = os.geteuid(), os.getegid()
    try:
        known = pwd.getpwuid(uid)
        return User(os.fsencode(known.pw_name), uid, gid, os.fsencode(known.pw_dir))
    except KeyError:
        return User(b"user", uid, gid, b"/")


def _serves(tree: bytes, service: bytes) -> bool:
    """Tell whether the tree has the module of an NSS service."""
    name = b"libnss_%b.so.2" % service
    if not service.replace(b"_", b"").isalnum():
        return False
    for directory in _NSS:
        top = os.path.join(tree, directory)
        with contextlib.suppress(OSError), os.scandir(top) as entries:
            places = [top, *(e.path for e in entries if e.name.endswith(b"-linux-gnu"))]
            if any(os.path.exists(os.path.join(place, name)) for place in places):
                return True
    return False


def _read(path: bytes) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read(_LIMIT)
    except OSError:
        return None


def located(tree: bytes, name: bytes, path: bytes) -> bytes:
    """Return the path of a command that is found in PATH: in the tree, or in the host's /usr/local."""
    if b"/" in name:
        return name
    for directory in path.split(b":"):
        root = b"" if directory.startswith(b"/usr/local/") else tree
        inside = directory if directory.startswith(b"/usr/") else b"/usr" + directory
        if os.access(b"%b%b/%b" % (root, inside, name), os.X_OK) or os.path.islink(
            b"%b%b/%b" % (root, inside, name)
        ):
            return b"%b/%b" % (directory, name)
    return name


def shell(tree: bytes, words: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the command of the tree's interactive shell: bash with these options, or else sh without."""
    bash = b"/usr/bin/bash"
    if os.path.exists(tree + bash):
        return (bash, *words)
    return (b"/bin/sh",)
