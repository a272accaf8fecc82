"""A tree of links to the packages' files for fixed paths, for programs that are started without a namespace.

    <decisions>/resources/<decision>/usr/share/fonts/truetype
        -> <store>/<hash>-fonts-dejavu-core/usr/share/fonts/truetype

The library inside the program (loader/inside/path_redirection.c) asks this tree for what the host has
nothing of.

Directories are made and only files are links: what lists a directory need not follow links to further ones
(Rust's walkdir and Python's os.walk do not), and a package's link may lead to what another package has
(/usr/share/ghostscript/10.05.1/iccprofiles to ../../color/icc/ghostscript), so it must lie where it is shown.

A few small files are copied: `git init` copies its templates, and links among them would be links to a
package in the repository. Objects are not, which look for libraries beside where they lie ($ORIGIN).
"""

from __future__ import annotations

import contextlib
import os
import stat
from itertools import islice

from denizen.disk import make_directories
from denizen.elf.constants import MAGIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.resources.fixed_paths import FixedPathResource

# Entries of a tree that is made anew; a larger one (icons) is a link as a whole.
_MAX_ENTRIES = 2_000
# Files of a directory that are copied, if they have no more bytes than that together.
_FEW_FILES, _FEW_BYTES = 64, 256 << 10


def make_resource_tree(top: bytes, resources: Sequence[FixedPathResource]) -> bytes:
    """Make the tree at `top`, replacing an older one; return its path, or b"" if it would be empty.

    Raises OSError.
    """
    import shutil  # with its compressors 5 ms, which a program that waits for one library does not need

    temporary = b"%b.%d.tmp" % (top, os.getpid())
    shutil.rmtree(temporary, ignore_errors=True)
    for one in resources:
        make_directories(os.path.dirname(temporary + one.target), 0o700)
        show_by_links(temporary + one.target, one.source, copied=copied_of(one.source))
    shutil.rmtree(top, ignore_errors=True)
    if not resources:
        return b""
    os.rename(temporary, top)
    return top


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
            _show(path + one[len(source) :], one, source, copied=bool(fits))


def copied_of(source: bytes) -> int:
    """Return the bytes up to which the files of a directory are copied into a tree; 0 where all are links.

    Raises OSError.
    """
    if not os.path.isdir(source):
        return 0
    found = (one for one in _entries(source) if os.path.isfile(one) and not os.path.islink(one))
    files = list(islice(found, _FEW_FILES + 1))
    return 0 if len(files) > _FEW_FILES or any(map(_is_object, files)) else _FEW_BYTES


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
