"""Files of a generation that are derived from all its elements: the databases of desktops."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.profiles.profile_manifest import ElementPart, ProfileManifest
    from denizen.store.local import Store

_SHARE = "share"


def derived_files(store: Store, manifest: ProfileManifest) -> dict[str, bytes]:
    """Return the derived files by their paths in the profile. Raises OSError."""
    parts = [part for one in manifest.elements for part in one.parts]
    entries = dict(_found(store, parts, "applications", ".desktop"))
    packages = dict(_found(store, parts, "mime/packages", ".xml"))
    if not entries and not packages:
        return {}
    from denizen.profiles.desktop_databases import mime_databases, mimeinfo_cache, read_mime_package

    cache = mimeinfo_cache(entries)
    files = {f"{_SHARE}/applications/mimeinfo.cache": cache} if cache else {}
    databases = mime_databases(read_mime_package(packages[name]) for name in sorted(packages))
    return files | {f"{_SHARE}/mime/{name}": text for name, text in databases.items()}


def _found(
    store: Store, parts: list[ElementPart], directory: str, suffix: str
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files in a directory of share, of every part that shows one."""
    for part in parts:
        inside = _inside(part, f"{_SHARE}/{directory}")
        if inside is None or not _may_have(store.place_of(part.path), inside.encode()):
            continue
        from denizen.disk_view import RootedView  # 0.4 ms that only what has such files pays

        view, place = RootedView(store.place_of(part.path)), b"/" + inside.encode()
        try:
            names = view.listdir(place)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            if name.endswith(suffix.encode()):
                from denizen.profiles.desktop_databases import MAX_SIZE

                yield name.decode("utf-8", "replace"), bytes(view.read(place + b"/" + name)[: MAX_SIZE + 1])


def _may_have(place: bytes, inside: bytes) -> bool:
    """Tell whether an object has a directory, or a link on the way to it, which only a view can follow."""
    for name in inside.split(b"/"):
        place = os.path.join(place, name)
        try:
            mode = os.lstat(place).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return False
        if stat.S_ISLNK(mode):
            break
    return True


def _inside(part: ElementPart, outside: str) -> str | None:
    """Return where in a part's object something of the profile is; None where the part does not show it."""
    if part.outside and outside != part.outside and not outside.startswith(part.outside + "/"):
        return None
    rest = outside[len(part.outside) :].strip("/")
    return "/".join(piece for piece in (part.inside, rest) if piece)
