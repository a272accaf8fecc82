"""AppImages: their file system unpacked into the store once, their AppRun started from there.

An AppImage mounts itself by FUSE, which containers and minimal hosts lack, and falls back to unpacking
below /tmp at each start. Here its image is read by denizen (of type 2: formats/squashfs.py; of type 1, where
the whole file is an ISO image: formats/iso9660.py) and becomes a store object named by its content; the
program that starts is AppRun in it, decided about like any other. The variables that the AppImage's own
runtime would set (APPDIR, APPIMAGE, ARGV0, OWD; HOME and XDG_CONFIG_HOME where X.AppImage.home and
X.AppImage.config are directories) are set by denizen-enter.
Specification: https://github.com/AppImage/AppImageSpec, draft.md.

Limits: those of the two readers. Where namespaces are forbidden, foreign programs that an AppRun script
starts are not noticed.
"""

from __future__ import annotations

import os

from denizen.disk import make_directories, write_atomically
from denizen.errors import EXIT_CANNOT_START, BadInput
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.bytesio import Buffer
    from denizen.elf import Image
    from denizen.formats.storepath import StorePath
    from denizen.launch.decisions.decision import Decision
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

APPRUN = b"AppRun"
# Beside the AppImage, where somebody made them: what the program keeps, as its own runtime would have it.
_PORTABLE = (b"portable", b"HOME=.home", b"portable", b"XDG_CONFIG_HOME=.config")


class BadAppImage(BadInput):
    """The error that an AppImage has no program to start."""

    exit_status = EXIT_CANNOT_START
    program: bytes
    reason: str
    WHAT = "the AppImage {program} cannot be started"
    WHY = "{reason:text}"
    REMEDY = "download it again"


class DamagedAppImage(BadInput):
    """The error that an AppImage's image is none, or is hostile.

    Attributes:
        fault: the error that says where.
    """

    program: bytes
    fault: BadInput
    WHAT = "the AppImage {program} cannot be unpacked"
    REMEDY = "download it again"

    @property
    def why(self) -> str:
        return f"{self.fault.what}: {self.fault.why}"


class AppImage(Value):
    """One AppImage.

    Attributes:
        program: its absolute path.
        content: the whole file.
        offset: of its image, in bytes.
        is_iso: the image is of ISO 9660 (type 1), else of SquashFS.
    """

    program: bytes
    content: Buffer
    offset: int
    is_iso: bool


def appimage_of(program: bytes, image: Image | None) -> AppImage | None:
    """Return the AppImage that an ELF file is; None for other files."""
    payload = image.payload if image is not None else None
    if image is None or payload is None or payload.kind != "appimage":
        return None
    return AppImage(program, image.buffer, payload.offset, is_iso=not payload.appended)


def unpacked(session: Session, appimage: AppImage) -> StorePath:
    """Return the store object of the unpacked AppImage, unpacking it where that was not done before.

    Raises:
        BadAppImage: it has no AppRun.
        DamagedAppImage: its image cannot be read.
        NoDecoder: this Python lacks the decompressor.
        DiskFailed: the store cannot be written.
    """
    # Imported here: 3 ms of the store's modules, which only an AppImage's first start needs this early.
    from denizen.app.supply.store_access import made_store

    note = _note(session, appimage)
    with made_store(session) as store, store.working() as work:
        path = _known(store, work, note) or _unpack(session, appimage, store, work)
        place = store.place_of(path)
    if not os.path.lexists(os.path.join(place, APPRUN)):
        raise BadAppImage(appimage.program, "its image has no AppRun")
    make_directories(os.path.dirname(note), 0o700)
    write_atomically(note, path.base.encode("ascii"))
    return path


def command_for(inner: Decision, enter: bytes, apprun: bytes) -> tuple[bytes, ...]:
    """Return the command that starts AppRun under the AppImage's name, given how AppRun itself is started."""
    steps = inner.command[1:-1] if inner.command else ()
    own = () if b"as" in steps else (b"as", apprun)
    # Appended last: the words of `else` have a `--`, after which denizen-enter would look for PROGRAM.
    return (enter, *steps, *_variables(os.path.dirname(apprun)), *own, b"--")


def decision_for(appimage: AppImage, inner: Decision, enter: bytes, apprun: bytes) -> Decision:
    """Return the decision about an AppImage from the decision about its AppRun."""
    from denizen.disk_view import DiskView
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.program_identity import identity_of

    facts = identity_of(DiskView().stat(appimage.program))
    tree = os.path.dirname(apprun)
    plain = Decision(facts, bytes(16), 0, inner.ldso, program=appimage.program, host=True)
    return replace(
        plain, command=command_for(inner, enter, apprun), objects=tuple(dict.fromkeys((*inner.objects, tree)))
    )


def request_inside(wanted: RunRequest) -> RunRequest:
    """Return the request for AppRun, without a strategy whose command is not denizen-enter's."""
    from denizen.launch.strategies.base import StrategyName

    others = (StrategyName.DIRECT.value, StrategyName.EMULATED.value)
    return replace(wanted, excluded=(*wanted.excluded, *others))


def _variables(tree: bytes) -> tuple[bytes, ...]:
    return (
        b"set", b"APPDIR=" + tree, b"set-program", b"APPIMAGE=", b"set-name", b"ARGV0=",
        b"set-directory", b"OWD=", *_PORTABLE,
    )  # fmt: skip


def _note(session: Session, appimage: AppImage) -> bytes:
    """Return the file that keeps which store object an image became, by the SHA-256 of the whole AppImage."""
    import hashlib  # OpenSSL, 2.7 ms

    digest = hashlib.sha256(appimage.content).hexdigest()
    return os.path.join(session.paths.cache, b"appimages", digest.encode("ascii"))


def _known(store: Store, work: Work, note: bytes) -> StorePath | None:
    from denizen.formats.storepath import BadStorePath, from_base

    try:
        with open(note, "rb") as stream:
            path = from_base(stream.read(300))
    except (OSError, BadStorePath):
        return None
    return path if path in work.need([path]) and store.is_valid(path) else None


def _unpack(session: Session, appimage: AppImage, store: Store, work: Work) -> StorePath:
    from denizen.build.package_unpack import make
    from denizen.formats import iso9660, squashfs
    from denizen.formats.archive_tree import entries
    from denizen.formats.hashes import Hash
    from denizen.formats.storepath import for_source
    from denizen.store.staged_tree import Adoption

    name = os.fsdecode(os.path.basename(appimage.program))
    session.reporter.say(f"unpacking {name}: {(len(appimage.content) - appimage.offset) // 1_000_000} MB")
    tree = work.new_tree()
    view = memoryview(appimage.content)[appimage.offset :]
    read = iso9660.members if appimage.is_iso else squashfs.members
    try:
        digest = make(entries(read(view)), tree, ())
    except BadInput as fault:
        raise DamagedAppImage(appimage.program, fault) from fault
    path = for_source("appimage", Hash("sha256", digest.nar_hash), (), store.layout.logical)
    work.adopt_all([Adoption(tree, digest, path, (), None)])
    return path
