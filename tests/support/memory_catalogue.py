"""Packages of an archive that exists in memory only, for closures and conflicts."""

from collections import defaultdict
from collections.abc import Sequence

from denizen.fhs.control_archive import Control, read_control
from denizen.formats.packages import relation_names
from denizen.index.library_paths import DirectoryKind
from denizen.index.provider import Provider


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
        self._named: defaultdict[bytes, list[Provider]] = defaultdict(list)
        self._providing: defaultdict[bytes, list[Provider]] = defaultdict(list)
        for one in packages:
            self._named[one.package].append(one)
            for name in set(relation_names(one.provides)):
                self._providing[name].append(one)

    def packages(self, name: bytes) -> list[Provider]:
        return self._named.get(name, [])

    def providing(self, name: bytes) -> list[Provider]:
        return self._providing.get(name, [])

    def near_packages(self, name: bytes) -> list[bytes]:
        return sorted(
            one.package for group in self._named.values() for one in group if one.package[:2] == name[:2]
        )


def control(name: str, postinst: str = "", *, version: str = "1", **fields: str) -> Control:
    text = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
    text += "".join(f"{key.capitalize()}: {content}\n" for key, content in fields.items())
    return read_control(text.encode(), postinst.encode())
