"""Which sources there are, and where: configuration, the machine's apt, public mirrors.

Configuration is files `NAME.sources` in the format of apt's (deb822), one source each; `Types: directory`
is denizen's own addition, for a directory of .deb files. The source "debian" exists without a file:

    address     a file debian.sources, else the machine's apt, else the public mirrors
    suites      the file's, else `DEFAULT_SUITES` (apt's are those of the machine, which is not who asks)
    keyrings    what Signed-By names; where that is Debian's own keyring or nothing, the machine's and
                the shipped copy of it: an old machine's lacks the keys of newer suites
    expiry      Check-Valid-Until of the entry, else of apt's own configuration
"""

from __future__ import annotations

import itertools
import os
import posixpath

from denizen.errors import BadInput, HostLacks, display
from denizen.formats.aptsources import BadSources, parse_deb822, parse_one_line
from denizen.formats.deb822 import BadControl
from denizen.sources.mirrors import PUBLIC_MIRRORS
from denizen.sources.openpgp import Keyring
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.fileview import FileView
    from denizen.formats.aptsources import AptSource

# The current stable first: it is the base. Then older ones, whose sonames it lost; then the newest.
DEFAULT_SUITES = ("stable", "oldstable", "oldoldstable", "unstable")
# Names by which an entry of apt is known to be of Debian's archive.
_DEBIAN_SUITES = frozenset(
    (
        *("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid"),
        *("duke", "forky", "trixie", "bookworm", "bullseye", "buster"),
    )
)
_APT = b"/etc/apt"
HOST_KEYRINGS = (
    b"/usr/share/keyrings/debian-archive-keyring.gpg",
    b"/usr/share/keyrings/debian-archive-keyring.pgp",
)
SHIPPED_KEYRING = posixpath.join(
    posixpath.dirname(os.fsencode(__file__)), b"keyrings/debian-archive-keyring.gpg"
)
SUFFIX = b".sources"
# apt.conf(5) without its punctuation is a sequence of names and values.
_BLANKS = bytes.maketrans(b'"{};', b"    ")


class BadSetting(BadInput):
    """A source's configuration cannot be used.

    Attributes:
        path: the file.
        problem: what is wrong with it.
    """

    path: bytes
    problem: str

    @property
    def what(self) -> str:
        return f"{display(self.path)} does not configure a source"

    @property
    def why(self) -> str:
        return self.problem

    @property
    def remedy(self) -> str:
        return "mend the file, or denizen source remove and add"


class NoKeyring(HostLacks):
    """A keyring that Signed-By names is not there."""

    path: bytes
    problem: str

    @property
    def what(self) -> str:
        return f"the keyring {display(self.path)} cannot be read"

    @property
    def why(self) -> str:
        return self.problem


@value
class Setting:
    """One source, as configured.

    Attributes:
        kind: "deb" or "directory".
        origin: the file that says so, or "public mirrors".
        keyrings: empty for a directory.
    """

    name: str
    kind: str
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    keyrings: tuple[Keyring, ...]
    check_valid_until: bool
    origin: str


def settings(view: FileView, directory: bytes) -> list[Setting]:
    """Every source: those configured in a directory, and "debian" unless a file there disables it.

    Raises BadSetting, NoKeyring.
    """
    found: list[Setting] = []
    disabled = set()
    for path in _files(view, directory, SUFFIX):
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


def default_debian(view: FileView) -> Setting:
    """Debian's archive as the machine's apt knows it, else by the public mirrors. Raises NoKeyring."""
    expiry = apt_checks_expiry(view)
    for path, entry in _apt_entries(view):
        if not entry.enabled or "deb" not in entry.types or not _is_debian(entry):
            continue
        check = expiry if entry.check_valid_until is None else entry.check_valid_until
        keyrings = _keyrings(view, entry)
        return Setting(
            "debian",
            "deb",
            entry.uris,
            DEFAULT_SUITES,
            entry.components or ("main",),
            keyrings,
            check,
            display(path),
        )
    return Setting(
        "debian",
        "deb",
        PUBLIC_MIRRORS,
        DEFAULT_SUITES,
        ("main",),
        _debian_keyrings(view),
        True,
        "public mirrors",
    )


def apt_checks_expiry(view: FileView) -> bool:
    """apt.conf(5): Acquire::Check-Valid-Until, written in one piece or nested."""
    answer = True
    for path in [_APT + b"/apt.conf", *_files(view, _APT + b"/apt.conf.d", b"")]:
        try:
            text = bytes(view.read(path))
        except OSError:
            continue
        for line in text.split(b"\n"):
            words = line.partition(b"//")[0].partition(b"#")[0].translate(_BLANKS).split()
            for name, setting in itertools.pairwise(words):
                if name.endswith(b"Check-Valid-Until"):
                    answer = setting.lower() not in (b"false", b"no", b"0", b"off")
    return answer


def _apt_entries(view: FileView) -> Iterator[tuple[bytes, AptSource]]:
    lists = [_APT + b"/sources.list", *_files(view, _APT + b"/sources.list.d", b".list")]
    for path in [*_files(view, _APT + b"/sources.list.d", SUFFIX), *lists]:
        try:
            text = bytes(view.read(path))
            parse = parse_deb822 if path.endswith(SUFFIX) else parse_one_line
            yield from [(path, entry) for entry in parse(text)]
        except (OSError, BadControl, BadSources):
            # apt's own business: a list apt cannot read is not a source of ours.
            continue


def _is_debian(entry: AptSource) -> bool:
    # Security and updates are other archives, or parts of one that lack the packages themselves.
    return bool(entry.uris) and any(suite in _DEBIAN_SUITES for suite in entry.suites)


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
    # A directory has one suite, called like its source.
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
    )


def _keyrings(view: FileView, entry: AptSource) -> tuple[Keyring, ...]:
    if entry.key_block:
        return (Keyring("the key in the entry", entry.key_block),)
    paths = [os.fsencode(word) for word in entry.signed_by if word.startswith("/")]
    if entry.signed_by and not paths:
        raise NoKeyring(os.fsencode(entry.signed_by[0]), "Signed-By gives a fingerprint; a file is needed")
    if not paths or all(path in HOST_KEYRINGS for path in paths):
        return _debian_keyrings(view)
    return tuple([_keyring(view, path) for path in paths])


def _debian_keyrings(view: FileView) -> tuple[Keyring, ...]:
    found = []
    for path in HOST_KEYRINGS:
        try:
            found.append(Keyring(display(path), bytes(view.read(path))))
            break
        except OSError:
            continue
    with open(SHIPPED_KEYRING, "rb") as stream:
        return (*found, Keyring("denizen's copy of Debian's keyring", stream.read()))


def _keyring(view: FileView, path: bytes) -> Keyring:
    try:
        return Keyring(display(path), bytes(view.read(path)))
    except OSError as error:
        raise NoKeyring(path, error.strerror or str(error)) from error


def _files(view: FileView, directory: bytes, suffix: bytes) -> list[bytes]:
    try:
        names = view.listdir(directory)
    except OSError:
        return []
    return [posixpath.join(directory, name) for name in names if name.endswith(suffix) and name[:1] != b"."]
