"""Manifests of profiles, and the recipes of their commands."""

import json
from collections.abc import Sequence

from denizen.fhs.project_lock import lock_sections
from denizen.formats.storepath import StorePath
from denizen.profiles.command_recipe import CommandRecipe, write_recipe
from denizen.profiles.desktop_databases import mime_databases, mimeinfo_cache, read_mime_package
from denizen.profiles.desktop_files import names_programs, rewritten
from denizen.profiles.package_plan import PackagePlan, read_plans, read_recipe, write_plans
from denizen.profiles.profile_manifest import (
    ElementKind,
    ElementPart,
    ProfileElement,
    ProfileManifest,
    read_manifest,
    write_manifest,
)
from denizen.resolve.resolution import Pin

MANIFEST_TOKENS = (b'"parts"', b'"pins"', b"null", b"true", b"-1", b"1e999", b'"../.."', b"\\u0000", b"[[")
_PIN = Pin(b"zip", b"3.0-15", b"amd64", "debian", "trixie", "", b"pool/zip.deb", 9, b"0" * 64, 9)


def manifests() -> Sequence[bytes]:
    part = ElementPart(StorePath("0" * 32, "zip"), "usr/share", "share", 1)
    one = ProfileElement("zip", ElementKind.DEBIAN, "zip", "3.0-15", 9, (part,), ("zip",), (_PIN,))
    return [write_manifest(ProfileManifest((one,)))]


def large_manifests() -> Sequence[bytes]:
    row = json.loads(manifests()[0])["elements"][0]
    many = [row | {"name": f"{number:05}"} for number in range(2_000)]
    return [b"[" * 500_000, json.dumps({"format": 1, "elements": many}).encode()]


def recipes() -> Sequence[bytes]:
    return [write_recipe(CommandRecipe(("trixie",), ("0" * 64,), (_PIN,), ("zip",)))]


def large_recipes() -> Sequence[bytes]:
    return [write_recipe(CommandRecipe((), (), (_PIN,) * 2_000)), b'{"a": ' * 100_000]


read_profile = read_manifest


def plans() -> Sequence[bytes]:
    recipe = CommandRecipe(("trixie",), ("0" * 64,), (_PIN,), ("zip",))
    return [write_plans([PackagePlan("zip", (_PIN,), (_PIN,), recipe)])]


def large_plans() -> Sequence[bytes]:
    recipe = CommandRecipe((), (), (_PIN,) * 2_000)
    return [write_plans([PackagePlan("zip", (_PIN,), (_PIN,), recipe)]), b"[" * 500_000]


def read_lock_plans(data: bytes) -> None:
    read_plans(data, b"/denizen.lock")
    lock_sections(data)


def mime_packages() -> Sequence[bytes]:
    text = (
        b'<?xml version="1.0"?>\n<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">'
        b'<mime-type type="a/b"><glob pattern="*.x" weight="60"/><alias type="c/d"/>'
        b'<sub-class-of type="text/plain"/><icon name="i"/></mime-type></mime-info>'
    )
    return [text]


def large_mime_packages() -> Sequence[bytes]:
    one = b'<mime-type type="a/b"><glob pattern="*.x"/></mime-type>'
    return [b"<m>" + one * 20_000 + b"</m>", b"<a>" * 200_000, b"<!DOCTYPE a [" + b'<!ENTITY b "c">' * 9_000]


def read_mime(data: bytes) -> None:
    mime_databases([read_mime_package(data)])
    mimeinfo_cache({"x.desktop": data})


MIME_TOKENS = (
    b"<glob ",
    b"<mime-type ",
    b'type="',
    b"<!ENTITY ",
    b"&lol;",
    b"]]>",
    b"\xff",
    b"MimeType=a/b;",
)


def read_command_recipe(data: bytes) -> None:
    read_recipe(data, b"/bin/x")


DESKTOP_TOKENS = (
    b"[Desktop Entry]\n",
    b"\nExec=",
    b"\nTryExec =",
    b"\nExecStart=-",
    b"/usr/bin/zip",
    b'"',
    b"%f",
)
_COMMANDS = {b"/usr/bin/zip": b"zip", b"/usr/bin/two words": b"two"}


def rewrite_desktop_file(data: bytes) -> None:
    """Rewrite a desktop entry or a service; a second time there is nothing left to rewrite."""
    assert not names_programs(rewritten(data, _COMMANDS), _COMMANDS)


def desktop_files() -> Sequence[bytes]:
    return [
        b'[Desktop Entry]\nName=Zip\nTryExec=/usr/bin/zip\nExec="/usr/bin/zip" %f\n',
        b"[D-BUS Service]\nName=org.zip\nExec=/bin/zip --serve\n",
        b"[Service]\nExecStart=-/usr/bin/zip a\nExecStop=@/usr/bin/zip zip b\n",
    ]


def large_desktop_files() -> Sequence[bytes]:
    return [
        b"[Desktop Entry]\n" + b"Exec=/usr/bin/zip\n" * 40_000,
        b"Exec" + b" " * 900_000,
        b"\nExec=" * 150_000,
    ]
