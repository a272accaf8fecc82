"""The record of what a running program opened and missed: links and notes, in a directory its objects search.

    OPENED/<decision>/<libraries>/libonig.so.5 -> <store>/<hash>-libonig5-6.9.9/usr/lib/.../libonig.so.5
           .absent/libfoo.so.1    a name that nobody has or that is kept out; holds the reason
           .absent/=usr=lib=a.so  the same for a path
           .index/0               -> an index; what none of them has is not asked for
           .listed/0              -> an index whose names `ldconfig -p` lists (loader/ldconfig)
           .asked                 a line for each name that was asked for, and what it brought
           .host/0                -> a directory that the dynamic linker searches after this one: a host's
           .kept-out/libfoo.so.1  the line that is told if the program fails after it missed the name
           .kept-out/=usr=a.so    the same for a path
           .locked                there by a lock: nothing new comes
           .examined/<file>       there by each opened object that is of no package, once it was looked at
           .all/                  links to the decision's libraries and to what came, and a table of them

`<libraries>` is the hash of the decision's: what fits beside one C library need not fit beside another.
The resident (loader/resident/missing_library.c) looks for a link, for the name in `.absent`, and in the
indexes, before it asks (app/run_time/missing_library.py). Links are made and replaced whole: running programs
see them at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from itertools import count, takewhile

from denizen.disk import PRIVATE, link_atomically, make_directories, write_atomically
from denizen.launch.command_links import commands_of
from denizen.launch.decisions.program_identity import identity_name
from denizen.launch.fast_path import VARIANTS, directory_of
from denizen.launch.joined_libraries import MAX_SIZE, TABLE, links_of, table_of
from denizen.launch.kept_out import KEPT_OUT, KeptOut
from denizen.lazy_pattern import pattern
from denizen.sha256 import hex_digest_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from denizen.launch.decisions.program_identity import Identity

# The name of the directory, beside those of patched copies and resource trees.
OPENED = b"opened"
_ABSENT, _ASKED, _HOST, _INDEX, _LISTED = b".absent", b".asked", b".host", b".index", b".listed"
_ALL = b".all"
_LOCKED, _TURN, _EXAMINED, _TREE = b".locked", b".turn", b".examined", b".tree"
# The pattern of loader/resident/library_names.c, which asks for no other name. It excludes paths.
_SONAME = pattern(rb"(?=.*\.so)[A-Za-z0-9_+][A-Za-z0-9._+-]{0,199}\Z")
# Debian Policy 5.6.7.
_PACKAGE = pattern(rb"[a-z0-9][a-z0-9+.-]{1,199}\Z")


class DlopenRequest(Value):
    """One request of a running program that was answered with a library, or with a package of files.

    Attributes:
        soname: the name asked for; the package's.
        packages: the packages that were added, as name=version.
        size: bytes that were fetched.
        run: which process asked, by its number and start; b"" for one of which no number is known.
    """

    soname: bytes
    packages: tuple[bytes, ...]
    size: int
    run: bytes = b""


class Opened(Value):
    """The directory of links of one decision."""

    directory: bytes

    def make(self, *, locked: bool = False) -> None:
        """Create the directory unless it exists; with `locked`, nothing may be added to it.

        Raises OSError.
        """
        make_directories(os.path.join(self.directory, _ABSENT), 0o700)
        make_directories(os.path.join(self.directory, _EXAMINED), 0o700)
        if locked:
            write_atomically(os.path.join(self.directory, _LOCKED), b"", mode=PRIVATE)

    @property
    def is_locked(self) -> bool:
        """Tell whether a lock file determines all libraries, so that none are added."""
        return os.path.exists(os.path.join(self.directory, _LOCKED))

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock that lets one process at a time answer for this program. Raises OSError."""
        turn = os.path.join(self.directory, _TURN)
        with open(turn, "ab", opener=lambda path, flags: os.open(path, flags, PRIVATE)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def has(self, soname: bytes) -> bool:
        """Tell whether the directory has a library of that name."""
        return os.path.exists(os.path.join(self.directory, soname))

    def links(self) -> dict[bytes, bytes]:
        """Return the links: name -> path."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.directory):
                if is_soname(name) and not name.endswith(b".tmp"):
                    found[name] = os.readlink(os.path.join(self.directory, name))
        return found

    def show(self, links: Mapping[bytes, bytes]) -> None:
        """Make links, by name -> path. Raises OSError."""
        for name, path in links.items():
            link_atomically(os.path.join(self.directory, name), path)

    def join(self, libraries: bytes) -> None:
        """Make the directory that the next start searches in place of the decision's and of this one.

        `libraries` is the decision's. A library that came costs a start no more then than one of those: the
        loader (library_facts.c) takes the directory if it was made for them. Raises OSError.
        """
        top = os.path.join(self.directory, _ALL)
        table = os.path.join(top, TABLE)
        own = os.listdir(libraries)
        joined = links_of(_content(table), libraries)
        if joined is None:
            _remove(top)
            make_directories(top, 0o700)
            joined = {name: os.path.realpath(os.path.join(libraries, name)) for name in own}
        links = joined | {name: path for name, path in self.links().items() if name not in own}
        for name, path in links.items():
            if _target(os.path.join(top, name)) != path:
                link_atomically(os.path.join(top, name), path)
        # Last: the loader takes the directory if the table is there.
        write_atomically(table, table_of(libraries, links), mode=PRIVATE)

    def examined(self, file: os.stat_result) -> None:
        """Record that an object was looked at for the places that it mentions.

        loader/resident/mentioned_files.c makes the same file. Raises OSError.
        """
        seconds, nanoseconds = divmod(file.st_mtime_ns, 10**9)
        name = b"%x-%x-%x-%x" % (file.st_dev, file.st_ino, seconds, nanoseconds)
        write_atomically(os.path.join(self.directory, _EXAMINED, name), b"", mode=PRIVATE)

    def deny(self, soname: bytes, reason: str) -> None:
        """Record that a library is not available, with the reason. Raises OSError."""
        write_atomically(os.path.join(self.directory, _ABSENT, soname), reason.encode() + b"\n", mode=PRIVATE)

    def deny_path(self, path: bytes, reason: str) -> None:
        """Record that no library can be shown at a path, with the reason. Raises OSError."""
        self.deny(_as_file_name(path), reason)

    def keep_out(self, name: bytes, line: str, settings: bytes = b"") -> None:
        """Record the line that the resident (loader/failure_note.c) prints if the program fails.

        `name` is a soname or a path. `settings`: see KeptOut.add. Raises OSError.
        """
        KeptOut(self.directory).add(_as_file_name(name), line, settings)

    def let_in(self, name: bytes) -> None:
        """Delete what was recorded about a library, a soname or a path, that was not available before."""
        recorded = _as_file_name(name)
        KeptOut(self.directory).drop(recorded)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(self.directory, _ABSENT, recorded))

    def denied(self) -> dict[bytes, str]:
        """Return the names that are not available, with the reasons."""
        found = {}
        with contextlib.suppress(FileNotFoundError):
            for name in sorted(os.listdir(os.path.join(self.directory, _ABSENT))):
                with open(os.path.join(self.directory, _ABSENT, name), "rb") as stream:
                    denied = name.replace(b"=", b"/") if name.startswith(b"=") else name
                    found[denied] = stream.read(4096).decode("utf-8", "replace").strip()
        return found

    def look_in(self, indexes: Sequence[bytes]) -> None:
        """Link the index files that the resident searches before it asks, and that are listed.

        Raises OSError.
        """
        self._number(_INDEX, indexes)
        self._number(_LISTED, indexes)

    def leave_to_host(self, directories: Sequence[bytes]) -> None:
        """Link the host's directories; the resident asks for nothing that is in one. Raises OSError."""
        self._number(_HOST, directories)

    def leave_to_environment(self, tree: bytes, directories: Sequence[bytes]) -> None:
        """Link the tree of the environment around the program, and its directories, as paths inside.

        Raises OSError.
        """
        link_atomically(os.path.join(self.directory, _TREE), tree)
        self._number(_HOST, directories)

    @property
    def environment(self) -> bytes:
        """Return the tree of the environment around the program, b"" for none."""
        return _target(os.path.join(self.directory, _TREE))

    @property
    def has_index(self) -> bool:
        """Tell whether there is an index in which the resident looks."""
        return os.path.lexists(os.path.join(self.directory, _INDEX, b"0"))

    @property
    def extends_host(self) -> bool:
        """Tell whether the dynamic linker goes on to the host's directories."""
        return os.path.exists(os.path.join(self.directory, _HOST))

    def _numbered(self, below: bytes) -> list[bytes]:
        """Return where the links called 0, 1, ... lead."""
        links = (_target(os.path.join(self.directory, below, b"%d" % number)) for number in count())
        return list(takewhile(bool, links))

    def _number(self, below: bytes, paths: Sequence[bytes]) -> None:
        """Make links called 0, 1, ... and no others. Raises OSError."""
        top = os.path.join(self.directory, below)
        make_directories(top, 0o700)
        wanted = {b"%d" % number: path for number, path in enumerate(paths)}
        for name in set(os.listdir(top)) - wanted.keys():
            os.unlink(os.path.join(top, name))
        for name, path in wanted.items():
            link_atomically(os.path.join(top, name), path)

    def forget_denied(self, renewed: Mapping[bytes, bytes]) -> None:
        """Delete the records of unavailable names, so that they are asked for again with the new index.

        `renewed` has the file of each old index with that of the new one. What is listed is not asked for, so
        the list goes on with the new files. Raises OSError.
        """
        for directory in (_ABSENT, _INDEX, KEPT_OUT, _EXAMINED):
            with contextlib.suppress(FileNotFoundError):
                for name in os.listdir(os.path.join(self.directory, directory)):
                    os.unlink(os.path.join(self.directory, directory, name))
        listed = self._numbered(_LISTED)
        if listed:
            self._number(_LISTED, [renewed.get(path, path) for path in listed])

    def record(self, one: DlopenRequest) -> None:
        """Record an answer. Raises OSError."""
        lines = [*self.asked(), one]
        content = b"".join(
            b"%b\t%d\t%b\t%b\n" % (a.soname, a.size, b" ".join(a.packages), a.run) for a in lines
        )
        write_atomically(os.path.join(self.directory, _ASKED), content, mode=PRIVATE)

    def asked(self) -> tuple[DlopenRequest, ...]:
        """Return the recorded answers."""
        try:
            with open(os.path.join(self.directory, _ASKED), "rb") as stream:
                lines = [line.split(b"\t") for line in stream.read().splitlines()]
        except FileNotFoundError:
            return ()
        return tuple(
            DlopenRequest(line[0], tuple(line[2].split()), int(line[1]), *line[3:])
            for line in lines
            if len(line) in (3, 4) and line[1].isdigit() and (is_soname(line[0]) or _PACKAGE.match(line[0]))
        )


def _remove(directory: bytes) -> None:
    """Delete a directory of links; shutil would cost the program that waits 5 ms, with its compressors."""
    with contextlib.suppress(OSError):
        for name in os.listdir(directory):
            os.unlink(os.path.join(directory, name))
        os.rmdir(directory)


def _target(link: bytes) -> bytes:
    """Return where a link leads; b"" if there is none."""
    try:
        return os.readlink(link)
    except OSError:
        return b""


def _content(file: bytes) -> bytes:
    """Return what a file has; b"" if there is none."""
    try:
        with open(file, "rb") as stream:
            return stream.read(MAX_SIZE)
    except OSError:
        return b""


def is_soname(name: bytes) -> bool:
    """Tell whether the resident may ask for a name."""
    return _SONAME.match(name) is not None


def place_of(decision_directory: bytes, identity: Identity, libraries: bytes) -> bytes:
    """Return the directory of links for a program's decision with these libraries.

    `decision_directory` is the directory of decisions that it is below.
    """
    digest = os.path.basename(libraries).partition(b"-")[0]
    return os.path.join(decision_directory, OPENED, identity_name(identity), digest)


def place_with(decision_directory: bytes, identity: Identity, parts: Sequence[bytes]) -> bytes:
    """Return the directory of links for a program's decision with libraries that are no store object's.

    `parts` are what stands for these libraries: the dynamic linker's path, an environment's tree. What fits
    beside one host's libraries need not fit beside its next ones.
    """
    return place_of(decision_directory, identity, _digest(parts))


def place_of_named(decision_directory: bytes, name: bytes, parts: Sequence[bytes]) -> bytes:
    """Return the directory of links for a decision that is kept by a name (fast_path.NAMED)."""
    return os.path.join(decision_directory, OPENED, name, _digest(parts))


def _digest(parts: Sequence[bytes]) -> bytes:
    return hex_digest_of(b"\0".join(parts))[:32].encode("ascii")


def all_of(decision_directory: bytes, identity: Identity) -> list[Opened]:
    """Return the directories of links of a program, for all sets of libraries."""
    top = os.path.join(decision_directory, OPENED, identity_name(identity))
    with contextlib.suppress(FileNotFoundError):
        return [Opened(os.path.join(top, name)) for name in sorted(os.listdir(top))]
    return []


def decision_directories(decisions: bytes) -> list[bytes]:
    """Return all directories of decisions: the plain one, and one for each set of options."""
    found = [decisions]
    with contextlib.suppress(FileNotFoundError):
        found += [
            directory_of(decisions, name) for name in sorted(os.listdir(os.path.join(decisions, VARIANTS)))
        ]
    return found


def forget_all_denied(decisions: bytes, renewed: Mapping[bytes, bytes]) -> None:
    """Delete the records of unavailable names of all programs: the index has changed.

    `renewed` has the file of each old index with that of the new one. Raises OSError.
    """
    for decision_directory in decision_directories(decisions):
        commands_of(decision_directory).forget_denied()
        top = os.path.join(decision_directory, OPENED)
        with contextlib.suppress(FileNotFoundError):
            for program in os.listdir(top):
                for libraries in os.listdir(os.path.join(top, program)):
                    Opened(os.path.join(top, program, libraries)).forget_denied(renewed)


def _as_file_name(name: bytes) -> bytes:
    """Return a name as it is, or a path with = for each /, which no soname has.

    loader/resident/missing_library.c does the same.
    """
    return name.replace(b"/", b"=")
