"""Packages files: every package of one component and architecture (pure).

Specification: https://wiki.debian.org/DebianRepository/Format, "Packages indices"; Debian Policy 5.3 and
5.6 for the fields. deb822 paragraphs, of which only the fields below are read, each found by one search
in its paragraph: 63,440 packages of bookworm take 1.4 s.

    Package, Version, Architecture, Filename, Size, SHA256      must be there
    Source, Section, Priority, Essential, Multi-Arch, Installed-Size, Pre-Depends, Depends, Provides
                                                                may be

Checked here, because names become paths and columns later: a name follows Policy 5.6.1, a Filename stays
below the archive's root, Size is a number, SHA256 is 64 hex digits, no value
holds a newline or a tab.

Limits: MAX_PARAGRAPH bytes a paragraph. The bytes in all are bounded by who decompresses.
"""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_PARAGRAPH = 4 << 20
MAX_SIZE_DIGITS = 13
_NAME = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789+-.ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_HEX = frozenset(b"0123456789abcdef")


class BadPackages(BadInput):
    """A Packages file breaks the format.

    Attributes:
        package: the paragraph's Package, b"" if it has none.
        problem: the rule broken.
    """

    package: bytes
    problem: str

    @property
    def what(self) -> str:
        return "a Packages file cannot be read"

    @property
    def why(self) -> str:
        return f"package {display(self.package) or '(unnamed)'}: {self.problem}"


@value
class Package:
    """One package of an archive. Text fields are as written, unfolded to one line; b"" when absent.

    Attributes:
        filename: where the .deb is, below the archive's root.
        size, sha256: what the .deb must be.
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


def packages_in(chunks: Iterable[bytes]) -> Iterator[Package]:
    """Every package of a decompressed Packages file whose chunks are cut anywhere.

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
    """The package one paragraph describes. Raises BadPackages."""
    text = b"\n" + paragraph + b"\n"
    name = _field(text, b"\nPackage: ")
    if not name or not _NAME.issuperset(name) or not name[:1].isalnum():
        raise BadPackages(name, "its name breaks Policy 5.6.1")
    return Package(
        name=name,
        version=_needed(text, b"\nVersion: ", name),
        architecture=_needed(text, b"\nArchitecture: ", name),
        filename=_pool_path(_needed(text, b"\nFilename: ", name), name),
        size=_number(_needed(text, b"\nSize: ", name), name),
        sha256=_digest(_needed(text, b"\nSHA256: ", name), name),
        source=_field(text, b"\nSource: "),
        section=_field(text, b"\nSection: "),
        priority=_field(text, b"\nPriority: "),
        essential=_field(text, b"\nEssential: ") == b"yes",
        multi_arch=_field(text, b"\nMulti-Arch: "),
        installed_size=_number(_field(text, b"\nInstalled-Size: ") or b"0", name),
        pre_depends=_field(text, b"\nPre-Depends: "),
        depends=_field(text, b"\nDepends: "),
        provides=_field(text, b"\nProvides: "),
    )


def relation_names(relations: bytes) -> list[bytes]:
    """The package names a Depends, Provides, ... speaks of, alternatives included, in order."""
    names = []
    for relation in relations.replace(b"|", b",").split(b","):
        name = relation.split(b"(", 1)[0].split(b"[", 1)[0].strip().partition(b":")[0]
        if name:
            names.append(name)
    return names


def _field(text: bytes, key: bytes) -> bytes:
    start = text.find(key)
    if start < 0:
        return b""
    start += len(key)
    end = text.find(b"\n", start)
    while text[end + 1 : end + 2] == b" ":
        end = text.find(b"\n", end + 1)
    found = text[start:end].strip()
    return found if b"\n" not in found else b" ".join(found.split())


def _needed(text: bytes, key: bytes, name: bytes) -> bytes:
    found = _field(text, key)
    if not found:
        raise BadPackages(name, f"it has no {key[1:-2].decode('ascii')}")
    return found


def _pool_path(path: bytes, name: bytes) -> bytes:
    if path.startswith(b"/") or b".." in path.split(b"/") or b"%" in path or b"?" in path or b"#" in path:
        raise BadPackages(name, f"its Filename {display(path)} is no path below the archive")
    return path


def _number(text: bytes, name: bytes) -> int:
    if not text.isdigit() or len(text) > MAX_SIZE_DIGITS:
        raise BadPackages(name, f"{display(text[:40])!r} is not a size")
    return int(text)


def _digest(text: bytes, name: bytes) -> bytes:
    if len(text) != 64 or not _HEX.issuperset(text):
        raise BadPackages(name, "its SHA256 is not 64 hex digits")
    return text
