"""The tree of a system generation: its files as one object, united with packages and kernel."""

from __future__ import annotations

import os

from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import OUT, Ingredient
from denizen.build.builtin_union import UnionPart, uniting
from denizen.build.derivation import SUFFIX, name_of
from denizen.build.realise import RealiseOptions, realise
from denizen.disk import OPEN_NEW, make_directories
from denizen.store.errors import doing
from denizen.system.etc_record import EtcRecord, write_record
from denizen.system.system_manifest import (
    ACTIVATE,
    ETC,
    FILE,
    INIT,
    INITRD,
    KERNEL,
    MAX_SIZE,
    SOFTWARE,
    read_system,
    write_system,
)
from denizen.system.system_scripts import LIST, RECORD, activate_script, etc_list, init_script
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.store.object_staging import Work
    from denizen.system.system_manifest import SystemManifest


class SystemFile(Value):
    """A file of /etc with its content; `link` is a link's text instead."""

    path: str
    content: bytes = b""
    executable: bool = False
    link: str = ""


class SystemParts(Value):
    """All that a generation's tree is made of.

    Attributes:
        shell: the interpreter of the scripts, as in the first line of a script.
        init: the program that becomes the first process; "" for a shell.
        software: the tree of the packages' commands and data.
    """

    manifest: SystemManifest
    files: tuple[SystemFile, ...]
    shell: str
    init: str
    software: StorePath | None = None
    kernel: StorePath | None = None
    initrd: StorePath | None = None


class SystemGeneration(Value):
    """A generation in the store.

    Attributes:
        tree: its path on this machine.
    """

    path: StorePath
    tree: bytes
    manifest: SystemManifest


def system_tree(store: Store, work: Work, parts: SystemParts) -> StorePath:
    """Make the tree of a generation valid, kept while `work` lasts; return its path."""
    files = _files_object(work, parts)
    united = [UnionPart(Ingredient(files), 0, b"", b"")]
    for path, place in ((parts.software, SOFTWARE), (parts.kernel, KERNEL), (parts.initrd, INITRD)):
        if path is not None:
            united.append(UnionPart(Ingredient(path), 0, b"", place.encode()))
    logical = store.layout.logical
    name = f"denizen-system-{parts.manifest.name}"
    sealed = derivations.seal(uniting(united, logical), name, {}, logical)
    tree = sealed.outputs[OUT]
    if tree not in work.need([tree]):
        work.add_texts([(name_of(sealed.path) + SUFFIX, sealed.content, sealed.references)])
        realise(store, [sealed.path], RealiseOptions(_nothing))
        work.need([tree])
    return tree


def read_generation(store: Store, path: StorePath) -> SystemGeneration:
    """Return the generation at a store path. Raises DamagedSystem, DiskFailed."""
    tree = store.place_of(path)
    place = os.path.join(tree, os.fsencode(FILE))
    with doing("read", place), open(place, "rb") as stream:
        return SystemGeneration(path, tree, read_system(stream.read(MAX_SIZE + 1), place))


def _files_object(work: Work, parts: SystemParts) -> StorePath:
    tree = work.new_tree()
    with doing("write", tree):
        make_directories(tree)
        for one in parts.files:
            _write_file(tree + b"/" + ETC.encode(), one)
        for name, content in _own_files(parts):
            _write(tree + b"/" + name.encode(), content, executable=name in (ACTIVATE, INIT))
    return work.add(tree, f"denizen-system-{parts.manifest.name}-files").path


def _own_files(parts: SystemParts) -> Iterator[tuple[str, bytes]]:
    manifest = parts.manifest
    yield FILE, write_system(manifest)
    yield ACTIVATE, activate_script(parts.shell)
    yield LIST, etc_list([(one.path, one.mode, one.user, one.group) for one in manifest.etc])
    yield RECORD, write_record(EtcRecord(paths=tuple(one.path for one in manifest.etc)))
    if manifest.boot is not None:
        yield INIT, init_script(parts.shell, parts.init)


def _write_file(top: bytes, one: SystemFile) -> None:
    place = top + b"/" + one.path.encode()
    make_directories(os.path.dirname(place))
    if one.link:
        os.symlink(one.link, place)
    else:
        _write(place, one.content, executable=one.executable)


def _write(place: bytes, content: bytes, *, executable: bool) -> None:
    with open(os.open(place, OPEN_NEW, 0o700 if executable else 0o600), "wb") as stream:
        stream.write(content)  # the store gives it its own mode


def _nothing(url: str) -> Iterator[bytes]:
    raise AssertionError(f"a union fetches nothing, and was asked for {url}")
