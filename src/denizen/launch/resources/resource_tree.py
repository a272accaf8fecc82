"""A tree of links to the packages' files for fixed paths, for programs that are started without a namespace.

    <decisions>/resources/<decision>/usr/share/fonts/truetype
        -> <store>/<hash>-fonts-dejavu-core/usr/share/fonts/truetype

The library inside the program (loader/inside/path_redirection.c) asks this tree for what the host has
nothing of.

Directories are made and only files are links: what lists a directory need not follow links to further ones
(Rust's walkdir and Python's os.walk do not), and a package's link may lead to what another package has
(/usr/share/ghostscript/10.05.1/iccprofiles to ../../color/icc/ghostscript), so it must lie where it is shown.

A few small files are copied: `git init` copies its templates, and links among them would be links to a
package in the repository; and parts of a configuration (`*.d`). Objects are not, which look for libraries
beside where they lie ($ORIGIN).
"""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import islice

from denizen.disk import make_directories, temporary_name
from denizen.elf.constants import MAGIC
from denizen.fhs.builtin_fhs import PACKAGES
from denizen.fileview import USR_MERGED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.resources.fixed_paths import FixedPathResource

# Entries of a tree that is made anew; a larger one (icons) is a link as a whole.
_MAX_ENTRIES = 2_000
# Files of a directory that are copied, if they have no more bytes than that together.
_FEW_FILES, _FEW_BYTES = 64, 256 << 10


def make_resource_tree(
    top: bytes, resources: Sequence[FixedPathResource], systems: Sequence[bytes] = ()
) -> bytes:
    """Make the tree at `top`, replacing an older one; return its path, or b"" if it would be empty.

    `systems` are trees with a whole /usr and /etc, whose files come before `resources`. Raises OSError.
    """
    import shutil  # with its compressors 5 ms, which a program that waits for one library does not need

    temporary = temporary_name(top)
    for system in systems:
        lay_system(temporary, system)
    for one in resources:
        show_in_tree(temporary, one)
    shutil.rmtree(top, ignore_errors=True)
    if not os.path.isdir(temporary):
        return b""
    os.rename(temporary, top)
    return top


def show_in_tree(top: bytes, resource: FixedPathResource) -> None:
    """Show a package's file or directory in a tree, beside what is there already. Raises OSError."""
    path = top + resource.target
    own = os.path.realpath(top) + b"/"
    if not os.path.lexists(path) or os.path.realpath(path).startswith(own):
        open_directory(top, os.path.dirname(path))
        show_by_links(path, resource.source, copied=copied_of(resource.source))


def whole_systems(trees: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return those trees that have a whole /usr and /etc, composed of many packages (fhs/compose.py)."""
    return tuple(one for one in trees if os.path.isfile(os.path.join(one, PACKAGES)))


def lay_system(top: bytes, system: bytes) -> None:
    """Show all that a tree with a whole /usr and /etc has. Raises OSError."""
    make_directories(top, 0o700)
    for name in os.listdir(system):
        if os.path.isdir(os.path.join(system, name)):
            _lay(os.path.join(top, name), os.path.join(system, name))
    for name in USR_MERGED:
        if os.path.isdir(os.path.join(system, b"usr", name)):
            _lay(os.path.join(top, name), os.path.join(system, b"usr", name))


def _lay(path: bytes, source: bytes) -> None:
    """Link to a file or directory; where a directory is already, to what is in it and not yet there."""
    if not os.path.lexists(path):
        os.symlink(source, path)
    elif os.path.isdir(path) and os.path.isdir(source) and not os.path.samefile(path, source):
        _open(path)
        for name in os.listdir(source):
            _lay(os.path.join(path, name), os.path.join(source, name))


def open_directory(top: bytes, directory: bytes) -> None:
    """Make a directory of a tree; links to packages' directories on its way become directories of links.

    Nothing is ever written through such a link, for what it leads to is the store's. Raises OSError.
    """
    for end in [at for at, code in enumerate(directory) if code == ord("/") and at > len(top)]:
        _open(directory[:end])
    _open(directory)


def _open(directory: bytes) -> None:
    if not os.path.islink(directory):
        make_directories(directory, 0o755)
        return
    source = os.path.realpath(directory)
    opened = temporary_name(directory)
    os.mkdir(opened, 0o755)
    for name in os.listdir(source):
        os.symlink(os.path.join(source, name), os.path.join(opened, name))
    os.unlink(directory)
    os.rename(opened, directory)


def show_by_links(path: bytes, source: bytes, *, copied: int = 0) -> None:
    """Show a package's file or directory at a path by links; what is there already stays.

    Args:
        path: where it is shown.
        source: the file or the directory in the store.
        copied: files are copied where all of them have no more bytes than this: then they are files to
            whatever lists the directory.

    Raises OSError.
    """
    entries = list(islice(_entries(source), _MAX_ENTRIES + 1)) if os.path.isdir(source) else [source]
    if len(entries) > _MAX_ENTRIES:
        entries = []
    # A link may lead to what is nowhere here; only what is copied has to be.
    fits = copied and sum(os.lstat(one).st_size for one in entries if not os.path.isdir(one)) <= copied
    with contextlib.suppress(FileExistsError):
        if not entries:
            os.symlink(source, path)
    for one in entries:
        with contextlib.suppress(FileExistsError):
            _show(path + one[len(source) :], one, source, copied=bool(fits) or _is_snippet(one))


def copied_of(source: bytes) -> int:
    """Return the bytes up to which the files of a directory are copied into a tree; 0 where all are links.

    Raises OSError.
    """
    if not os.path.isdir(source):
        return 0
    found = (one for one in _entries(source) if os.path.isfile(one) and not os.path.islink(one))
    files = list(islice(found, _FEW_FILES + 1))
    return 0 if len(files) > _FEW_FILES or any(map(_is_object, files)) else _FEW_BYTES


def _is_snippet(path: bytes) -> bool:
    """Tell whether a file is a part of a configuration: who lists such directories may pass over links.

    glibc does in gconv-modules.d (iconv/gconv_parseconfdir.h), and so knows only a part of its converters.
    """
    if not os.path.dirname(path).endswith(b".d") or os.path.islink(path) or not os.path.isfile(path):
        return False
    return os.path.getsize(path) <= _FEW_BYTES and not _is_object(path)


def _is_object(path: bytes) -> bool:
    with open(path, "rb", buffering=0) as stream:
        return stream.read(len(MAGIC)) == MAGIC


def _entries(top: bytes) -> Iterator[bytes]:
    yield top
    for directory, names, files in os.walk(top):
        yield from (os.path.join(directory, name) for name in (*names, *files))


def _show(path: bytes, entry: bytes, top: bytes, *, copied: bool) -> None:
    if os.path.islink(entry):
        elsewhere = os.path.exists(entry) and not os.path.realpath(entry).startswith(top + b"/")
        os.symlink(entry if elsewhere else os.readlink(entry), path)
    elif os.path.isdir(entry):
        os.mkdir(path, 0o755)
    elif copied:
        _copy(entry, path)
    else:
        os.symlink(entry, path)


def _copy(source: bytes, path: bytes) -> None:
    """Copy a file of the store, with its mode and time. Raises OSError."""
    facts = os.stat(source)
    with open(source, "rb") as content, open(path, "xb") as stream:
        stream.write(content.read())
        os.fchmod(stream.fileno(), stat.S_IMODE(facts.st_mode))
    os.utime(path, ns=(facts.st_mtime_ns, facts.st_mtime_ns))
