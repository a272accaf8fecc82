"""Databases that desktops read instead of the many files they are made from (pure).

`mimeinfo.cache`: which desktop entries open a type (Desktop Entry Specification, "Registering MIME Types"; as
update-desktop-database writes it). `mime/globs2` and the files beside it: which names are of which type
(Shared MIME-info Database 0.21, section 2.7 and on; as update-mime-database writes them, but for `magic` and
the binary `mime.cache`, without which readers take the text). They are derived from what a generation has, so
that installing alone makes types known.

Limits: MAX_SIZE bytes a file, and no entities of its own in XML.
"""

from __future__ import annotations

from denizen.lazy_pattern import pattern
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_SIZE = 4 << 20
_TYPE = pattern(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\Z")
_NAME = pattern(r"[^\x00-\x1f:]{1,255}\Z")
_NAMESPACE = "http://www.freedesktop.org/standards/shared-mime-info "
_DEFAULT_WEIGHT = 50


class MimeGlob(Value):
    """A pattern of names that are of a type."""

    weight: int
    type: str
    pattern: str
    case_sensitive: bool


class MimePackage(Value):
    """The declarations of one file of mime/packages.

    Attributes:
        types: all types that are described.
        aliases, subclasses, icons, generic_icons: pairs of a type and what is said about it.
    """

    types: tuple[str, ...]
    globs: tuple[MimeGlob, ...]
    aliases: tuple[tuple[str, str], ...]
    subclasses: tuple[tuple[str, str], ...]
    icons: tuple[tuple[str, str], ...]
    generic_icons: tuple[tuple[str, str], ...]


def mimeinfo_cache(entries: Mapping[str, bytes]) -> bytes:
    """Return the content of mimeinfo.cache for desktop entries by their file names; b"" for no types."""
    openers: dict[str, list[str]] = {}
    for name in sorted(entries):
        for kind in _types_of(entries[name]):
            openers.setdefault(kind, []).append(name)
    if not openers:
        return b""
    lines = [f"{kind}={';'.join(openers[kind])};" for kind in sorted(openers)]
    return ("[MIME Cache]\n" + "\n".join(lines) + "\n").encode()


def _types_of(entry: bytes) -> list[str]:
    """Return the types in the MimeType line of an entry's main group."""
    group = ""
    for line in entry[:MAX_SIZE].decode("utf-8", "replace").split("\n"):
        if line.startswith("["):
            group = line.strip()
        key, equals, text = line.partition("=")
        if group == "[Desktop Entry]" and equals and key.strip() == "MimeType":
            return [kind for kind in dict.fromkeys(text.strip().split(";")) if _TYPE.match(kind)]
    return []


def mime_databases(packages: Iterable[MimePackage]) -> dict[str, bytes]:
    """Return the files below mime/ for what packages declare, by their names; none for no types."""
    some = list(packages)
    globs = {glob for one in some for glob in one.globs}
    ordered = sorted(globs, key=lambda one: (-one.weight, one.type, one.pattern))
    files = {
        "types": [kind for one in some for kind in one.types],
        "aliases": [f"{alias} {kind}" for one in some for kind, alias in one.aliases],
        "subclasses": [f"{kind} {parent}" for one in some for kind, parent in one.subclasses],
        "icons": [f"{kind}:{name}" for one in some for kind, name in one.icons],
        "generic-icons": [f"{kind}:{name}" for one in some for kind, name in one.generic_icons],
    }
    if not files["types"]:
        return {}
    texts = {name: sorted(set(lines)) for name, lines in files.items()}
    cs = {True: ":cs", False: ""}
    texts["globs2"] = [f"{one.weight}:{one.type}:{one.pattern}{cs[one.case_sensitive]}" for one in ordered]
    texts["globs"] = [f"{one.type}:{one.pattern}" for one in ordered]
    return {name: "".join([line + "\n" for line in lines]).encode() for name, lines in texts.items()}


def read_mime_package(content: bytes) -> MimePackage:
    """Return what a file of mime/packages declares; what is malformed in it is left out."""
    reader = _MimeReader()
    if len(content) <= MAX_SIZE:
        reader.read(content)
    return MimePackage(
        tuple(reader.types),
        tuple(reader.globs),
        *(tuple(reader.pairs[name]) for name in ("alias", "sub-class-of", "icon", "generic-icon")),
    )


class _MimeReader:
    """The state while a file is read: the type that is being described, and what was said so far."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self.globs: list[MimeGlob] = []
        self.pairs: dict[str, list[tuple[str, str]]] = {
            "alias": [],
            "sub-class-of": [],
            "icon": [],
            "generic-icon": [],
        }
        self._type = ""

    def read(self, content: bytes) -> None:
        """Read a file, as far as it is well-formed."""
        from xml.parsers import expat

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        # A file that declares entities of its own could grow without end.
        parser.EntityDeclHandler = _refuse
        try:
            parser.Parse(content, True)
        except (expat.ExpatError, _Refused, ValueError):
            return

    def _start(self, element: str, attributes: dict[str, str]) -> None:
        name = element.removeprefix(_NAMESPACE)
        if name == "mime-type":
            kind = attributes.get("type", "")
            self._type = kind if _TYPE.match(kind) else ""
            self.types += [self._type] if self._type else []
        elif self._type and name == "glob":
            self._add_glob(attributes)
        elif self._type and name in self.pairs:
            said = attributes.get("name" if name.endswith("icon") else "type", "")
            if (_NAME if name.endswith("icon") else _TYPE).match(said):
                self.pairs[name].append((self._type, said))

    def _add_glob(self, attributes: dict[str, str]) -> None:
        pattern, weight = attributes.get("pattern", ""), attributes.get("weight", str(_DEFAULT_WEIGHT))
        if _NAME.match(pattern) and weight.isascii() and weight.isdigit() and len(weight) < 4:
            sensitive = attributes.get("case-sensitive") == "true"
            self.globs.append(MimeGlob(int(weight), self._type, pattern, sensitive))

    def _end(self, element: str) -> None:
        if element.removeprefix(_NAMESPACE) == "mime-type":
            self._type = ""


class _Refused(Exception):  # never leaves this module
    """The file declares an entity."""


def _refuse(*_: object) -> None:
    raise _Refused
