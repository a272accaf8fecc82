"""The derivations of a resolution: each package fetched and unpacked, and one directory of links (pure).

    fetch PACKAGE ─▶ unpack-deb (merged /usr) ─┐
    fetch PACKAGE ─▶ unpack-deb (merged /usr) ─┴▶ libraries

The directory has every chosen soname, and the dynamic linker under the name that programs call it by.
Its outputs are named by content alone: the same lock gives the same paths wherever its packages are
fetched from.
"""

from __future__ import annotations

from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import OUT, made_by
from denizen.build.builtin_fetch import fetching
from denizen.build.builtin_libraries import linking
from denizen.build.builtin_unpack_deb import unpacking
from denizen.errors import BadInput
from denizen.formats.archive_tree import Layout
from denizen.formats.hashes import Hash
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.build.derivation import Modulos, Sealed
    from denizen.formats.storepath import StorePath
    from denizen.resolve.resolution import Pin, Resolution

NAME = "libraries"
# The characters of a store path's name; Debian versions also have ":" and "~".
_ALLOWED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?=")


class NoPackageUrl(BadInput):
    """The error that a resolution names a package for which no file can be unpacked."""

    package: bytes
    WHAT = "no address is known for the package {package}"


class Recipes(Value):
    """The derivations to realise for a resolution.

    Attributes:
        derivations: each after its inputs; the last makes the directory of links.
        packages: .deb hash -> store path of the unpacked package.
        libraries: store path of the directory of links.
        interpreter: the dynamic linker's name in it; b"" where the host's own is used.
    """

    derivations: tuple[Sealed, ...]
    packages: Mapping[bytes, StorePath]
    libraries: StorePath
    interpreter: bytes

    @property
    def goal(self) -> Sealed:
        """The derivation that needs all others."""
        return self.derivations[-1]


def recipes(resolution: Resolution, urls: Mapping[bytes, tuple[str, ...]], store_dir: bytes) -> Recipes:
    """Return the derivations of a resolution.

    `urls` has the URLs of each package by its hash; `store_dir` is the store's directory in store paths.

    Raises:
        NoPackageUrl: a package has no URL.
    """
    modulos: Modulos = {}
    sealed: list[Sealed] = []
    unpacked: dict[bytes, Sealed] = {}
    for pin in resolution.packages:
        if not urls.get(pin.sha256):
            raise NoPackageUrl(pin.name)
        sealed += package_recipes(pin, urls[pin.sha256], modulos, store_dir)
        unpacked[pin.sha256] = sealed[-1]
    rows = {choice.soname: (choice.package, choice.path) for choice in resolution.choices if choice.package}
    name = b""
    if resolution.interpreter is not None:
        path, package, file = resolution.interpreter
        name = path.rpartition(b"/")[2]
        rows[name] = (package, file)
    links = [(soname, made_by(unpacked[sha256]), inside) for soname, (sha256, inside) in rows.items()]
    goal = derivations.seal(linking(links, store_dir), NAME, modulos, store_dir)
    outputs = {sha256: one.outputs[OUT] for sha256, one in unpacked.items()}
    return Recipes((*sealed, goal), outputs, goal.outputs[OUT], name)


def package_recipes(pin: Pin, urls: tuple[str, ...], modulos: Modulos, store_dir: bytes) -> list[Sealed]:
    """Return the derivation that fetches a package and the one that unpacks it."""
    content = Hash("sha256", bytes.fromhex(pin.sha256.decode("ascii")))
    name = object_name(pin.name, pin.version)
    fetch = fetching(urls, content, store_dir, size=pin.size)
    fetched = derivations.seal(fetch, f"{name}.deb", modulos, store_dir)
    unpack = unpacking(made_by(fetched), store_dir, Layout.USR_MERGED)
    return [fetched, derivations.seal(unpack, name, modulos, store_dir)]


def object_name(package: bytes, version: bytes) -> str:
    """Return the name in the store of an unpacked package."""
    text = b"%b-%b" % (package, version)
    # A store path's name has at most 211 characters, .deb.drv included.
    return bytes(code if code in _ALLOWED else ord("-") for code in text[:200]).decode("ascii").lstrip(".")
