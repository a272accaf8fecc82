"""The model against the machine's own ld.so, over every dynamic file the system has.

Two questions each: what `ld.so --list` lists, and what `ldd -r` (its trace mode) lists, misses and
cannot bind. Run in slices, so that pytest-xdist spreads them.
"""

import os
from collections.abc import Iterator
from functools import cache

import pytest

from denizen.disk_view import DiskView
from denizen.elf import read
from denizen.errors import BadInput
from denizen.linker import Binding, Closure, bind, resolve
from tests.support import dynamic_linkers

pytestmark = [pytest.mark.slow, pytest.mark.peer, pytest.mark.unmeasured]

DIRECTORIES = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local")
AT_LEAST = 1500
SLICES = 16

# What ends so is never ELF; opening it all, cold, takes 15 seconds.
NEVER = (".py", ".pyc", ".pyi", ".yaml", ".json", ".h", ".js", ".html", ".pl", ".pm", ".md", ".txt", ".gz")

# (ELF class, machine) -> the loader for it. Files for other machines are not this machine's to list.
LOADERS = {(2, 62): dynamic_linkers.GLIBC_64, (1, 3): dynamic_linkers.GLIBC_32}


@cache
def dynamic_files() -> tuple[tuple[str, str], ...]:
    """(path, loader) of every file with a dynamic section that a loader here is for."""
    return tuple(sorted(_dynamic_files()))


def _dynamic_files() -> Iterator[tuple[str, str]]:
    for top in DIRECTORIES:
        for base, _, names in os.walk(top):
            for name in [name for name in names if not name.endswith(NEVER)]:
                path = os.path.join(base, name)
                loader = _loader_of(path)
                if loader is not None and os.path.exists(loader) and _is_dynamic(path):
                    yield path, loader


def _loader_of(path: str) -> str | None:
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    try:
        with open(path, "rb") as stream:
            head = stream.read(20)
    except FileNotFoundError:  # a package being installed at the same time
        return None
    if head[:4] != b"\x7fELF" or head[16] not in (2, 3):
        return None
    return LOADERS.get((head[4], head[18] | head[19] << 8))


def _is_dynamic(path: str) -> bool:
    try:
        return read(DiskView().read(path.encode())).dynamic is not None
    except BadInput:
        # Detached debugging symbols (/usr/lib/debug): the dynamic section's bytes are not in them, and
        # ld.so crashes on them.
        return False


def test_there_are_enough_files_to_mean_something() -> None:
    assert len(dynamic_files()) >= AT_LEAST


@pytest.mark.parametrize("number", range(SLICES))
def test_every_file_has_the_libraries_ld_so_lists(number: int) -> None:
    wrong = [
        (path, difference)
        for path, loader in dynamic_files()[number::SLICES]
        if (difference := difference_in_list(path, loader))
    ]
    assert not wrong


@pytest.mark.parametrize("number", range(SLICES))
def test_every_file_lacks_the_versions_and_symbols_ldd_r_reports(number: int) -> None:
    wrong = [
        (path, difference)
        for path, loader in dynamic_files()[number::SLICES]
        if (difference := difference_in_trace(path, loader))
    ]
    assert not wrong


def difference_in_list(path: str, loader: str) -> str:
    """How the model and `--list` differ; "" where they do not."""
    real = dynamic_linkers.list_libraries(loader, path)
    closure = resolve(DiskView(), path.encode(), dynamic_linkers.environment_of(loader))
    if real.status == 0:
        mine = dynamic_linkers.listed(closure)
        return "" if mine == real.libraries and not real.rest else f"{mine} {real}"
    # It stops at the first library it does not find, and names it.
    first = next((library.soname.decode() for library in closure.missing), "nothing")
    expected = f"error while loading shared libraries: {first}: cannot open shared object file"
    return "" if any(expected in line for line in real.rest) else f"{first} is missing; {real.rest}"


def difference_in_trace(path: str, loader: str) -> str:
    """How the model and trace mode differ; "" where they do not."""
    real = dynamic_linkers.trace(loader, path)
    closure = resolve(DiskView(), path.encode(), dynamic_linkers.environment_of(loader))
    binding = bind(closure)
    pairs = {
        "libraries": (dynamic_linkers.listed(closure), real.libraries),
        "undefined": (_undefined(closure, binding), real.undefined),
        "versions": (dynamic_linkers.versions(binding), real.versions),
        "unversioned": (dynamic_linkers.unversioned(binding), real.unversioned),
        "rest": (list(map(str, binding.damaged)), real.rest),
    }
    return "; ".join(
        f"{what}: {mine} for {theirs}" for what, (mine, theirs) in pairs.items() if mine != theirs
    )


def _undefined(closure: Closure, binding: Binding) -> set[tuple[str, str | None, str]]:
    """The model's undefined symbols in ld.so's words.

    One case differs: for a library that was not found, _dl_check_map_versions does not count its
    versions when it sizes the table of version names, so the ones above all others are left out of it
    ("in trace mode, dependencies may be missing"), and the message shows no version where the model
    still knows it.
    """
    highest: dict[bytes, int] = {}
    missing = {library.soname for library in closure.missing}
    for library in closure.scope:
        if library.image is not None:
            counted = [
                v.number for n in library.image.version_needs if n.file not in missing for v in n.versions
            ]
            counted += [definition.number for definition in library.image.version_definitions]
            highest[library.path or b""] = max(counted, default=0)
    number_of: dict[tuple[bytes | None, bytes | None, bytes | None], int] = {
        (library.path, need.file, version.name): version.number
        for library in closure.scope
        if library.image is not None
        for need in library.image.version_needs
        for version in need.versions
    }
    undefined: set[tuple[str, str | None, str]] = set()
    for lack in binding.unresolved:
        version: bytes | None = lack.version
        if lack.file in missing and number_of[lack.needed_by, lack.file, version] > highest[lack.needed_by]:
            version = None
        undefined.add(
            (lack.name.decode(), os.fsdecode(version) if version else None, lack.needed_by.decode())
        )
    return undefined
