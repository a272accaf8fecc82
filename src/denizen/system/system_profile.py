"""The generations of a system: a profile whose links and roots hold in the target and outside of it.

A target is looked at from outside while it is made, as DIR, and from inside once it has booted, as /. So a
generation's link is relative, and its root lies in the store itself (`gcroots/system-N`), not in a link to an
absolute path elsewhere, which would lead nowhere from the other side.
"""

from __future__ import annotations

import contextlib
import os

from denizen.disk import link_atomically, make_directories, sync_directory
from denizen.profiles.profile_links import Profile
from denizen.store.collection.gc_roots import add_link
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.formats.storepath import StorePath
    from denizen.profiles.profile_manifest import ProfileManifest
    from denizen.store.layout import StoreLayout

NAME = b"system"


class SystemProfile(Profile):
    """The generations of the system whose denizen root is `root`."""

    WAYS = ("denizen system switch SPEC.toml", "denizen system list")

    def __init__(self, root: bytes) -> None:
        Profile.__init__(self, root + b"/profiles/" + NAME)

    def packages(self, number: int) -> ProfileManifest:
        """Return the packages of a generation. Raises NoSuchGeneration, DamagedProfile, DiskFailed."""
        from denizen.profiles.profile_manifest import FILE, MAX_SIZE, ProfileManifest, read_manifest
        from denizen.system.system_manifest import SOFTWARE

        path = os.path.join(self.generation(number).tree, os.fsencode(SOFTWARE), os.fsencode(FILE))
        with doing("read", path):
            try:
                with open(path, "rb") as stream:
                    return read_manifest(stream.read(MAX_SIZE + 1), path)
            except FileNotFoundError:
                return ProfileManifest()

    def restore(self, number: int | None) -> None:
        """Make a generation the current one again, or none, as it was; the caller holds the lock."""
        if number == self.current():
            return
        if number is not None:
            self.switch(number)
            return
        with doing("remove the profile's link", self.place):
            os.unlink(self.place)
            sync_directory(os.path.dirname(self.place))

    def _link(self, layout: StoreLayout, number: int, tree: StorePath) -> None:
        # The root first: a collection in between keeps an object too many, never one too few.
        add_link(layout, b"%b-%d" % (NAME, number), tree)
        link = self.link_of(number)
        with doing("make the generation", link):
            make_directories(os.path.dirname(link))
            link_atomically(link, os.path.relpath(layout.place_of(tree), os.path.dirname(link)))
            sync_directory(os.path.dirname(link))

    def _unlink(self, layout: StoreLayout, number: int) -> None:
        with doing("delete the generation", self.link_of(number)):
            for place in (self.link_of(number), layout.gcroots + b"/%b-%d" % (NAME, number)):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(place)

    def forget_leftovers(self, layout: StoreLayout) -> None:
        """Remove the roots of generations that there are not, as a kill may leave them; the caller locks."""
        numbers = set(self.numbers())
        with doing("read", layout.gcroots):
            names = os.listdir(layout.gcroots)
        for name in names:
            stem, _, digits = name.rpartition(b"-")
            if stem == NAME and digits.isdigit() and int(digits) not in numbers:
                with doing("remove the root", name), contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(layout.gcroots, name))
