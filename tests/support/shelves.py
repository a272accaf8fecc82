"""Packages of an archive that exists in memory only, for closures and conflicts."""

from collections.abc import Sequence

from denizen.fhs.control import Control, read_control
from denizen.formats.packages import relation_names
from denizen.index.entry import DirectoryKind, Provider


def package(
    name: str,
    depends: str = "",
    *,
    version: str = "1",
    provides: str = "",
    architecture: str = "amd64",
    multi_arch: str = "",
    dependents: int = 0,
) -> Provider:
    return Provider(
        soname=b"",
        kind=DirectoryKind.PRIVATE,
        path=b"",
        link=b"",
        source="test",
        suite="stable",
        architecture=architecture,
        package=name.encode(),
        version=version.encode(),
        package_architecture=architecture.encode(),
        filename=f"pool/{name}.deb".encode(),
        size=1,
        sha256=(name + version + architecture).encode().hex().encode(),
        source_package=name.encode(),
        section=b"",
        priority=b"",
        essential=False,
        multi_arch=multi_arch.encode(),
        installed_size=1,
        dependents=dependents,
        pre_depends=b"",
        depends=depends.encode(),
        provides=provides.encode(),
    )


class Packages:
    """A catalogue of one architecture."""

    def __init__(self, packages: Sequence[Provider]) -> None:
        self._packages = packages

    def packages(self, name: bytes) -> list[Provider]:
        return [one for one in self._packages if one.package == name]

    def providing(self, name: bytes) -> list[Provider]:
        return [one for one in self._packages if name in relation_names(one.provides)]

    def near_packages(self, name: bytes) -> list[bytes]:
        return sorted(one.package for one in self._packages if one.package[:2] == name[:2])


def control(name: str, postinst: str = "", *, version: str = "1", **fields: str) -> Control:
    text = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
    text += "".join(f"{key.capitalize()}: {content}\n" for key, content in fields.items())
    return read_control(text.encode(), postinst.encode())
