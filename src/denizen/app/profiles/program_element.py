"""Programs that are no package as elements of a profile: a file, a directory, an AppImage, a URL.

A file or directory is copied into the store, so that the installed program stays what it was; an object of
the store is taken as it is.
"""

from __future__ import annotations

import os

from denizen.app.profiles.install_request import (
    ExposedProgram,
    NothingExported,
    PreparedElement,
    must_be_name,
)
from denizen.errors import BadInput, display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.profiles.install_request import Preparation
    from denizen.fileview import FileView
    from denizen.formats.storepath import StorePath
    from denizen.profiles.builtin_commands import InstalledProgram
    from denizen.profiles.profile_manifest import ElementKind, ElementPart
    from denizen.store.object_staging import Work

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?=")


class NoProgramHere(BadInput):
    """The error that a path to be installed is nothing that can be."""

    path: str
    problem: str
    WHAT = "cannot install {path}"
    WHY = "{problem:text}"


class HashWanted(BadInput):
    """The error that a URL is to be installed without the hash of its file."""

    url: str
    WHAT = "{url} wants --sha256"
    WHY = "what is fetched from the network is unpacked and executed only when its hash is known"
    REMEDY = "denizen install {url} --sha256 HEX, as its publisher states it"


def is_place(word: str) -> bool:
    """Tell whether a word is a path or a URL, and not the name of a package."""
    return "/" in word or word in (".", "..")


def prepared_program(at: Preparation, word: str) -> PreparedElement:
    """Return the element for a path or URL; its objects are in the store, kept while the work lasts.

    Raises:
        NoProgramHere, HashWanted: the word is nothing that can be installed.
        NothingExported: it has neither programs nor data. And the errors of fetching and copying.
    """
    from denizen.profiles.profile_manifest import ElementKind

    store, work, request = at.store, at.work, at.request
    if "://" in word:
        path, name = _fetched(at, word)
        return _element(at, _Origin(path, name, word, ElementKind.URL))
    place = os.path.abspath(os.fsencode(word))
    inside = place.startswith(store.layout.physical + b"/")
    real = os.path.realpath(place)
    if inside or real.startswith(store.layout.physical + b"/"):
        path = store.path_at(place if inside else real)
        if path not in work.need([path]):
            raise NoProgramHere(word, "there is no such object in the store")
        return _element(at, _Origin(path, path.name, word, ElementKind.STORE))
    path = _copied(work, place, word)
    name = request.name or os.fsdecode(os.path.basename(place))
    return _element(at, _Origin(path, name, os.fsdecode(place), ElementKind.FILE))


class _Origin:
    """An object to be exposed, and where it is from."""

    def __init__(self, path: StorePath, name: str, asked: str, kind: ElementKind) -> None:
        self.path, self.name, self.asked, self.kind = path, name, asked, kind


def _copied(work: Work, place: bytes, word: str) -> StorePath:
    """Copy a program or directory into the store; a file becomes bin/NAME of an object."""
    name = _object_name(os.fsdecode(os.path.basename(place)))
    if os.path.isdir(place):
        return work.add(place, name).path
    if not os.path.isfile(place):
        absent = not os.path.lexists(place)
        raise NoProgramHere(word, "there is no such file or directory" if absent else "it is not a file")
    if not _starts_as_program(place):
        raise NoProgramHere(
            word, "it is no program: neither executable, nor ELF, nor a script with a #! line"
        )
    return _as_command(work, _command_name(os.path.basename(place)), place, name)


def _starts_as_program(place: bytes) -> bool:
    """Tell whether a file may be executed, or would be if somebody had made it executable."""
    from denizen.disk import open_regular
    from denizen.elf.constants import MAGIC

    if os.access(place, os.X_OK):
        return True
    with open(place, "rb", opener=open_regular) as stream:
        return stream.read(len(MAGIC)).startswith((MAGIC, b"#!"))


def _command_name(file: bytes) -> bytes:
    """Return the name of the command that a file becomes: an AppImage's is not the whole of the file's."""
    stem, dot, suffix = file.rpartition(b".")
    return stem if stem and dot and suffix.lower() == b"appimage" else file


def _as_command(work: Work, command: bytes, source: bytes, name: str) -> StorePath:
    """Add an object with one executable, bin/COMMAND, a copy of the file at `source`."""
    import shutil

    from denizen.disk import open_regular

    tree = work.new_tree()
    os.makedirs(tree + b"/bin", 0o700)
    program = tree + b"/bin/" + command
    with open(source, "rb", opener=open_regular) as content, open(program, "wb") as stream:
        shutil.copyfileobj(content, stream)
    os.chmod(program, 0o700)  # the store gives it its own mode
    return work.add(tree, name).path


def _fetched(at: Preparation, url: str) -> tuple[StorePath, str]:
    """Fetch a URL's file into the store, checked, as bin/NAME of an object."""
    import re

    from denizen.app.supply.package_supply import supply_of
    from denizen.build import derivation as derivations
    from denizen.build.builtin_derivations import OUT
    from denizen.build.builtin_fetch import fetching
    from denizen.build.derivation import SUFFIX, name_of
    from denizen.build.realise import RealiseOptions, realise
    from denizen.formats.hashes import Hash

    store, work, request = at.store, at.work, at.request
    if not re.fullmatch(r"[0-9a-f]{64}", request.sha256.lower()):
        raise HashWanted(url)
    base = url.split("?", maxsplit=1)[0].rstrip("/").rpartition("/")[2] or "program"
    name = must_be_name(request.name or base)
    digest = Hash("sha256", bytes.fromhex(request.sha256))
    logical = store.layout.logical
    sealed = derivations.seal(fetching((url,), digest, logical), _object_name(base), {}, logical)
    output = sealed.outputs[OUT]
    if output not in work.need([output]):
        work.add_texts([(name_of(sealed.path) + SUFFIX, sealed.content, sealed.references)])
        supply = supply_of(at.session, request.policy)
        realise(store, [sealed.path], RealiseOptions(supply.opener))
        work.need([output])
    command = _command_name(os.fsencode(name))
    return _as_command(work, command, store.place_of(output), _object_name(name)), name


def _element(at: Preparation, origin: _Origin) -> PreparedElement:
    from denizen.app.profiles.command_object import expose
    from denizen.disk import RootedView
    from denizen.profiles.package_plan import CommandRecipe
    from denizen.profiles.profile_manifest import ElementPart, ProfileElement

    request = at.request
    place = at.store.place_of(origin.path)
    programs = tuple(_programs(origin.path, place))
    parts = [] if not os.path.isdir(place) else list(_data_parts(origin.path, RootedView(place)))
    if not programs and not parts:
        raise NothingExported(origin.name, ("a directory exports the programs in its bin/, or beside it",))
    commands = None
    if programs:
        exposed = ExposedProgram(
            f"{_object_name(origin.name)}-commands", programs, (), CommandRecipe(request.suites)
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
    from denizen.disk import RootedView
    from denizen.profiles.builtin_commands import InstalledProgram
    from denizen.profiles.package_exports import is_program, leads_out

    if not os.path.isdir(place):
        return [InstalledProgram(path.name.encode(), path, b"")] if os.access(place, os.X_OK) else []
    view = RootedView(place)
    for directory in (b"bin", b"usr/bin", b""):
        if not os.path.isdir(os.path.join(place, directory)):
            continue
        inside = [os.path.join(directory, name) for name in view.listdir(b"/" + directory)]
        found = [one for one in inside if is_program(view, one) and not leads_out(view, one)]
        if found:
            return [InstalledProgram(os.path.basename(one), path, one) for one in found]
    return []


def _data_parts(path: StorePath, view: FileView) -> list[ElementPart]:
    """Return what else of a directory appears in a profile: all that is not its programs."""
    from denizen.fileview import FileKind
    from denizen.profiles.profile_manifest import ElementPart

    names = view.listdir(b"/")
    if b"bin" not in names:
        return [ElementPart(path, "share", "share", 1)] if b"share" in names else []
    shown = [name for name in names if name != b"bin" and _is_text(name)]
    return [
        ElementPart(path, name.decode(), name.decode(), 1)
        for name in shown
        if view.lstat(b"/" + name).kind in (FileKind.DIRECTORY, FileKind.FILE, FileKind.SYMLINK)
    ]


def _is_text(name: bytes) -> bool:
    return display(name) == name.decode("utf-8", "replace") and b"\t" not in name


def _object_name(text: str) -> str:
    """Return a text as a store object's name."""
    return ("".join(one if one in _ALLOWED else "-" for one in text)[:120].lstrip(".")) or "program"
