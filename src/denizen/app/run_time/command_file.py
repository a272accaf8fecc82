"""The file of a command that is brought without an environment.

A package may have a command as a link to a file of a package that it depends on (ruby to ruby3.1), or only
as the alternative that its postinst installs, or a dependency's (php of php-cli, from php8.2-cli). An
environment has all packages in one tree, where such links lead to their files. Without one, the links are
followed from package to package, and each package is unpacked where it is reached.
"""

from __future__ import annotations

import glob
import os
import posixpath

from denizen.disk_view import RootedView
from denizen.fhs.package_relations import groups
from denizen.fhs.tree_creation import controls_of, exposed_files, to_fetch
from denizen.fileview import USR_MERGED, FileKind, resolve
from denizen.profiles.package_exports import commands_in, is_program
from denizen.resolve.installation.install import unpacked
from denizen.resolve.resolution import pin_of
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from denizen.fileview import FileView
    from denizen.formats.storepath import StorePath
    from denizen.index.locate import Index
    from denizen.index.provider import Provider
    from denizen.resolve.installation.install import Supply
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

# Packages that are unpacked for one command. A metapackage (php-cli) depends on one or two others.
_MAX_PACKAGES = 8


class CommandSupply(Value):
    """The means to get packages for a command.

    Attributes:
        controls: the directory of facts from control archives.
        over_budget: the reason against fetching so many bytes; "" for none.
    """

    store: Store
    work: Work
    supply: Supply
    index: Index
    controls: bytes
    over_budget: Callable[[int], str]


class CommandFileSearch:
    """The search for the file of one command.

    Attributes:
        trees: the packages that were unpacked.
        reason: why a package was not fetched, where that ended the search; else "".
    """

    def __init__(self, means: CommandSupply, name: bytes) -> None:
        self._means = means
        self._name = name
        self._size = 0
        self.trees: list[StorePath] = []
        self.reason = ""

    def find(self, package: Provider) -> bytes:
        """Return the path of the command's file in the store; b"" where the search does not find it.

        A package that has not the command's name depends on the one that has: its direct dependencies are
        looked at, as for a profile.
        """
        for one in (package, *_dependencies(self._means.index, package)):
            tree = self._unpacked(one)
            if tree is None:
                break
            place = self._named_in(one, tree)
            if place:
                return self._followed(one, tree, place)
        return b""

    def _unpacked(self, package: Provider) -> bytes | None:
        """Return the path of a package's tree; None where it is too much."""
        means, pin = self._means, pin_of(package, {})
        self._size += sum(one.size for one in to_fetch(means.store, means.supply, [pin]))
        self.reason = means.over_budget(self._size)
        if self.reason or len(self.trees) == _MAX_PACKAGES:
            return None
        self.trees.append(unpacked(means.store, means.work, pin, means.supply))
        return means.store.place_of(self.trees[-1])

    def _named_in(self, package: Provider, tree: bytes) -> bytes:
        """Return the path in a package at which a command of the name is; b"" for none."""
        view = RootedView(tree)
        place = _place_among(view, self._name) or _exposed(tree, self._name)
        if place:
            return place
        # Read last: it is in the .deb, which may have to be fetched once more.
        pin, means = pin_of(package, {}), self._means
        (control,) = controls_of(means.controls, [pin], means.supply)
        found = {one.name: one.inside for one in commands_in(view, control.alternatives)}
        return b"/" + found[self._name] if self._name in found else b""

    def _followed(self, package: Provider, tree: bytes, place: bytes) -> bytes:
        """Return the path of the file to which links lead from a path in a package; b"" for none."""
        while True:
            view = RootedView(tree)
            try:
                place = led_to(view, place)
            except OSError:  # a loop
                return b""
            if is_program(view, place[1:]):
                return tree + place
            holder = self._holder(package, place)
            found = self._unpacked(holder) if holder is not None else None
            if holder is None or found is None or found == tree:
                return b""
            package, tree = holder, found

    def _holder(self, package: Provider, path: bytes) -> Provider | None:
        """Return the package with a path, one on which `package` depends before all others; None for none."""
        index = self._means.index
        names = [one.package for one in index.paths(path, glob=False)]
        known = {one.package: one for one in _dependencies(index, package)}
        for name in sorted(names, key=lambda one: one not in known):
            for found in (*filter(None, (known.get(name),)), *index.packages(name)):
                return found
        return None


def led_to(view: FileView, path: bytes) -> bytes:
    """Return the path to which links lead from a path in a package, whether or not the package has it.

    Raises OSError for a loop.
    """

    def look(place: bytes) -> tuple[FileKind, bytes]:
        try:
            kind = view.lstat(place).kind
        except FileNotFoundError:
            return FileKind.DIRECTORY, b""  # another package may have it
        return kind, view.readlink(place) if kind is FileKind.SYMLINK else b""

    found = resolve(path, look, last=True)
    # Trees of packages have what Debian lists below /bin in /usr/bin.
    return b"/usr" + found if found.split(b"/")[1] in USR_MERGED else found


def _place_among(view: FileView, name: bytes) -> bytes:
    for directory in (b"usr/bin/", b"usr/sbin/", b"usr/games/"):
        if is_program(view, directory + name):
            return b"/" + directory + name
    return b""


def _exposed(tree: bytes, name: bytes) -> bytes:
    """Return the path of a file that gets a command's name by a rule for all of a directory (java)."""
    for pattern in exposed_files():
        directory, last = posixpath.split(pattern)
        wanted = os.path.join(directory, glob.escape(name))
        for place in sorted(glob.glob(wanted, root_dir=tree)) if last == b"*" else ():
            return b"/" + place
    return b""


def _dependencies(index: Index, package: Provider) -> Iterator[Provider]:
    """Yield the packages on which a package depends: of alternatives the first that the index has."""
    for text in (package.pre_depends, package.depends):
        for group in groups(text):
            found = (one for each in group for one in index.packages(each.name) if each.admits(one.version))
            yield from list(found)[:1]
