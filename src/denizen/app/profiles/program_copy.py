"""Programs that are brought into the store to be installed: a copy of a file or directory, the file of a URL.

They are copied so that the installed program stays what it was.
"""

from __future__ import annotations

import os

from denizen.app.profiles.install_request import must_be_name, object_name
from denizen.errors import BadInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.profiles.install_request import Preparation
    from denizen.formats.storepath import StorePath
    from denizen.store.object_staging import Work


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


def copied(work: Work, place: bytes, word: str) -> StorePath:
    """Copy a program or directory into the store; a file becomes bin/NAME of an object."""
    name = object_name(os.fsdecode(os.path.basename(place)))
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

    from denizen.disk import open_regular, refuse_hollow
    from denizen.store.errors import doing

    tree = work.new_tree()
    os.makedirs(tree + b"/bin", 0o700)
    program = tree + b"/bin/" + command
    with (
        doing("install", source),
        open(source, "rb", opener=open_regular) as content,
        open(program, "wb") as stream,
    ):
        refuse_hollow(content.fileno(), source)
        shutil.copyfileobj(content, stream)
    os.chmod(program, 0o700)  # the store gives it its own mode
    return work.add(tree, name).path


def fetched(at: Preparation, url: str) -> tuple[StorePath, str]:
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
    sealed = derivations.seal(fetching((url,), digest, logical), object_name(base), {}, logical)
    output = sealed.outputs[OUT]
    if output not in work.need([output]):
        work.add_texts([(name_of(sealed.path) + SUFFIX, sealed.content, sealed.references)])
        supply = supply_of(at.session, request.policy)
        realise(store, [sealed.path], RealiseOptions(supply.opener))
        work.need([output])
    command = _command_name(os.fsencode(name))
    return _as_command(work, command, store.place_of(output), object_name(name)), name
