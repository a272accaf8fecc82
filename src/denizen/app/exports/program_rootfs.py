"""The root of a program: its own files below /opt, and the packages of its libraries where they belong.

ld.so finds the libraries by an ld.so.cache with exactly the resolution's choices, so that what a package has
in a private directory, or under another name, is found as when denizen starts the program.
"""

from __future__ import annotations

import os
import posixpath

from denizen.app.exports.disk_entries import disk_entries, disk_file, same_content
from denizen.app.exports.export_root import ExportRoot
from denizen.app.exports.exported_packages import ExportedPackage, packages_of_closure
from denizen.app.exports.start_check import check_start
from denizen.exports.rootfs_tree import SYSTEM, RootTree
from denizen.formats.file_tree import Directory, File
from denizen.launch.resources.fixed_paths import TERMINFO
from denizen.linker.ldcache import CacheEntry
from denizen.linker.ldcache_writer import write_cache
from denizen.machines import by_debian
from denizen.sources.tls_authorities import BUNDLES
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.app.bundles.program_closure import ClosureRequest, ProgramClosure
    from denizen.app.exports.export_subject import ExportSubject
    from denizen.app.session import Session

# Documents of packages but for their licences.
_DOCUMENTS = tuple(b"usr/share/%b/" % name for name in (b"doc", b"man", b"info", b"lintian", b"bug"))
_LICENCE = b"/copyright"
_PROGRAMS = b"opt"
# Where distroless images say it, and scanners look (github.com/GoogleContainerTools/distroless).
_STATUS = b"var/lib/dpkg/status.d"
_CERTIFICATES = b"etc/ssl/certs/ca-certificates.crt"
_AUTHORITIES = b"usr/share/ca-certificates/"


def program_root(
    session: Session, subject: ExportSubject, request: ClosureRequest, whole: bytes
) -> ExportRoot:
    """Return the root of a program. Raises as `root_of`."""
    from denizen.app.supply.own_architecture import own_architecture

    root = RootTree(same_content)
    adding = ProgramAdding(session, root)
    place = adding.add(subject.name, request, whole)
    root.complete()
    adding.finish()
    packages = tuple(adding.packages.values())
    architecture = adding.architecture or own_architecture()
    return ExportRoot(subject.name, root, packages, architecture, entrypoint=("/" + os.fsdecode(place),))


class ProgramAdding:
    """Programs put into a root, with the packages that they need, and one list of libraries for ld.so."""

    def __init__(self, session: Session, root: RootTree) -> None:
        self._session = session
        self._root = root
        self._libraries: dict[bytes, CacheEntry] = {}
        self._linked: list[bytes] = []
        self.packages: dict[str, ExportedPackage] = {}
        self.architecture = ""

    def add(self, name: str, request: ClosureRequest, whole: bytes = b"") -> bytes:
        """Put one program into the root; return its path there. Raises as `root_of`."""
        from denizen.app.bundles.bundle_files import own_files
        from denizen.app.bundles.program_closure import is_static, opened_program, packaged_closure

        place = posixpath.join(_PROGRAMS, os.fsencode(name))
        program = opened_program(request.program)
        if is_static(program):
            inside = posixpath.join(place, os.path.basename(program.path))
            self._root.add(disk_file(inside, program.path, program=True), SYSTEM)
            return self._called(inside, request)
        closure = packaged_closure(self._session, replace(request, tree=whole))
        own = own_files(closure, whole)
        for number, (inside, path) in enumerate(own.items()):
            self._root.add(disk_file(posixpath.join(place, inside), path, program=not number), SYSTEM)
        if whole:
            for entry in disk_entries(whole, place, top=whole):
                if entry.path not in self._root:
                    self._root.add(entry, SYSTEM)
        self._add_packages(closure)
        self._note_beside(closure, place, own)
        for path, source in closure.files.items():
            if path.lstrip(b"/") not in self._root:
                self._root.add(disk_file(path.lstrip(b"/"), source), SYSTEM)
        self._linked.append(posixpath.join(place, next(iter(own))))
        return self._called(posixpath.join(place, next(iter(own))), request)

    def _called(self, inside: bytes, request: ClosureRequest) -> bytes:
        """Return the path by which a program starts: some do what the name says that they are called by."""
        directory, real = posixpath.split(inside)
        called = posixpath.join(directory, os.path.basename(request.program))
        self._root.link(called, real)
        return called

    def finish(self) -> None:
        """Write what is no package's: the list of libraries, which packages there are, other releases' paths.

        Raises StartsNotFromRoot.
        """
        _link_fixed_paths(self._root)
        if self._libraries and b"etc/ld.so.cache" not in self._root:
            self._root.write(b"etc/ld.so.cache", write_cache(list(self._libraries.values())))
        write_status(self._root, tuple(self.packages.values()))
        for program in self._linked:
            check_start(self._root, program)

    def _add_packages(self, closure: ProgramClosure) -> None:
        self.architecture = closure.resolution.architecture
        for package in packages_of_closure(closure):
            if package.sha256 in self.packages:
                continue
            self.packages[package.sha256] = package
            add_package(self._root, package)
        self._add_linker(closure)
        self._note_libraries(closure)

    def _add_linker(self, closure: ProgramClosure) -> None:
        """See that the dynamic linker is where the program names it."""
        assert closure.resolution.interpreter is not None
        named, _, inside = closure.resolution.interpreter
        for name in (b"lib", b"lib64"):
            if b"usr/" + name in self._root:
                self._root.link(name, b"usr/" + name)
        self._root.link(named.lstrip(b"/"), b"/" + inside)

    def _note_libraries(self, closure: ProgramClosure) -> None:
        machine = by_debian(closure.resolution.architecture)
        assert machine is not None
        trees = {package.tree: package for package in self.packages.values()}
        search = closure.decision.search
        for name in sorted(os.listdir(search)):
            real = os.path.realpath(os.path.join(search, name))
            for tree in trees:
                if real.startswith(tree + b"/"):
                    path = b"/" + real.removeprefix(tree + b"/")
                    self._libraries[name] = CacheEntry(name, path, machine.cache_flags)

    def _note_beside(self, closure: ProgramClosure, place: bytes, own: Mapping[bytes, bytes]) -> None:
        """Note libraries that came with the program, for what is opened and has no way to them."""
        machine = by_debian(closure.resolution.architecture)
        assert machine is not None
        inside = {path: name for name, path in own.items()}
        for name, path in closure.beside.items():
            if path in inside:
                there = b"/" + posixpath.join(place, inside[path])
                self._libraries.setdefault(name, CacheEntry(name, there, machine.cache_flags))


def _link_fixed_paths(root: RootTree) -> None:
    """Lead to terminals and certificates from the paths where other distributions have them."""
    for paths in (tuple(b"/" + path for path in TERMINFO), BUNDLES):
        there = next((path for path in paths if path.lstrip(b"/") in root), None)
        if there is not None:
            for path in paths:
                root.link(path.lstrip(b"/"), there)


def add_package(root: RootTree, package: ExportedPackage) -> None:
    """Put a package's files into a root, without its documents. Raises ExportConflict."""
    authorities = []
    for entry in disk_entries(package.tree):
        is_document = entry.path.startswith(_DOCUMENTS) and not entry.path.endswith(_LICENCE)
        if is_document or isinstance(entry, Directory):
            continue
        root.add(entry, package.title)
        if isinstance(entry, File) and entry.path.startswith(_AUTHORITIES):
            authorities.append(entry)
    if authorities:
        root.write(_CERTIFICATES, b"".join(_text(one).rstrip(b"\n") + b"\n" for one in authorities))


def _text(entry: File) -> bytes:
    return b"".join(map(bytes, entry.content))


def write_status(root: RootTree, packages: Sequence[ExportedPackage]) -> None:
    """Write which packages there are, as dpkg does in an image without dpkg."""
    if b"var/lib/dpkg/status" in root:
        return
    for one in packages:
        text = (
            f"Package: {one.name}\nStatus: install ok installed\n"
            f"Architecture: {one.architecture}\nVersion: {one.version}\n"
        )
        root.write(posixpath.join(_STATUS, one.name.encode()), text.encode())
