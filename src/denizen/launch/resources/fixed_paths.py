"""Files that libraries open at fixed paths, from packages where the host lacks them (pure over a FileView).

A C library needs locales and converters, fontconfig its configuration and fonts, X11 its keyboards and
locales, at paths that were compiled in; ImageMagick's formats and libmagic's database lie below a directory
that is named after the library. The packages of a decision have these files. In the program's namespace they
are bound to those paths; files of the host are never covered.

Where several packages have parts of one directory, its entries are bound one by one; more than
`MAX_BINDS` are shown as directories of links (launch/resources/gathered_resources.py).
"""

from __future__ import annotations

import posixpath
from functools import cache

from denizen.fileview import FileKind, exists
from denizen.machines import TRIPLETS
from denizen.resolve.cache.cached_view import CachedView
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.fileview import FileView

# Where terminals are described: of Debian 12 and before, of Debian 13, of ncurses itself. Each ncurses looks
# in the one or two of them that it was built with.
TERMINFO = (b"lib/terminfo", b"usr/lib/terminfo", b"usr/share/terminfo")
# Each is a path that one library opens; `*` stands for one name, an architecture or a version.
PATHS = (
    b"usr/lib/locale/*",  # glibc locale/findlocale.c; libc-bin has C.utf8
    b"usr/lib/*/gconv",  # glibc iconv/gconv_conf.c
    b"etc/fonts",  # fontconfig fcinit.c
    b"usr/share/fontconfig",
    b"usr/share/fonts/*",
    b"usr/share/X11/*",  # libX11 modules/lc; libxkbcommon src/context.c
    b"usr/share/zoneinfo",  # glibc time/tzfile.c; a zone that is not found is UTC, silently
    b"etc/services",  # glibc nss/nss_files
    b"etc/protocols",
    b"etc/mime.types",
    b"usr/share/alsa",  # alsa-lib src/conf.c
    b"usr/share/perl/*",  # perl's own modules; those of architecture are in usr/lib/TRIPLET/perl
    b"usr/lib/python3*",  # CPython Modules/getpath.py: a Python that a program embeds
    *TERMINFO,
    # Directories in which each package has files of its own.
    b"usr/share/gdb/python",  # gdb's own; what libraries have beside it is for a gdb that is here
    b"usr/share/gdb/syscalls",
    b"usr/share/glib-2.0/*",
    b"usr/share/glvnd/*/*",
    b"usr/share/icons/*",
    b"usr/share/misc/*",
    b"usr/share/vulkan/*/*",
    b"etc/OpenCL/*/*",
    # Named after a library: configuration, data, plugins.
    b"usr/share/*",
    b"etc/*",
)
# A decision of 256 KiB names each file with its place.
MAX_BINDS = 400
_MAX_LINKS = 8
_LIBRARIES = b"usr/lib"
# Below these no library looks, or what is there is about the whole system: documentation, other languages'
# modules, what maintainers' scripts and init systems read. `*` stands for anything after.
_LEFT_OUT = {
    b"usr/share": (
        b"aclocal", b"appdata", b"applications", b"apport", b"base-*", b"bash-completion", b"binfmts", b"bug",
        b"cmake", b"common-licenses", b"dbus-1", b"debconf", b"debhelper", b"doc*", b"dpkg", b"fish", b"gcc*",
        b"gir-1.0", b"gnome*", b"gtk-doc", b"help", b"info", b"initramfs-tools", b"keyrings",
        b"lintian", b"locale", b"man", b"menu", b"metainfo", b"perl*", b"pixmaps", b"pkgconfig", b"polkit-1",
        b"python*", b"vala", b"zsh",
    ),
    # Systems of their own, other languages' modules, and what PATHS or the dynamic linker find.
    _LIBRARIES: (
        b"apt", b"binfmt.d", b"cgi-bin", b"debug", b"dpkg", b"dracut", b"environment.d", b"firmware", b"gcc*",
        b"grub*", b"init*", b"kernel", b"ld*", b"locale", b"lsb", b"mime", b"modprobe.d", b"modules*", b"ocf",
        b"os-*", b"pam*", b"pkgconfig", b"pm-utils", b"python*", b"sftp-server", b"ssl", b"sudo",
        b"sysctl.d", b"systemd", b"sysusers.d", b"tmpfiles.d", b"udev",
    ),
    b"etc": (
        b"X11", b"alternatives", b"apparmor*", b"apt", b"bash*", b"cron*", b"debconf*", b"debian_version",
        b"default", b"dpkg", b"environment", b"fstab", b"group*", b"gshadow*", b"host*", b"init*", b"issue*",
        b"ld.so*", b"logrotate.d", b"modprobe.d", b"modules*", b"motd", b"netconfig", b"network*",
        b"nsswitch.conf", b"os-release", b"pam*", b"passwd*", b"profile*", b"rc*", b"resolv.conf",
        b"security", b"selinux", b"shadow*", b"shells", b"skel", b"ssl", b"sub*id*", b"sudo*", b"sysctl*",
        b"systemd", b"ucf*", b"udev", b"update-motd.d", b"xdg",
    ),
}  # fmt: skip


class FixedPathResource(Value):
    """A file or directory to be shown at an absolute path.

    Attributes:
        target: that path.
        source: where it lies.
        directory: it is one.
        linked: by a symbolic link, which costs a start less than a mount; for what is executed.
    """

    target: bytes
    source: bytes
    directory: bool
    linked: bool = False


class PartTree:
    """The parts that may follow in a path, and the pattern that ends here; b"" for none."""

    def __init__(self) -> None:
        self.below: dict[bytes, PartTree] = {}
        self.pattern = b""
        self.has_star = False

    def add(self, pattern: bytes) -> None:
        """Add a pattern of PATHS."""
        here = self
        for part in pattern.split(b"/"):
            here.has_star |= part.endswith(b"*")
            here = here.below.setdefault(part, PartTree())
        here.pattern = pattern


def fixed_path_resources(view: FileView, trees: Sequence[bytes]) -> tuple[FixedPathResource, ...]:
    """Return the files and directories of the package trees whose paths the host lacks, in PATHS order."""
    view = CachedView(view)
    found: dict[bytes, FixedPathResource] = {}
    for path, holders in _held(view, trees):
        if not exists(view, b"/" + path):
            sources = [posixpath.join(tree, path) for tree in holders]
            for one in _merged(view, b"/" + path, sources):
                found.setdefault(one.target, one)
    for one in _terminals(view, found):
        found.setdefault(one.target, one)
    return tuple(found.values())


def _terminals(view: FileView, found: Mapping[bytes, FixedPathResource]) -> Iterator[FixedPathResource]:
    """Yield the terminals' descriptions at the paths where a package of another release has them."""
    paths = [b"/" + path for path in TERMINFO]
    sources = [found[path].source for path in paths if path in found]
    if sources and not any(exists(view, path) for path in paths):
        yield from (FixedPathResource(path, sources[0], directory=True) for path in paths)


def _merged(view: FileView, target: bytes, sources: Sequence[bytes]) -> Iterator[FixedPathResource]:
    """Yield a single source as a whole; of several directories yield each entry."""
    kinds = [view.stat(source).kind for source in sources]
    if len(sources) == 1 or kinds[0] is not FileKind.DIRECTORY:
        yield FixedPathResource(target, sources[0], kinds[0] is FileKind.DIRECTORY)
        return
    inside = [source for source, kind in zip(sources, kinds, strict=True) if kind is FileKind.DIRECTORY]
    names = dict.fromkeys(name for source in inside for name in view.listdir(source))
    for name in names:
        holders = _leading_to(view, inside, name)
        if holders:
            yield from _merged(view, posixpath.join(target, name), holders)


def _leading_to(view: FileView, directories: Sequence[bytes], name: bytes) -> list[bytes]:
    """Return what a name is in directories that are shown as one; a link in one leads to what another has.

    default-jre-headless's default-java is a link to java-1.21.0-openjdk-amd64, of another package.
    """
    for _ in range(_MAX_LINKS):
        places = [posixpath.join(directory, name) for directory in directories]
        holders = [each for each in places if exists(view, each)]
        texts = [text for each in places if (text := _text_of_link(view, each))]
        if holders or not texts or b"/" in texts[0]:
            return holders
        name = texts[0]
    return []


def _text_of_link(view: FileView, path: bytes) -> bytes:
    try:
        return view.readlink(path) if view.lstat(path).kind is FileKind.SYMLINK else b""
    except OSError:
        return b""


def _held(view: FileView, trees: Sequence[bytes]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield the paths that the trees have, in PATHS order, then plugins, each with the trees that have it."""
    found: dict[bytes, dict[bytes, list[bytes]]] = {pattern: {} for pattern in PATHS}
    for tree in trees:
        for pattern, path in _matching(view, tree, b"", _part_tree()):
            found[pattern].setdefault(path, []).append(tree)
    for holders in found.values():
        yield from holders.items()
    for path in dict.fromkeys(path for tree in trees for path in _private_directories(view, tree)):
        yield path, [tree for tree in trees if exists(view, posixpath.join(tree, path))]


def _private_directories(view: FileView, tree: bytes) -> Iterator[bytes]:
    """Yield the directories of libraries' plugins and data in those of libraries, relative to a tree.

    Besides those of an architecture (usr/lib/TRIPLET/sasl2) there are packages' own (usr/lib/swi-prolog).
    """
    for name in _directories(view, tree, _LIBRARIES):
        if posixpath.basename(name) in TRIPLETS:
            yield from _directories(view, tree, name)
        elif not _is_left_out(name):
            yield name


def _directories(view: FileView, tree: bytes, directory: bytes) -> Iterator[bytes]:
    for name in _names(view, posixpath.join(tree, directory)):
        path = posixpath.join(directory, name)
        if view.lstat(posixpath.join(tree, path)).kind is FileKind.DIRECTORY:
            yield path


def _is_left_out(path: bytes) -> bool:
    """Tell whether a path is kept out of what a pattern without a name of its own matches."""
    parent, name = posixpath.split(path)
    named = any(pattern.startswith(path + b"/") for pattern in PATHS)
    out = _LEFT_OUT.get(parent, ())
    return named or any(name.startswith(one[:-1]) if one.endswith(b"*") else name == one for one in out)


@cache
def _part_tree() -> PartTree:
    """Return PATHS as a tree of their parts: each package is walked once for all of them."""
    top = PartTree()
    for pattern in PATHS:
        top.add(pattern)
    return top


def _matching(
    view: FileView, tree: bytes, directory: bytes, parts: PartTree
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (pattern, path) for the paths in a directory of a tree that match; both are relative to it."""
    for name in _names(view, posixpath.join(tree, directory)) if parts.has_star else parts.below:
        for part, below in parts.below.items():
            if not (name.startswith(part[:-1]) if part.endswith(b"*") else name == part):
                continue
            path = posixpath.join(directory, name)
            if below.pattern and _is_shown(view, tree, path, below.pattern):
                yield below.pattern, path
            if below.below:
                yield from _matching(view, tree, path, below)


def _is_shown(view: FileView, tree: bytes, path: bytes, pattern: bytes) -> bool:
    by_any_name = posixpath.dirname(pattern) in _LEFT_OUT and pattern.endswith(b"/*")
    return not (by_any_name and _is_left_out(path)) and exists(view, posixpath.join(tree, path))


def _names(view: FileView, directory: bytes) -> tuple[bytes, ...]:
    try:
        return view.listdir(directory)
    except OSError:
        return ()
