"""The links of a profile: its generations, the current one, and the lock.

    PLACE           -> NAME-N-link                   the current generation, replaced by one rename
    PLACE-N-link    -> <store>/<hash>-profile        each generation; a root of the garbage collector
    PLACE.lock                                       held while a generation is made and switched to

These are the names that Nix uses. A generation's link is registered as an indirect root before it is made, so
a deleted link frees its generation. At any instant the current link leads to a whole generation.
"""

from __future__ import annotations

import errno
import os

from denizen.disk import link_atomically, make_directories, sync_directory
from denizen.errors import display
from denizen.store.errors import doing
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.profiles.profile_manifest import ProfileManifest
    from denizen.profiles.summary import SummaryRow
    from denizen.store.layout import StoreLayout

_END = b"-link"
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+._-")
_MAX_NAME = 64
# The profile that is meant where none is named.
DEFAULT = "profile"


class ProfileGeneration(Value):
    """One generation.

    Attributes:
        made: seconds since 1970.
        tree: path of its tree, which may be gone from the store.
    """

    number: int
    made: int
    tree: bytes


class Profile:
    """A profile, by the path of its current link."""

    # The commands that make the first generation, and that list all.
    WAYS = ("denizen install NAME", "denizen profile history")

    def __init__(self, place: bytes) -> None:
        self.place = place

    @property
    def name(self) -> bytes:
        """The name of the current link."""
        return os.path.basename(self.place)

    def link_of(self, number: int) -> bytes:
        """Return the path of a generation's link."""
        return b"%b-%d-link" % (self.place, number)

    def numbers(self) -> list[int]:
        """Return the numbers of all generations, oldest first. Raises DiskFailed."""
        directory = os.path.dirname(self.place)
        with doing("read", directory):
            try:
                names = os.listdir(directory)
            except FileNotFoundError:
                return []
        own = self.name
        return sorted(pair[1] for pair in map(_parsed, names) if pair is not None and pair[0] == own)

    def current(self) -> int | None:
        """Return the number of the current generation, None where there is no profile yet.

        Raises:
            NotAProfile: something else is at its place.
            DiskFailed: the link cannot be read.
        """
        # Any other error than its absence must not pass for an empty profile, which would be written then.
        with doing("read", self.place):
            try:
                target = os.readlink(self.place)
            except FileNotFoundError:
                return None
            except OSError as problem:
                if problem.errno == errno.EINVAL:
                    from denizen.profiles.profile_errors import NotAProfile

                    raise NotAProfile(self.place, "it is no link") from problem
                raise
        pair = _parsed(target)
        if pair is None or pair[0] != self.name:
            from denizen.profiles.profile_errors import NotAProfile

            raise NotAProfile(self.place, f"it leads to {display(target)}")
        return pair[1]

    def required(self) -> int:
        """Return the number of the current generation. Raises NoSuchGeneration."""
        number = self.current()
        if number is None:
            from denizen.profiles.profile_errors import NoSuchGeneration

            raise NoSuchGeneration(self.place, 0, tuple(self.numbers()), self.WAYS)
        return number

    def generation(self, number: int) -> ProfileGeneration:
        """Return one generation. Raises NoSuchGeneration, DiskFailed."""
        link = self.link_of(number)
        with doing("read", link):
            try:
                # A relative target, as of a system's generations, counts from the link's directory.
                tree = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
                return ProfileGeneration(number, int(os.lstat(link).st_mtime), tree)
            except FileNotFoundError:
                from denizen.profiles.profile_errors import NoSuchGeneration

                raise NoSuchGeneration(self.place, number, tuple(self.numbers()), self.WAYS) from None

    def generations(self) -> list[ProfileGeneration]:
        """Return all generations, oldest first."""
        from denizen.profiles.profile_errors import NoSuchGeneration

        found = []
        for number in self.numbers():
            try:
                found.append(self.generation(number))
            except NoSuchGeneration:
                continue  # deleted by another process meanwhile
        return found

    def manifest(self, number: int | None = None) -> ProfileManifest:
        """Return what a generation has, or the current one; an empty manifest if there is none yet.

        Raises NoSuchGeneration, DamagedProfile.
        """
        from denizen.profiles.profile_manifest import FILE, MAX_SIZE, ProfileManifest, read_manifest

        if number is None:
            number = self.current()
            if number is None:
                return ProfileManifest()
        path = os.path.join(self.generation(number).tree, os.fsencode(FILE))
        with doing("read", path), open(path, "rb") as stream:
            return read_manifest(stream.read(MAX_SIZE + 1), path)

    def summary(self) -> list[SummaryRow] | None:
        """Return the summary of the current generation; None where there is none.

        Raises NotAProfile, NoSuchGeneration, DiskFailed.
        """
        from denizen.profiles.summary import FILE, MAX_SIZE, read_summary

        number = self.current()
        if number is None:
            return []
        path = os.path.join(self.generation(number).tree, os.fsencode(FILE))
        with doing("read", path):
            try:
                with open(path, "rb") as stream:
                    return read_summary(stream.read(MAX_SIZE))
            except FileNotFoundError:
                return None

    def locked(self) -> _ProfileLock:
        """Return the context that holds the profile's lock, which every change of its links needs."""
        return _ProfileLock(self.place)

    def add(self, layout: StoreLayout, tree: StorePath) -> int:
        """Make the next generation and return its number; the caller holds the lock."""
        # One after the highest, also after a rollback: a number never means two generations.
        number = max(self.numbers(), default=0) + 1
        self._link(layout, number, tree)
        return number

    def switch(self, number: int) -> None:
        """Make a generation the current one; the caller holds the lock. Raises NoSuchGeneration."""
        self.generation(number)
        with doing("switch the profile", self.place):
            link_atomically(self.place, os.path.basename(self.link_of(number)))
            sync_directory(os.path.dirname(self.place))

    def delete(self, layout: StoreLayout, numbers: list[int]) -> None:
        """Delete generations; the caller holds the lock. Raises NoSuchGeneration, CurrentGeneration."""
        current = self.current()
        for number in numbers:
            self.generation(number)
            if number == current:
                from denizen.profiles.profile_errors import CurrentGeneration

                raise CurrentGeneration(number)
        for number in numbers:
            self._unlink(layout, number)

    def wipe(self, layout: StoreLayout) -> None:
        """Delete the profile with all generations; the caller holds the lock."""
        import contextlib

        with doing("delete the profile", self.place), contextlib.suppress(FileNotFoundError):
            os.unlink(self.place)
        for number in self.numbers():
            self._unlink(layout, number)

    def _link(self, layout: StoreLayout, number: int, tree: StorePath) -> None:
        """Make the link of a generation, and a root for it."""
        from denizen.store.collection.gc_roots import add_indirect

        add_indirect(layout, self.link_of(number), tree)

    def _unlink(self, layout: StoreLayout, number: int) -> None:
        from denizen.store.collection.gc_roots import remove_indirect

        remove_indirect(layout, self.link_of(number))


class _ProfileLock:
    """A context in which no other process changes the profile; not contextlib's, whose import takes 2 ms."""

    def __init__(self, place: bytes) -> None:
        self._place = place
        self._descriptor = -1

    def __enter__(self) -> None:
        import fcntl

        directory, path = os.path.dirname(self._place), self._place + b".lock"
        with doing("change the profile", self._place):
            make_directories(directory)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _parsed(link: bytes) -> tuple[bytes, int] | None:
    """Return the profile and the number in the name or path of a generation's link; None for none."""
    stem, dash, digits = link.removesuffix(_END).rpartition(b"-")
    if not (link.endswith(_END) and dash and stem and digits.isdigit() and len(digits) < 10):
        return None
    return stem, int(digits)


def profile_at(directory: bytes, text: str) -> Profile:
    """Return the profile of a name in a directory of profiles, or the one at a path.

    Raises BadProfileName.
    """
    if "/" in text:
        return Profile(os.path.abspath(os.fsencode(text)))
    plain = text[:1].isalnum() and len(text) <= _MAX_NAME and _LETTERS.issuperset(text)
    if not plain or text.endswith(("-link", ".lock", ".tmp")):
        from denizen.profiles.profile_errors import BadProfileName

        raise BadProfileName(text)
    return Profile(os.path.join(directory, os.fsencode(text)))


def registered_profiles(layout: StoreLayout) -> list[Profile]:
    """Return every profile that has a generation of this store, wherever it is."""
    found: dict[bytes, Profile] = {}
    with doing("read", layout.indirect):
        names = os.listdir(layout.indirect)
    for name in names:
        try:
            link = os.readlink(os.path.join(layout.indirect, name))
        except OSError:
            continue  # no link, or removed by another process meanwhile
        pair = _parsed(link)
        if pair is not None and os.path.islink(link):
            found.setdefault(pair[0], Profile(pair[0]))
    return [found[place] for place in sorted(found)]
