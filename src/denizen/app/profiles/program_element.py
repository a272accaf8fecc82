"""Programs that are no package as elements of a profile: a file, a directory, an AppImage, a URL.

An object of the store is taken as it is; program_copy.py brings everything else into the store.
"""

from __future__ import annotations

import os

from denizen.app.profiles.install_request import ExposedProgram, PreparedElement, object_name
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.profiles.install_request import Preparation
    from denizen.formats.storepath import StorePath
    from denizen.profiles.builtin_commands import InstalledProgram
    from denizen.profiles.profile_manifest import ElementKind, ElementPart


def is_place(word: str) -> bool:
    """Tell whether a word is a path or a URL, and not the name of a package."""
    return "/" in word or word in (".", "..")


def is_url(word: str) -> bool:
    """Tell whether a word is a URL, and not a path."""
    return "://" in word


def prepared_program(at: Preparation, word: str) -> PreparedElement:
    """Return the element for a path or URL; its objects are in the store, kept while the work lasts.

    Raises:
        NoProgramHere, HashWanted: the word is nothing that can be installed.
        NothingExported: it has neither programs nor data. And the errors of fetching and copying.
    """
    from denizen.profiles.profile_manifest import ElementKind

    store, work, request = at.store, at.work, at.request
    if is_url(word):
        from denizen.app.profiles.program_copy import fetched

        path, name = fetched(at, word)
        return _element(at, _Origin(path, name, word, ElementKind.URL))
    place = os.path.abspath(os.fsencode(word))
    inside = place.startswith(store.layout.physical + b"/")
    real = os.path.realpath(place)
    if inside or real.startswith(store.layout.physical + b"/"):
        path = store.path_at(place if inside else real)
        if path not in work.need([path]):
            from denizen.app.profiles.program_copy import NoProgramHere

            raise NoProgramHere(word, "there is no such object in the store")
        return _element(at, _Origin(path, path.name, word, ElementKind.STORE))
    from denizen.app.profiles.program_copy import copied  # 0.3 ms that only what is not in the store pays

    path = copied(work, place, word)
    name = request.name or os.fsdecode(os.path.basename(place))
    return _element(at, _Origin(path, name, os.fsdecode(place), ElementKind.FILE))


class _Origin:
    """An object to be exposed, and where it is from."""

    def __init__(self, path: StorePath, name: str, asked: str, kind: ElementKind) -> None:
        self.path, self.name, self.asked, self.kind = path, name, asked, kind


def _element(at: Preparation, origin: _Origin) -> PreparedElement:
    from denizen.app.profiles.command_object import expose
    from denizen.profiles.command_recipe import CommandRecipe
    from denizen.profiles.profile_manifest import ElementPart, ProfileElement

    request = at.request
    place = at.store.place_of(origin.path)
    programs = tuple(_programs(origin.path, place))
    parts = [] if not os.path.isdir(place) else _data_parts(origin.path, place)
    if not programs and not parts:
        from denizen.app.profiles.element_errors import NothingExported

        raise NothingExported(origin.name, ("a directory exports the programs in its bin/, or beside it",))
    commands = None
    if programs:
        exposed = ExposedProgram(
            f"{object_name(origin.name)}-commands", programs, (), CommandRecipe(request.suites)
        )
        commands = expose(at, exposed)
        parts.append(ElementPart(commands, "bin", "bin"))
    info = at.store.info(origin.path)
    element = ProfileElement(
        request.name or origin.name,
        origin.kind,
        origin.asked,
        "",
        info.nar_size,
        tuple(parts),
        tuple(os.fsdecode(one.name) for one in programs),
        suites=request.suites,
        sha256=request.sha256,
    )
    return PreparedElement(element, commands)


def _programs(path: StorePath, place: bytes) -> list[InstalledProgram]:
    """Return the programs of an object: those in bin/, or those at its top, or the object itself."""
    from denizen.profiles.builtin_commands import InstalledProgram

    if not os.path.isdir(place):
        return [InstalledProgram(path.name.encode(), path, b"")] if os.access(place, os.X_OK) else []
    for directory in (b"bin", b"usr/bin", b""):
        if os.path.isdir(os.path.join(place, directory)):
            names = _plain_programs(place, directory)
            found = _viewed_programs(place, directory) if names is None else names
            if found:
                return [InstalledProgram(name, path, os.path.join(directory, name)) for name in found]
    return []


def _plain_programs(place: bytes, directory: bytes) -> list[bytes] | None:
    """Return the names of the programs in a directory of an object, sorted.

    Return None where a link is on the way or in the directory, which only a view of the object can follow.
    """
    above = os.path.dirname(directory)
    if any(os.path.islink(os.path.join(place, one)) for one in (above, directory) if one):
        return None
    with os.scandir(os.path.join(place, directory)) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    if any(one.is_symlink() for one in found):
        return None
    return [
        one.name
        for one in found
        if not {9, 10} & set(one.name) and one.is_file() and one.stat(follow_symlinks=False).st_mode & 0o111
    ]


def _viewed_programs(place: bytes, directory: bytes) -> list[bytes]:
    """Return the names of the programs in a directory of an object, sorted; links stay inside the object."""
    from denizen.disk_view import RootedView
    from denizen.profiles.package_exports import is_program, leads_out

    view = RootedView(place)
    inside = {name: os.path.join(directory, name) for name in view.listdir(b"/" + directory)}
    return [name for name, one in inside.items() if is_program(view, one) and not leads_out(view, one)]


def _data_parts(path: StorePath, place: bytes) -> list[ElementPart]:
    """Return what else of a directory appears in a profile: all that is not its programs."""
    from denizen.profiles.profile_manifest import ElementPart

    with os.scandir(place) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    names = [one.name for one in found]
    if b"bin" not in names:
        return [ElementPart(path, "share", "share", 1)] if b"share" in names else []
    shown = [one for one in found if one.name != b"bin" and _is_text(one.name)]
    return [
        ElementPart(path, one.name.decode(), one.name.decode(), 1)
        for one in shown
        if one.is_symlink() or one.is_dir(follow_symlinks=False) or one.is_file(follow_symlinks=False)
    ]


def _is_text(name: bytes) -> bool:
    return display(name) == name.decode("utf-8", "replace") and b"\t" not in name
