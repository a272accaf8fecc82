"""`denizen bundle`: one file, or a directory, from which a program runs on any Linux of its architecture."""

from __future__ import annotations

import os
import shutil
import stat

from denizen.app.bundles.errors import NoPlace, NotBundled
from denizen.app.bundles.program_closure import is_static, opened_program, packaged_closure
from denizen.app.bundles.self_test import remove_quietly, self_test
from denizen.app.exports.atomic_output import staged_directory, staged_file
from denizen.disk import make_directories, open_regular, refuse_hollow, write_atomically
from denizen.formats.bundle_image import EntryKind, ImageEntry
from denizen.host import machine_name
from denizen.launch.bundle_layout import MAX_ARGUMENTS, PLACE, program_name
from denizen.linker import Family, read_interpreter
from denizen.output_place import check_output_file, write_output
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.bundles.bundle_request import BundleRequest
    from denizen.app.bundles.program_closure import ProgramClosure
    from denizen.app.session import Session
    from denizen.resolve.resolution import Pin

_TESTED_NOT = "not tried out: its dynamic linker does nothing without starting the program"


class BundleMade(Value):
    """A bundle that was made.

    Attributes:
        target: its file, or the launcher in its directory.
        size: of all its files, in bytes.
        expanded: of what is packed into it, in bytes.
        packages: whose files it has.
        tested: how it was tested, in words.
    """

    target: bytes
    size: int
    expanded: int
    packages: tuple[Pin, ...]
    tested: str


def bundle_program(session: Session, request: BundleRequest) -> BundleMade:
    """Make a bundle, and test it. What fails the test is not left.

    Raises:
        NoClosure, NotBundled: the program cannot be bundled, or the bundle does not start.
        NoCompressor, LoaderAbsent: a part of denizen is not here.
        Unsatisfied, StillMissing, SourceFailed, HostLacks: as of its resolution.
        Also as `check_output_file`: nothing can be written there.
    """
    if not request.directory:
        check_output_file(request.target)
    program = opened_program(request.closure.program)
    if is_static(program):
        return _static_app(request) if request.app else _copied(program.path, request.target)
    if program.image is None:
        from denizen.app.bundles.scripts import interpreter_request

        return bundle_program(session, interpreter_request(session, request, program))
    if len(request.arguments) > MAX_ARGUMENTS:
        given = f"{len(request.arguments)} arguments are to come before those of a start"
        raise NotBundled(program.path, f"{given}, and its launcher gives {MAX_ARGUMENTS} at most")
    from denizen.app.bundles.bundle_files import entries_of

    closure = packaged_closure(
        session, replace(request.closure, tree=request.tree if request.children else b"")
    )
    entries = entries_of(
        closure, request.tree, machine_name(), children=request.children, script=request.script
    )
    made = _directory(entries, request) if request.directory else _one_file(entries, request)
    try:
        tested = self_test(session, made) if _can_tell(closure) else _TESTED_NOT
    except NotBundled:
        remove_quietly(request.target)
        raise
    expanded = sum(len(entry.content) for entry in entries)
    size = expanded if request.directory else os.stat(made).st_size
    return BundleMade(made, size, expanded, closure.resolution.packages, tested)


def _can_tell(closure: ProgramClosure) -> bool:
    linker = read_interpreter(closure.program.view, closure.decision.ldso)
    return linker is not None and linker.family is not Family.MUSL


def _copied(program: bytes, target: bytes) -> BundleMade:
    """Return the bundle of a static program: itself."""
    if not os.path.exists(target) or not os.path.samefile(program, target):
        with staged_file(target) as stream, open(program, "rb", opener=open_regular) as old:
            refuse_hollow(old.fileno(), program)
            shutil.copyfileobj(old, stream)
            os.fchmod(stream.fileno(), stat.S_IMODE(os.fstat(old.fileno()).st_mode) & 0o777)
    size = os.stat(target).st_size
    return BundleMade(target, size, size, (), "it is static, and was copied as it is")


def _arguments(request: BundleRequest) -> list[bytes]:
    """Return the arguments as the launcher is told them: with places in the bundle for paths in the tree."""
    tree = request.tree + b"/"
    return [
        PLACE + program_name(word, request.tree) if request.tree and word.startswith(tree) else word
        for word in request.arguments
    ]


def _appimage(entries: list[ImageEntry], request: BundleRequest, apprun: bytes) -> bytes:
    from denizen.app.bundles.appimage_bundle import appdir_entries, appimage
    from denizen.app.bundles.compressors import ZSTD_LEVEL, zstd_frames
    from denizen.launch.loader.binaries import bundle_binary

    assert request.app is not None
    name = request.name or os.path.basename(request.closure.program)
    whole = [*appdir_entries(name, apprun, request.app), *entries]
    runtime, compress = bundle_binary(machine_name()), zstd_frames(request.level or ZSTD_LEVEL)
    content = appimage(runtime, whole, compress, _arguments(request), request.app.update)
    write_output(request.target, content, mode=0o755)
    return os.path.abspath(request.target)


def _static_app(request: BundleRequest) -> BundleMade:
    """Make the AppImage of a static program, which is its AppRun."""
    with open(request.closure.program, "rb", opener=open_regular) as stream:
        refuse_hollow(stream.fileno(), request.closure.program)
        program = stream.read()
    made = _appimage([], request, program)
    return BundleMade(made, os.stat(made).st_size, len(program), (), "it is static, and needs nothing")


def bundle_launcher(name: bytes, arguments: Sequence[bytes] = ()) -> ImageEntry:
    """Return the launcher of files that lie in the directory `bundle` beside it. Raises LoaderAbsent."""
    from denizen.launch.bundle_launcher import launcher_beside
    from denizen.launch.loader.binaries import loader_binary

    launcher = launcher_beside(loader_binary(machine_name()), arguments)
    return ImageEntry(name, EntryKind.PROGRAM, launcher)


def _one_file(entries: list[ImageEntry], request: BundleRequest) -> bytes:
    from denizen.app.bundles.compressors import packed_image
    from denizen.launch.bundle_launcher import launcher_with
    from denizen.launch.loader.binaries import bundle_binary

    launcher = bundle_binary(machine_name())
    if request.app:
        return _appimage(entries, request, bytes(bundle_launcher(b"AppRun", _arguments(request)).content))
    if request.beside:
        entries = [*entries, bundle_launcher(request.beside, _arguments(request))]
    image = packed_image(entries, machine_name(), request.level)
    write_output(request.target, launcher_with(launcher, image, _arguments(request)), mode=0o755)
    return os.path.abspath(request.target)


def _directory(entries: list[ImageEntry], request: BundleRequest) -> bytes:
    """Make the directory, which must not be there; return the launcher in it."""
    target, name = request.target, request.name or os.path.basename(request.closure.program)
    if os.path.lexists(target):
        raise NoPlace(target)
    make_directories(os.path.dirname(os.path.abspath(target)))
    with staged_directory(target) as stage:
        for entry in (*entries, bundle_launcher(name, _arguments(request))):
            _put_entry(entry, os.path.join(stage, entry.name))
    return os.path.abspath(os.path.join(target, name))


def _put_entry(entry: ImageEntry, path: bytes) -> None:
    make_directories(path if entry.kind is EntryKind.DIRECTORY else os.path.dirname(path))
    if entry.kind is EntryKind.LINK:
        os.symlink(bytes(entry.content), path)
    elif entry.kind is not EntryKind.DIRECTORY:
        write_atomically(path, bytes(entry.content), mode=0o755 if entry.kind is EntryKind.PROGRAM else 0o644)
        os.utime(path, (entry.modified, entry.modified))
