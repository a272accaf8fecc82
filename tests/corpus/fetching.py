"""Fetching programs of the corpus with the registries' own clients, and unpacking them.

Exact versions, checked by SHA-256; nothing of a package is executed, no install script is run. A wheel is
laid out as an installer would, because run paths reach across its trees; an npm package loses its first
directory; a Debian package is unpacked as `dpkg-deb -x` does.
"""

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import IO

from denizen.elf.constants import ET_EXEC, PT_INTERP
from denizen.elf.image import read
from denizen.errors import BadInput
from denizen.sources.source_settings import SHIPPED_KEYRING
from tests.corpus.entries import Archive, Entry
from tests.support.apt import Apt
from tests.support.kept_files import kept_by_tests
from tests.support.local_mirror import archive_address
from tests.support.peers import require

_STAMP = ".corpus-ok"
# Wheel's NAME.data/KIND: where an installer puts it below the root.
_WHEEL_DATA = {"purelib": "", "platlib": "", "data": "", "scripts": "bin", "headers": "include"}


class Wrong(Exception):
    """An archive is not the one that was named."""


def fetch(entry: Entry, programs: Path) -> Path:
    """The directory of the unpacked entry, fetched unless it is there; its companions' likewise."""
    for companion in entry.companions:
        _laid_out(companion.directory, companion.archives, programs, _permit)
    return _laid_out(entry.directory, entry.archives, programs, lambda root: _finish(entry, root))


def _laid_out(
    directory: str, archives: Sequence[Archive], programs: Path, finish: Callable[[Path], None]
) -> Path:
    target = programs / directory
    stamp = target / _STAMP
    wanted = "\n".join(archive.sha256 for archive in archives)
    if stamp.exists() and stamp.read_text().strip() == wanted:
        return target
    programs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=programs, prefix=".fetching-") as unfinished:
        root = Path(unfinished, "root")
        for archive in archives:
            _unpack(_download(archive, Path(unfinished)), root)
        finish(root)
        (root / _STAMP).write_text(wanted + "\n")
        shutil.rmtree(target, ignore_errors=True)
        root.rename(target)
    return target


def _download(archive: Archive, into: Path) -> Path:
    environment = dict(os.environ)
    exact = f"{archive.package}{'==' if archive.registry == 'pypi' else '@'}{archive.version}"
    if archive.registry == "pypi":
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command = [*pip, "--only-binary=:all:", *_platform(archive), "--dest", str(into), exact]
    elif archive.registry == "debian":
        require("apt-get")
        command = ["apt-get", "--quiet", "download", f"{archive.package}={archive.version}"]
        if archive.suite:
            environment = apt_of(archive.suite, archive.architecture).environment
    else:
        require("npm")
        options = ["--silent", "--ignore-scripts", "--pack-destination", str(into)]
        command = ["npm", "pack", *options, exact]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=into, env=environment)
    path = into / archive.archive
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != archive.sha256:
        raise Wrong(f"{archive.archive} has the SHA-256 {found} and not {archive.sha256}")
    return path


@cache
def apt_of(suite: str, architecture: str) -> Apt:
    """Return an apt for one suite, which the machine's own may not have; its lists are fetched once a run."""
    root = kept_by_tests() / "corpus" / "apt" / f"{suite}-{architecture}"
    apt = Apt(root, archive_address(), [suite], [architecture], Path(os.fsdecode(SHIPPED_KEYRING)))
    apt.run("apt-get", "update", "-qq")
    return apt


def _platform(archive: Archive) -> list[str]:
    """Options that select exactly this wheel, whichever Python asks."""
    python, abi, platform = archive.archive.removesuffix(".whl").split("-")[-3:]
    if archive.arguments or platform == "any":
        return list(archive.arguments)
    options = [word for one in platform.split(".") for word in ("--platform", one)]
    digits = next((tag[2:] for tag in python.split(".") if tag.startswith("cp")), "")
    exact = digits and abi != "abi3"
    options += ["--python-version", f"{digits[0]}.{digits[1:]}" if exact else "3.11"]
    if abi != "none":
        options += ["--implementation", "cp", *(word for one in abi.split(".") for word in ("--abi", one))]
    return options


def _unpack(archive: Path, root: Path) -> None:
    if archive.suffix in (".whl", ".zip"):
        _unzip(archive, root)
    elif archive.suffix == ".deb":
        require("dpkg-deb")
        subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
    else:
        _untar(archive, root, strip=1)


def _unzip(archive: Path, root: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            target = _inside(root, _wheel_path(member.filename))
            mode = member.external_attr >> 16
            if stat.S_ISLNK(mode):
                _link(target, opened.read(member).decode())
            elif not member.is_dir():
                with opened.open(member) as content:
                    _write(target, content, mode)


def _untar(archive: Path, root: Path, *, strip: int) -> None:
    with tarfile.open(archive) as opened:
        for member in opened:
            parts = PurePosixPath(member.name).parts[strip:]
            if not parts:
                continue
            target = _inside(root, "/".join(parts))
            content = opened.extractfile(member) if member.isfile() else None
            if member.issym():
                _link(target, member.linkname)
            elif content is not None:
                _write(target, content, member.mode)


def _wheel_path(name: str) -> str:
    first, *rest = name.split("/")
    if first.endswith(".data") and len(rest) > 1:
        return "/".join(part for part in (_WHEEL_DATA[rest[0]], *rest[1:]) if part)
    return name


def _inside(root: Path, name: str) -> Path:
    path = Path(os.path.normpath(root / name))
    if not path.is_relative_to(root):
        raise Wrong(f"{name} leaves the package")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _link(path: Path, target: str) -> None:
    path.unlink(missing_ok=True)
    if not os.path.isabs(target):
        path.symlink_to(target)


def _write(path: Path, content: IO[bytes], mode: int) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as stream:
        shutil.copyfileobj(content, stream, 1 << 20)
    path.chmod(0o644 | mode & 0o111)


def _finish(entry: Entry, root: Path) -> None:
    """What the packages' own installation would do, as far as it makes nothing new."""
    for nested in entry.nested:
        source, into = root / nested.source, root / nested.target
        if source.suffix == ".zip":
            _unzip(source, into)
        else:
            _untar(source, into, strip=0)
        if nested.remove:
            (root / nested.source).unlink()
    for link, target in _listed_links(entry, root):
        place = _inside(root, link)
        _link(place, os.path.relpath(_inside(root, target), place.parent))
    program = root / entry.program
    program.chmod(program.stat().st_mode | 0o111)
    _permit(root)


def _permit(root: Path) -> None:
    """Let every ELF program be executed; some packages lose the permission."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink() and _starts(path):
            path.chmod(path.stat().st_mode | 0o111)


def _listed_links(entry: Entry, root: Path) -> Iterator[tuple[str, str]]:
    if entry.links:
        for row in json.loads((root / entry.links).read_text()):
            yield row["target"], row["source"]


def _starts(path: Path) -> bool:
    """Whether it is an ELF program."""
    with path.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return False
    try:
        image = read(path.read_bytes())
    except BadInput:
        return False
    return image.header.type == ET_EXEC or any(one.type == PT_INTERP for one in image.segments)
