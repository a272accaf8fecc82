"""What the real dynamic linker makes of a resolution, in a root with nothing but what was chosen.

The chosen libraries lie under the names they are asked by in the directory that is searched last, as the
directory of libraries is in the model; the program lies where it was. `ld.so --list` tells which file each
name leads to, and with LD_TRACE_LOADED_OBJECTS, LD_BIND_NOW and LD_WARN (ldd -r) which symbols nobody
defines. Neither starts the program.
"""

import os
import posixpath
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from denizen.disk_view import DiskView
from denizen.formats.archive_tree import Layout
from denizen.formats.deb import Deb
from denizen.formats.file_tree import File
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.engine.load_sets import AddedLibraries, closures_of
from denizen.resolve.resolution import Resolution
from denizen.resolve.rule_packs import load_rules
from denizen.resolve.subject import examine
from denizen.resolve.sysroot_view import LIBRARIES, ChosenFile

# Where each architecture's linker looks last; what this machine's kernel starts.
DIRECTORIES = {"amd64": b"/usr/lib/x86_64-linux-gnu", "i386": b"/usr/lib/i386-linux-gnu"}
_TRACED = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_BIND_NOW": "1", "LD_WARN": "yes"}


@dataclass(frozen=True)
class Told:
    """What a dynamic linker says of a program.

    Attributes:
        found: file name of what is asked for -> path.
        undefined: lines about symbols that nobody defines.
        refusal: why it would not start it; "" where it would.
    """

    found: Mapping[bytes, bytes]
    undefined: tuple[str, ...] = ()
    refusal: str = ""


def extracted(resolution: Resolution, packages: Path, into: Path) -> dict[tuple[bytes, bytes], bytes]:
    """(package, path in it) -> a copy of each chosen file."""
    wanted = {(choice.package, choice.path) for choice in resolution.choices if choice.package}
    if resolution.interpreter is not None:
        wanted.add(resolution.interpreter[1:])
    copies: dict[tuple[bytes, bytes], bytes] = {}
    for pin in resolution.packages:
        paths = {path for sha256, path in wanted if sha256 == pin.sha256}
        name = os.fsdecode(pin.sha256[:16] + b"-" + posixpath.basename(pin.filename))
        for path, content in _files(packages / name) if paths else ():
            if path in paths:
                copy = into / f"{len(copies)}"
                copy.write_bytes(content)
                copies[pin.sha256, path] = os.fsencode(copy)
    return copies


def _files(package: Path) -> Iterator[tuple[bytes, bytes]]:
    with package.open("rb") as stream:
        for entry in Deb(stream).entries(Layout.USR_MERGED):
            if isinstance(entry, File):
                yield entry.path, b"".join(bytes(part) for part in entry.content)


def modelled(
    program: bytes, resolution: Resolution, copies: Mapping[tuple[bytes, bytes], bytes]
) -> dict[bytes, bytes]:
    """What the linker model finds."""
    subject = examine(DiskView(), [program], load_rules())
    assert subject is not None
    assert resolution.interpreter is not None
    disk = CachedView(DiskView())
    pieces = {name: ChosenFile(disk, place) for name, place in _places(program, resolution, copies).items()}
    interpreter = ChosenFile(disk, copies[resolution.interpreter[1:]])
    added = AddedLibraries(pieces, interpreter, resolution.override)
    closure = closures_of(subject.view, subject.roots, subject.interpreter, added)[0]
    directory = DIRECTORIES[resolution.architecture]
    found = [(one.soname, one.path or b"not found") for one in closure.libraries if one.image or not one.path]
    return _comparable({name: path.replace(LIBRARIES, directory) for name, path in found})


def linked(
    program: bytes,
    tree: bytes,
    resolution: Resolution,
    copies: Mapping[tuple[bytes, bytes], bytes],
    root: Path,
) -> Told:
    """What ld.so finds, started by its path in `root`, where nothing else is but the program's own tree."""
    directory = DIRECTORIES[resolution.architecture]
    assert resolution.interpreter is not None
    path = resolution.interpreter[0]
    (root / os.fsdecode(directory[1:])).mkdir(parents=True)
    for top in ("lib", "lib64"):
        (root / "usr" / top).mkdir(exist_ok=True)
        (root / top).symlink_to(f"usr/{top}")
    for name, place in _places(program, resolution, copies).items():
        inside = root / os.fsdecode(directory[1:] + b"/" + name)
        if place in copies.values():
            inside.write_bytes(Path(os.fsdecode(place)).read_bytes())
        else:
            inside.symlink_to(os.fsdecode(place))
    linker = root / os.fsdecode(path[1:])
    linker.unlink(missing_ok=True)
    linker.write_bytes(Path(os.fsdecode(copies[resolution.interpreter[1:]])).read_bytes())
    linker.chmod(0o755)
    first = {"LD_PRELOAD": " ".join(os.fsdecode(directory + b"/" + name) for name in resolution.override)}
    command = [b"bwrap", b"--bind", os.fsencode(root), b"/", b"--ro-bind", tree, tree, path]
    listing = _told([*command, b"--list", program], first)
    traced = _told([*command, program], {**first, **_TRACED})
    undefined = [line for line in (traced.stdout + traced.stderr).splitlines() if "undefined symbol" in line]
    lines = [line.strip().encode() for line in listing.stdout.splitlines() if " => " in line]
    found = {
        name: place.rpartition(b" (")[0] for name, _, place in (line.partition(b" => ") for line in lines)
    }
    return Told(_comparable(found), tuple(undefined), listing.stderr.strip() if listing.returncode else "")


def _told(command: list[bytes], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    given = {name: text for name, text in environment.items() if text}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=given)


def _places(
    program: bytes, resolution: Resolution, copies: Mapping[tuple[bytes, bytes], bytes]
) -> dict[bytes, bytes]:
    """Soname -> the file that is to be found by it."""
    home = posixpath.dirname(program)
    return {
        choice.soname: copies[choice.package, choice.path]
        if choice.package
        else posixpath.normpath(posixpath.join(home, choice.path))
        for choice in resolution.choices
    }


def _comparable(found: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """Without the linker itself, which one lists and the other does not; each path in one spelling."""
    return {
        posixpath.basename(name): _spelled(path)
        for name, path in found.items()
        if not posixpath.basename(path).startswith(b"ld-") and b"/ld-" not in name
    }


def _spelled(path: bytes) -> bytes:
    merged = b"/usr" + path if path.startswith(b"/lib") else path
    return posixpath.normpath(merged)
