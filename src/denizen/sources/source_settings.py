"""The configuration of sources: files, the machine's apt, public mirrors.

Configuration is files `NAME.sources` in the format of apt's (deb822), one source each; `Types: directory`
is denizen's own addition, for a directory of .deb files. The source "debian" exists without a file:

    address     a file debian.sources, else every address of the machine's apt that could be Debian's, each
                used only if its signed Release gives `DEBIAN` as Origin; the public mirrors if none is
    suites      the file's, else `DEFAULT_SUITES` (apt's suites are for the machine, not for the programs)
    keyrings    the file's Signed-By, else Debian's own: the machine's package of them, where it is root's,
                and the shipped copy, because an old machine's lacks the keys of newer suites. Never the
                keyring of apt's entry, which may be another archive's
    expiry      Check-Valid-Until of the file, else of apt's own configuration

Suites of apt's entries are used only to skip entries that cannot be Debian's. Ubuntu and other distributions
are not sources by default: on such a host Debian's public mirrors are used.
"""

from __future__ import annotations

import os
import posixpath
import stat

from denizen.errors import BadInput, HostLacks, display
from denizen.formats.aptsources import BadSources, parse_deb822
from denizen.formats.deb822 import BadControl
from denizen.sources.apt_configuration import (
    SUFFIX,
    apt_checks_expiry,
    apt_entries,
    apt_lists,
    files_in,
    may_be_debian,
)
from denizen.sources.keyring import Keyring
from denizen.sources.public_mirrors import PUBLIC_MIRRORS
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.fileview import FileView, Stat
    from denizen.formats.aptsources import AptSource

# The current stable first, which is the base. Then older ones, for sonames it no longer has; then the newest.
DEFAULT_SUITES = ("stable", "oldstable", "oldoldstable", "unstable")
# The Origin that Debian's Releases state, and Debian's components.
DEBIAN = "Debian"
_COMPONENTS = ("main", "contrib", "non-free", "non-free-firmware")
HOST_KEYRINGS = (
    b"/usr/share/keyrings/debian-archive-keyring.gpg",
    b"/usr/share/keyrings/debian-archive-keyring.pgp",
)
SHIPPED_KEYRING = posixpath.join(
    posixpath.dirname(os.fsencode(__file__)), b"keyrings/debian-archive-keyring.gpg"
)


class BadSetting(BadInput):
    """A source's configuration cannot be used.

    Attributes:
        path: the file.
        problem: what is wrong with it.
    """

    path: bytes
    problem: str
    WHAT = "{path} does not configure a source"
    WHY = "{problem:text}"
    REMEDY = "mend the file, or denizen source remove and add"


class NoKeyring(HostLacks):
    """A keyring that Signed-By names cannot be read."""

    path: bytes
    problem: str
    WHAT = "the keyring {path} cannot be read"
    WHY = "{problem:text}"


class Setting(Value):
    """One source, as configured.

    Attributes:
        name: the name of the source.
        kind: "deb" or "directory".
        uris: addresses of mirrors, or the directory.
        origin: the file that configures it, or "public mirrors".
        keyrings: the trusted keys; empty for a directory.
        release_origin: the Origin its Releases must state, "" for any.
        fallback: addresses to ask where all others are of some other archive.
    """

    name: str
    kind: str
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    keyrings: tuple[Keyring, ...]
    check_valid_until: bool
    origin: str
    release_origin: str = ""
    fallback: tuple[str, ...] = ()

    @property
    def provenance(self) -> str:
        """The words that decide whose packages these are: the Origin where one is required.

        Else the addresses, as such a Release may state any Origin. It is no digest, because hashlib is 3 ms
        of every `find`. Two spaces are between its parts, which have single ones.
        """
        parts = (self.kind, self.release_origin or " ".join(self.uris), " ".join(self.components))
        return display("  ".join(parts))


def settings(view: FileView, directory: bytes) -> list[Setting]:
    """Return every source: those configured in `directory`, and "debian" unless a file there disables it.

    Raises BadSetting, NoKeyring.
    """
    found: list[Setting] = []
    disabled = set()
    for path in files_in(view, directory, SUFFIX):
        name = posixpath.basename(path)[: -len(SUFFIX)].decode("utf-8", "backslashreplace")
        entry = _only_entry(path, bytes(view.read(path)))
        if entry.enabled:
            found.append(_configured(view, name, entry, path))
        else:
            disabled.add(name)
    names = [setting.name for setting in found]
    if "debian" in names:
        found.insert(0, found.pop(names.index("debian")))
    elif "debian" not in disabled:
        found.insert(0, default_debian(view))
    return found


def files_of_provenance(view: FileView, directory: bytes) -> list[bytes]:
    """Return the files and directories that decide the provenances: configured ones, and apt's lists.

    Those that are missing are returned too, because they decide it by being made.
    """
    return [directory, *files_in(view, directory, SUFFIX), *apt_lists(view)]


def default_debian(view: FileView) -> Setting:
    """Return Debian's archive at the addresses the machine's apt knows, else at the public mirrors."""
    found = [(path, entry) for path, entry in apt_entries(view) if may_be_debian(entry)]
    uris = tuple(dict.fromkeys(uri for _, entry in found for uri in entry.uris))
    components = dict.fromkeys(name for _, entry in found for name in entry.components)
    # Expired Releases are allowed only if all entries allow them, not by a vendor's entry alone.
    expired_too = bool(found) and all(entry.check_valid_until is False for _, entry in found)
    return Setting(
        name="debian",
        kind="deb",
        uris=uris or PUBLIC_MIRRORS,
        suites=DEFAULT_SUITES,
        components=tuple([name for name in _COMPONENTS if name in components]) or _COMPONENTS[:1],
        keyrings=_debian_keyrings(view),
        check_valid_until=not expired_too and apt_checks_expiry(view),
        origin=", ".join(dict.fromkeys(display(path) for path, _ in found)) or "public mirrors",
        release_origin=DEBIAN,
        fallback=PUBLIC_MIRRORS if uris else (),
    )


def _only_entry(path: bytes, text: bytes) -> AptSource:
    try:
        entries = list(parse_deb822(text))
    except (BadControl, BadSources) as error:
        raise BadSetting(path, str(error)) from error
    if len(entries) != 1:
        raise BadSetting(path, f"it has {len(entries)} entries instead of one")
    return entries[0]


def _configured(view: FileView, name: str, entry: AptSource, path: bytes) -> Setting:
    kind = "directory" if "directory" in entry.types else "deb"
    if kind == "deb" and not entry.uris:
        raise BadSetting(path, "URIs names no http, https or file address")
    # A directory has one suite, with the name of its source.
    fallback = (name,) if kind == "directory" else (DEFAULT_SUITES if name == "debian" else ())
    suites = entry.suites if entry.suites and kind == "deb" else fallback
    if kind == "deb" and not suites:
        raise BadSetting(path, "it names no Suites")
    return Setting(
        name=name,
        kind=kind,
        uris=entry.uris,
        suites=suites,
        components=entry.components or ("main",),
        keyrings=() if kind == "directory" else _keyrings(view, entry),
        check_valid_until=entry.check_valid_until is not False,
        origin=display(path),
        # Keys named in the file decide whose archive it is; then the Origin is not checked.
        release_origin=DEBIAN if (name, kind) == ("debian", "deb") and not _names_keys(entry) else "",
    )


def _names_keys(entry: AptSource) -> bool:
    """Return whether an entry names other keys than Debian's."""
    own = [word for word in entry.signed_by if os.fsencode(word) not in HOST_KEYRINGS]
    return bool(own or entry.key_block)


def _keyrings(view: FileView, entry: AptSource) -> tuple[Keyring, ...]:
    if entry.key_block:
        return (Keyring("the key in the entry", entry.key_block),)
    paths = [_keyring_path(word) for word in entry.signed_by if word.startswith(("/", "file:/"))]
    if entry.signed_by and not paths:
        raise NoKeyring(os.fsencode(entry.signed_by[0]), "Signed-By gives a fingerprint; a file is needed")
    if not _names_keys(entry):
        return _debian_keyrings(view)
    return tuple([_keyring(view, path) for path in paths])


def _keyring_path(word: str) -> bytes:
    """Return the path that a word of Signed-By gives; `source add` writes one with a blank as an address."""
    if not word.startswith("file:"):
        return os.fsencode(word)
    from denizen.sources.transport import file_path

    return file_path(word)


def _debian_keyrings(view: FileView) -> tuple[Keyring, ...]:
    found = []
    for path in HOST_KEYRINGS:
        try:
            if _only_root_writes(view.stat(path)):
                found.append(Keyring(display(path), bytes(view.read(path))))
                break
        except OSError:  # not on this host; without contextlib, which is 1 ms of every `find`
            continue
    with open(SHIPPED_KEYRING, "rb") as stream:
        return (*found, Keyring("denizen's copy of Debian's keyring", stream.read()))


def _only_root_writes(facts: Stat) -> bool:
    return facts.uid == 0 and not facts.mode & (stat.S_IWGRP | stat.S_IWOTH)


def _keyring(view: FileView, path: bytes) -> Keyring:
    try:
        return Keyring(display(path), bytes(view.read(path)))
    except OSError as error:
        raise NoKeyring(path, error.strerror or str(error)) from error
