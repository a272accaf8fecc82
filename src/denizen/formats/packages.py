"""Parser of Debian's Packages files: the packages of one component and architecture (pure).

Specification: https://wiki.debian.org/DebianRepository/Format, "Packages indices"; Debian Policy 5.3 and
5.6 for the fields. deb822 paragraphs, of which only the fields below are read.


    required: Package, Version, Architecture, Filename, Size, SHA256
    optional: Source, Section, Priority, Essential, Multi-Arch, Installed-Size, Pre-Depends, Depends,
              Recommends, Provides, Description (its first line, the synopsis of Policy 3.4.1)

Checked here, because names become paths and columns later: a name follows Policy 5.6.1, a Filename stays
below the archive's root, versions, architectures and file names have graphic characters alone, Size is a
number, SHA256 is 64 hex digits, no value holds a newline or a tab.

Limits: MAX_PARAGRAPH bytes a paragraph. The total size is bounded by the decompressor.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_PARAGRAPH = 4 << 20
MAX_SIZE_DIGITS = 13
# Bytes; what is longer is cut.
MAX_SUMMARY = 1000
# For bytes.translate, which deletes them: a tenth of the time of a set's issuperset, a third of `in`.
_NAME = b"abcdefghijklmnopqrstuvwxyz0123456789+-.ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_HEX = b"0123456789abcdef"
_NO_PATH = b"%?#"
# Graphic characters of ASCII: dpkg builds no package whose version has another (Policy 5.6.12).
_GRAPHIC = bytes(range(0x21, 0x7F))


class BadPackages(BadInput):
    """A Packages file breaks the format.

    Attributes:
        package: the paragraph's Package, b"" if it has none.
        problem: the rule broken.
    """

    package: bytes
    problem: str
    WHAT = "a Packages file cannot be read"

    @property
    def why(self) -> str:
        return f"package {display(self.package) or '(unnamed)'}: {self.problem}"


class Package(Value):
    """One package of an archive. Text fields are as written, unfolded to one line; b"" when absent.

    Attributes:
        filename: path of the .deb below the archive's root.
        size, sha256: size in bytes and SHA-256 in hex that the .deb must have.
        installed_size: in KiB, as its maintainer's tools estimated.
    """

    name: bytes
    version: bytes
    architecture: bytes
    filename: bytes
    size: int
    sha256: bytes
    source: bytes = b""
    section: bytes = b""
    priority: bytes = b""
    essential: bool = False
    multi_arch: bytes = b""
    installed_size: int = 0
    pre_depends: bytes = b""
    depends: bytes = b""
    provides: bytes = b""
    summary: bytes = b""
    recommends: bytes = b""


def packages_in(chunks: Iterable[bytes]) -> Iterator[Package]:
    """Yield every package of a decompressed Packages file, whose chunks may be cut anywhere.

    Raises BadPackages.
    """
    rest = b""
    for chunk in chunks:
        # No value may hold a tab: it separates the columns of the index.
        *whole, rest = (rest + chunk.replace(b"\t", b" ")).split(b"\n\n")
        for paragraph in whole:
            if paragraph.strip(b"\n"):
                yield package_of(paragraph)
        if len(rest) > MAX_PARAGRAPH:
            raise BadPackages(b"", "a paragraph has no end")
    if rest.strip(b"\n"):
        yield package_of(rest)


def package_of(paragraph: bytes) -> Package:
    """Return the package that one paragraph describes. Raises BadPackages."""
    fields = _fields(paragraph)
    name = fields.get(b"Package", b"")
    if not name or name.translate(None, _NAME) or not name[:1].isalnum():
        raise BadPackages(name, "its name breaks Policy 5.6.1")
    found = fields.get
    version = found(b"Version") or _missing(b"Version", name)
    architecture = found(b"Architecture") or _missing(b"Architecture", name)
    if (version + architecture).translate(None, _GRAPHIC):
        raise BadPackages(name, f"version {display(version)} or architecture {display(architecture)} is none")
    return Package(
        name=name,
        version=version,
        architecture=architecture,
        filename=_pool_path(found(b"Filename") or _missing(b"Filename", name), name),
        size=_number(found(b"Size") or _missing(b"Size", name), name),
        sha256=_digest(found(b"SHA256") or _missing(b"SHA256", name), name),
        source=found(b"Source", b""),
        section=found(b"Section", b""),
        priority=found(b"Priority", b""),
        essential=found(b"Essential") == b"yes",
        multi_arch=found(b"Multi-Arch", b""),
        installed_size=_number(found(b"Installed-Size") or b"0", name),
        pre_depends=found(b"Pre-Depends", b""),
        depends=found(b"Depends", b""),
        provides=found(b"Provides", b""),
        summary=found(b"Description", b"")[:MAX_SUMMARY].replace(b"\t", b" "),
        recommends=found(b"Recommends", b""),
    )


def relation_names(relations: bytes) -> list[bytes]:
    """Return the package names in a Depends, Provides or similar field, alternatives included, in order."""
    names = []
    for relation in relations.replace(b"|", b",").split(b","):
        name = relation.split(b"(", 1)[0].split(b"[", 1)[0].strip().partition(b":")[0]
        if name:
            names.append(name)
    return names


def _fields(paragraph: bytes) -> dict[bytes, bytes]:
    """Return the fields of a paragraph, unfolded to one line; the first of several with one name counts.

    Of a Description the first line is returned, without the long text that may follow.
    """
    # Seven of eight packages of Debian have no folded lines, no blanks around values and no DOS line ends,
    # and are parsed by one split.
    if (
        b"\n " not in paragraph
        and b" \n" not in paragraph
        and b":  " not in paragraph
        and b"\r" not in paragraph
    ):
        try:
            return dict([line.split(b": ", 1) for line in paragraph.strip(b"\n").split(b"\n")[::-1]])
        except ValueError:
            pass  # a line without a value: read below
    fields: dict[bytes, list[bytes]] = {}
    lines: list[bytes] = []
    for line in paragraph.split(b"\n"):
        if line[:1] == b" ":
            lines.append(line)
        else:
            name, _, value = line.partition(b": ")
            lines = [value]
            fields.setdefault(name, lines)
    return {
        name: some[0].strip()
        if len(some) == 1 or name == b"Description"
        else b" ".join(b"".join(some).split())
        for name, some in fields.items()
    }


def _missing(field: bytes, name: bytes) -> bytes:
    raise BadPackages(name, f"it has no {field.decode('ascii')}")


def _pool_path(path: bytes, name: bytes) -> bytes:
    is_below = not path.startswith(b"/") and b".." not in path.split(b"/")
    if not is_below or path.translate(None, _NO_PATH) != path or path.translate(None, _GRAPHIC):
        raise BadPackages(name, f"its Filename {display(path)} is no path below the archive")
    return path


def _number(text: bytes, name: bytes) -> int:
    if not text.isdigit() or len(text) > MAX_SIZE_DIGITS:
        raise BadPackages(name, f"{display(text[:40])!r} is not a size")
    return int(text)


def _digest(text: bytes, name: bytes) -> bytes:
    if len(text) != 64 or text.translate(None, _HEX):
        raise BadPackages(name, "its SHA256 is not 64 hex digits")
    return text
