"""`denizen bundle --app`: a bundle that is an AppImage of type 2 too.

Specification: https://github.com/AppImage/AppImageSpec, draft.md. The file is a runtime, which is the
launcher of a bundle, with a SquashFS image of an AppDir behind it: AppRun, a desktop entry, an icon, and the
bundle's files. AppRun is the launcher of files beside it, so that the AppDir also starts when another tool
has mounted or unpacked it. The runtime unpacks the image once, as a bundle does, and needs no FUSE.
Its sections for updaters and signers are launch/bundle_launcher.py's.
"""

from __future__ import annotations

import os

from denizen.disk import open_regular
from denizen.errors import display
from denizen.formats.bundle_image import EntryKind, ImageEntry, encode_over
from denizen.formats.file_tree import Directory, File, Symlink
from denizen.formats.squashfs_writer import write_image
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.formats.file_tree import Entry

APPRUN = b"AppRun"
_ICON = b"""<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256">
<rect x="16" y="16" width="224" height="224" rx="32" fill="#446"/>
<text x="128" y="168" font-family="sans-serif" font-size="128" text-anchor="middle" fill="#fff">%b</text>
</svg>
"""


class AppFiles(Value):
    """The files of an AppDir that are not the bundle's.

    Attributes:
        desktop: the desktop entry; b"" for one that starts the program in a terminal.
        icon: a picture; b"" for one with the program's first letter.
        icon_suffix: of the picture's file name: b".svg" or b".png".
        update: the update information, where updaters find newer versions; b"" for none.
    """

    desktop: bytes = b""
    icon: bytes = b""
    icon_suffix: bytes = b".svg"
    update: bytes = b""


def appdir_entries(name: bytes, apprun: bytes, files: AppFiles) -> list[ImageEntry]:
    """Return the entries of an AppDir for a program, but for the bundle's."""
    letter = display(name[:1]).upper().translate({38: "", 60: "", 62: ""}).encode()
    desktop = files.desktop or b"".join(
        line + b"\n"
        for line in (
            b"[Desktop Entry]",
            b"Type=Application",
            b"Name=" + name,
            b"Exec=" + name,
            b"Icon=" + name,
            b"Categories=Utility;",
            b"Terminal=true",
        )
    )
    icon = name + files.icon_suffix
    return [
        ImageEntry(APPRUN, EntryKind.PROGRAM, apprun),
        ImageEntry(name + b".desktop", EntryKind.FILE, desktop),
        ImageEntry(icon, EntryKind.FILE, files.icon or _ICON % letter),
        ImageEntry(b".DirIcon", EntryKind.LINK, icon),
    ]


def appimage(
    binary: bytes,
    entries: Sequence[ImageEntry],
    compress: Callable[[bytes], bytes],
    arguments: Sequence[bytes] = (),
    update: bytes = b"",
) -> bytes:
    """Return an AppImage of these entries; `binary` is the compiled launcher. Raises NotInImage, BadImage."""
    from denizen.launch.bundle_launcher import ALIGNMENT, appimage_with

    parts: list[bytes] = []
    made = write_image(_tree_entries(entries), compress, parts.append)
    image = made.superblock + b"".join(parts)
    return appimage_with(binary, encode_over(entries, made.files, ALIGNMENT), image, arguments, update)


def _tree_entries(entries: Sequence[ImageEntry]) -> Iterator[Entry]:
    """Yield the entries as a tree's, with the directories that they need."""
    seen = {b""}
    for one in sorted(entries, key=lambda entry: entry.name.split(b"/")):
        parts = one.name.split(b"/")
        for depth in range(1, len(parts) + (one.kind is EntryKind.DIRECTORY)):
            path = b"/".join(parts[:depth])
            if path not in seen:
                seen.add(path)
                yield Directory(path)
        if one.kind is EntryKind.LINK:
            yield Symlink(one.name, bytes(one.content))
        elif one.kind is not EntryKind.DIRECTORY:
            executable = one.kind is EntryKind.PROGRAM
            yield File(one.name, executable=executable, size=len(one.content), content=(one.content,))


def read_app_files(desktop: str | None, icon: str | None, update: str | None = None) -> AppFiles:
    """Return the files that a user names, with the update information. Raises OSError."""
    contents = []
    for path in (desktop, icon):
        if path is None:
            contents.append(b"")
        else:
            with open(path, "rb", opener=open_regular) as stream:
                contents.append(stream.read())
    suffix = os.path.splitext(os.fsencode(icon))[1] if icon else b".svg"
    return AppFiles(contents[0], contents[1], suffix, os.fsencode(update or ""))
