"""Writer of Debian packages (pure); deb.py is the reader.

Specification: deb(5), deb-control(5), Debian Policy 3.2 and 5.6. The same parts give the same bytes.
"""

from __future__ import annotations

import re

from denizen.errors import BadInput
from denizen.formats.ar import MAGIC
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIME = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_VERSION = re.compile(r"[0-9][A-Za-z0-9.+~-]*")
_NOT_IN_NAME = re.compile(r"[^a-z0-9+.-]+")


class BadPackageField(BadInput):
    """The error that a field of a package cannot be what was asked for.

    Attributes:
        field: its name.
        text: its content.
    """

    field: str
    text: str
    WHAT = "a package cannot have the {field:text} '{text}'"

    @property
    def why(self) -> str:
        return "Debian Policy 5.6 has the letters and digits that may be in it"


class PackageControl(Value):
    """The control fields of a package.

    Attributes:
        installed_size: bytes of its files.
        description: one line, and further ones.
    """

    name: str
    version: str
    architecture: str
    installed_size: int
    maintainer: str
    description: tuple[str, ...]
    more: tuple[tuple[str, str], ...] = ()

    @property
    def file_name(self) -> str:
        """The name that a package's file has by convention."""
        return f"{self.name}_{self.version}_{self.architecture}.deb"


def package_name(text: str) -> str:
    """Return a text as a package's name."""
    name = _NOT_IN_NAME.sub("-", text.lower()).strip("-.+")
    return name if len(name) > 1 else f"{name or 'x'}-program"


def control_text(control: PackageControl) -> bytes:
    """Return the control file. Raises BadPackageField."""
    for field, text, rule in (("name", control.name, _NAME), ("version", control.version, _VERSION)):
        if not rule.fullmatch(text):
            raise BadPackageField(field, text)
    rows = [
        ("Package", control.name),
        ("Version", control.version),
        ("Architecture", control.architecture),
        ("Maintainer", control.maintainer),
        ("Installed-Size", str(-(-control.installed_size // 1024))),
        ("Section", "misc"),
        ("Priority", "optional"),
        *control.more,
        ("Description", "\n ".join(control.description)),
    ]
    for field, text in rows:
        if "\n" in text and field != "Description":
            raise BadPackageField(field, text)
    return "".join(f"{field}: {text}\n" for field, text in rows).encode("utf-8", "surrogateescape")


def checksums(digests: Mapping[bytes, str]) -> bytes:
    """Return the file `md5sums` (deb-md5sums(5)): path -> MD5 in hex."""
    return b"".join(digests[path].encode("ascii") + b"  " + path + b"\n" for path in sorted(digests))


def package(control_archive: bytes, data_archive: bytes) -> bytes:
    """Return a package of two archives that were compressed by xz."""
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.xz", control_archive),
        ("data.tar.xz", data_archive),
    ]
    return MAGIC + b"".join(_member(name, content) for name, content in members)


def _member(name: str, content: Sequence[int] | bytes) -> bytes:
    head = f"{name:<16}{_TIME:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode("ascii")
    return head + bytes(content) + b"\n" * (len(content) % 2)
