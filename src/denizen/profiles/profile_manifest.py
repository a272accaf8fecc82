"""The manifest of a generation: what is installed in it, as JSON in its tree (pure).

    {"format": 1, "elements": [{"name", "kind", "asked", "version", "pins", "parts", ...}, ...]}

The elements are sorted by name, and nothing in it depends on the time or the machine, so that the same
installed things make the same store object. A part is an object, or a directory in one, and where it appears
in the profile.

Limits: MAX_SIZE bytes. A profile may come from another machine: every field is checked when it is read.
"""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.formats import storepath
from denizen.formats.compact_json import parse_json
from denizen.formats.entry_name import is_entry_name
from denizen.formats.indented_json import json_text
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from denizen.formats.storepath import StorePath
    from denizen.resolve.resolution import Pin

FORMAT = 1
MAX_SIZE = 64 << 20
MAX_ELEMENTS = 20_000
MAX_PRIORITY = 1_000_000
DEFAULT_PRIORITY = 5
# Its name in a generation's tree.
FILE = "manifest.json"


class ElementKind(Enum):
    """The kinds of installed things; the values are used in manifests, and do not change."""

    DEBIAN = "debian"
    FILE = "file"
    URL = "url"
    STORE = "store"


class ElementPart(Value):
    """A part of an object that appears in the profile.

    Attributes:
        inside: its path in the object, "" for all of it.
        outside: where it appears in the profile, "" for the top.
        rank: of parts of one element with the same file, the one of the lowest rank has it.
    """

    path: StorePath
    inside: str = ""
    outside: str = ""
    rank: int = 0


class ProfileElement(Value):
    """One installed thing.

    Attributes:
        name: unique in a profile: of the package, or of the program.
        asked: the words by which it is found again: the package's name, a path, a URL.
        version: "" where there is none.
        size: bytes of its own packages, unpacked.
        parts: what of it appears in the profile.
        commands: the names in bin/.
        pins: the packages it consists of and depends on; its own is the first.
        suites: the suites it was chosen from; () for the configured ones.
        priority: where two elements have a file of the same path, that of the lower number is taken.
        pinned: upgrades leave it alone.
        sha256: of a fetched file, in hex.
    """

    name: str
    kind: ElementKind
    asked: str
    version: str
    size: int
    parts: tuple[ElementPart, ...]
    commands: tuple[str, ...]
    pins: tuple[Pin, ...] = ()
    suites: tuple[str, ...] = ()
    priority: int = DEFAULT_PRIORITY
    pinned: bool = False
    sha256: str = ""


class ProfileManifest(Value):
    """The elements of a generation, sorted by name."""

    elements: tuple[ProfileElement, ...] = ()

    def element(self, name: str) -> ProfileElement | None:
        """Return the element of that name, or None."""
        return next((one for one in self.elements if one.name == name), None)

    @property
    def objects(self) -> tuple[StorePath, ...]:
        """The store objects that its parts are of, sorted."""
        return tuple(sorted({part.path for one in self.elements for part in one.parts}))


def manifest_of(elements: dict[str, ProfileElement]) -> ProfileManifest:
    """Return the manifest of elements by name."""
    return ProfileManifest(tuple(elements[name] for name in sorted(elements)))


def write_manifest(manifest: ProfileManifest) -> bytes:
    """Return the manifest as a file's bytes."""
    rows = [_element_row(one) for one in manifest.elements]
    return (json_text({"format": FORMAT, "elements": rows}) + "\n").encode("utf-8", "surrogateescape")


def read_manifest(text: bytes, path: bytes = b"the file") -> ProfileManifest:
    """Return the manifest in a file's bytes. Raises DamagedProfile."""
    try:
        # As written: the name of a command may be no UTF-8.
        return _parse(parse_json(text.decode("utf-8", "surrogateescape")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, BadInput) as bad:
        from denizen.profiles.profile_errors import DamagedProfile

        raise DamagedProfile(path, str(bad)) from bad


def pin_row(pin: Pin) -> dict[str, object]:
    """Return a package as a row of JSON."""
    return {
        "name": _text(pin.name),
        "version": _text(pin.version),
        "arch": _text(pin.architecture),
        "source": pin.source,
        "suite": pin.suite,
        "filename": _text(pin.filename),
        "size": pin.size,
        "sha256": _text(pin.sha256),
        "installed_size": pin.installed_size,
    }


def read_pin(row: dict[str, Any]) -> Pin:
    """Return the package of a row of JSON. Raises ValueError, KeyError, TypeError."""
    from denizen.resolve.resolution import Pin

    digest = _string(row["sha256"])
    if len(digest) != 64 or bytes.fromhex(digest).hex() != digest:
        raise ValueError("a package's sha256 is not 64 hex digits")
    return Pin(
        _string(row["name"]).encode(),
        _string(row["version"]).encode(),
        _string(row["arch"]).encode(),
        _string(row["source"]),
        _string(row["suite"]),
        "",
        _string(row["filename"]).encode(),
        _number(row["size"], 1 << 50),
        digest.encode(),
        _number(row["installed_size"], 1 << 50),
    )


def _element_row(one: ProfileElement) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind.value,
        "asked": one.asked,
        "version": one.version,
        "size": one.size,
        "priority": one.priority,
        "pinned": one.pinned,
        "sha256": one.sha256,
        "suites": list(one.suites),
        "commands": list(one.commands),
        "parts": [[part.path.base, part.inside, part.outside, part.rank] for part in one.parts],
        "pins": [pin_row(pin) for pin in one.pins],
    }


def _parse(table: dict[str, Any]) -> ProfileManifest:
    if table["format"] != FORMAT:
        raise ValueError(f"it has the format {table['format']}, this denizen reads {FORMAT}")
    elements = tuple(map(_element, table["elements"]))
    names = [one.name for one in elements]
    if len(names) > MAX_ELEMENTS or names != sorted(set(names)):
        raise ValueError("its elements are too many, not sorted, or not distinct")
    return ProfileManifest(elements)


def _element(row: dict[str, Any]) -> ProfileElement:
    commands = tuple(map(_string, row["commands"]))
    if not all(is_entry_name(name.encode("utf-8", "surrogateescape")) for name in commands):
        raise ValueError("the name of a command is not a file name")
    return ProfileElement(
        _string(row["name"]),
        ElementKind(row["kind"]),
        _string(row["asked"]),
        _string(row["version"]),
        _number(row["size"], 1 << 60),
        tuple(map(_part, row["parts"])),
        commands,
        tuple(map(read_pin, row["pins"])),
        tuple(map(_string, row["suites"])),
        _number(row["priority"], MAX_PRIORITY),
        row["pinned"] is True,
        _string(row["sha256"]),
    )


def _part(row: list[Any]) -> ElementPart:
    base, inside, outside, rank = row
    for path in (inside, outside):
        if _string(path) and not all(is_entry_name(part) for part in path.encode().split(b"/")):
            raise ValueError("a part's path is not plain and relative")
    return ElementPart(storepath.from_base(_string(base)), inside, outside, _number(rank, 9))


def _string(found: object) -> str:
    if not isinstance(found, str) or len(found) > 1 << 16:
        raise ValueError("a text is no string, or too long")
    return found


def _number(found: object, most: int) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= most:
        raise ValueError("a number is out of its range")
    return found


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")
