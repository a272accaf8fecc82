"""`system build`: a description becomes a generation in the store."""

from __future__ import annotations

import fnmatch
import os
import stat

from denizen.errors import BadInput, display
from denizen.sha256 import hex_digest_of
from denizen.system.spec_reader import BadSystemSpec, read_system_spec
from denizen.system.unit_files import DIRECTORY, installed_links, is_drop_in, unit_digest
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.profiles.debian_element import DebianChooser
    from denizen.app.profiles.install_request import InstallRequest, Preparation
    from denizen.app.system.system_access import SystemAccess
    from denizen.fileview import FileView
    from denizen.formats.storepath import StorePath
    from denizen.index.provider import Provider
    from denizen.store.local import Store
    from denizen.store.object_staging import Work
    from denizen.system.spec import FileOrigin, SystemSpec
    from denizen.system.system_manifest import SystemUnit
    from denizen.system.system_tree import SystemFile

# A kernel with its initrd, or a file of /etc: what is larger is a mistake.
_MAX_FILE = 1 << 30
_MAX_ETC = 16 << 20


class NoSuchOrigin(BadInput):
    """The error that a description names a file that there is not."""

    name: str
    problem: str
    WHAT = "the description names {name}"
    WHY = "{problem:text}"


class _FoundFile(Value):
    content: bytes
    executable: bool


def build_system(
    access: SystemAccess, store: Store, work: Work, spec_path: str, request: InstallRequest
) -> StorePath:
    """Make the generation that a description asks for, kept while `work` lasts; return its path.

    Raises:
        BadSystemSpec, NoSuchOrigin: the description cannot be used. And the errors of an installation.
    """
    from denizen.app.profiles.install_request import Preparation
    from denizen.app.system.system_access import read_spec
    from denizen.system.system_tree import system_tree
    from denizen.value import replace

    spec = read_system_spec(read_spec(spec_path), spec_path)
    at = Preparation(access.session, store, work, replace(request, suites=spec.suites))
    directory = os.path.dirname(os.path.abspath(spec_path))
    building = _SystemBuild(access, at, spec, spec_path, os.fsencode(directory))
    return system_tree(store, work, building.parts())


class _SystemBuild:
    """The steps from a description to the parts of a generation."""

    def __init__(
        self, access: SystemAccess, at: Preparation, spec: SystemSpec, spec_path: str, directory: bytes
    ) -> None:
        from denizen.system.target_root import TargetRoot

        self._access, self._at, self._spec, self._path = access, at, spec, spec_path
        self._beside = TargetRoot(directory)
        self._chosen: DebianChooser | None = None
        self._unpacked: dict[bytes, StorePath] = {}

    def parts(self) -> SystemParts:
        from denizen.system.system_manifest import SystemManifest
        from denizen.system.system_tree import SystemParts

        spec = self._spec
        files = [*self._etc_files(), *self._declared()]
        units, unit_files = self._units()
        files += unit_files
        copies = {one.path: (one.mode, one.user, one.group) for one in spec.etc if one.mode is not None}
        boot, kernel, initrd = self._boot()
        manifest = SystemManifest(
            spec.name,
            tuple(sorted((_etc_row(one, copies) for one in files), key=lambda row: row.path)),
            spec.users,
            spec.groups,
            spec.directories,
            units,
            boot,
        )
        shell = self._shell()
        init = spec.boot.init if spec.boot else ""
        return SystemParts(manifest, tuple(files), shell, init, self._software(), kernel, initrd)

    def _etc_files(self) -> Iterator[SystemFile]:
        from denizen.system.system_tree import SystemFile

        for one in self._spec.etc:
            found = self._content(one.origin, _MAX_ETC)
            yield SystemFile(one.path, found.content, found.executable)

    def _declared(self) -> list[SystemFile]:
        from denizen.system.declared_texts import declared_texts
        from denizen.system.system_tree import SystemFile

        profile = b"/" + os.path.relpath(self._access.profile.place, self._access.target.root.place)
        texts = declared_texts(self._spec, os.fsdecode(profile) + "/sw")
        taken = {one.path for one in self._spec.etc}
        clash = next((path for path in texts if path in taken), None)
        if clash:
            raise BadSystemSpec(self._path, (f'etc."{clash}" is denizen\'s own',))
        return [SystemFile(path, texts[path]) for path in sorted(texts)]

    def _units(self) -> tuple[tuple[SystemUnit, ...], list[SystemFile]]:
        from denizen.system.system_manifest import SystemUnit
        from denizen.system.system_tree import SystemFile

        units, files = [], []
        for one in self._spec.units:
            content = self._content(one.origin, _MAX_ETC).content
            links, problems = installed_links(one.name, content) if one.enable else ({}, ())
            if problems:
                raise BadSystemSpec(self._path, problems)
            files.append(SystemFile(f"{DIRECTORY}/{one.name}", content))
            files += [SystemFile(path, link=target) for path, target in links.items()]
            digest = unit_digest(content, self._drop_ins(one.name))
            units.append(SystemUnit(one.name, digest, one.enable, one.on_change))
        return tuple(units), files

    def _drop_ins(self, unit: str) -> Iterator[tuple[str, bytes]]:
        for one in self._spec.etc:
            if is_drop_in(one.path, unit):
                yield one.path, self._content(one.origin, _MAX_ETC).content

    def _boot(self) -> tuple[SystemBoot | None, StorePath | None, StorePath | None]:
        from denizen.system.system_manifest import INITRD, KERNEL, SystemBoot

        boot = self._spec.boot
        if boot is None:
            return None, None, None
        kernel = self._file_object(boot.kernel, KERNEL)
        initrd = self._file_object(boot.initrd, INITRD) if boot.initrd is not None else None
        word = "" if boot.closure else (INITRD if initrd is not None else None)
        return SystemBoot(boot.options, word, boot.loaders), kernel, initrd

    def _shell(self) -> str:
        boot = self._spec.boot
        if boot is None or boot.shell is None:
            return "/bin/sh"
        path, inside = self._in_package(boot.shell)
        place = b"/" + self._access.target.inside + b"/" + path.base.encode() + b"/" + inside
        # All of busybox is one program: its first word says which.
        applet = " sh" if os.path.basename(inside).startswith(b"busybox") else ""
        return os.fsdecode(place) + applet

    def _file_object(self, origin: FileOrigin, name: str) -> StorePath:
        """Return an object that is the file alone: a kernel's package has much that only the root needs."""
        found = self._content(origin, _MAX_FILE)
        scratch = self._at.work.new_tree()
        with open(scratch, "wb") as stream:
            stream.write(found.content)
        return self._at.work.add(scratch, name).path

    def _content(self, origin: FileOrigin, limit: int) -> _FoundFile:
        if origin.text is not None:
            return _FoundFile(origin.text.encode(), executable=False)
        if origin.source:
            return self._beside_spec(origin.source, limit)
        path, inside = self._in_package(origin)
        view = _view(self._at.store.place_of(path))
        facts = view.stat(b"/" + inside)
        if facts.size > limit:
            raise NoSuchOrigin(origin.path, "the file is too large for that")
        return _FoundFile(bytes(view.read(b"/" + inside)), bool(facts.mode & stat.S_IXUSR))

    def _beside_spec(self, source: str, limit: int) -> _FoundFile:
        raw = os.fsencode(source)
        try:
            facts, content = self._beside.facts(raw), self._beside.read(raw, limit + 1)
        except OSError as problem:
            raise NoSuchOrigin(source, f"{problem.strerror}; links are not followed") from problem
        if facts is None or content is None:
            raise NoSuchOrigin(source, "there is no such file beside it")
        if len(content) > limit:
            raise NoSuchOrigin(source, "the file is too large for that")
        return _FoundFile(content, bool(facts.st_mode & stat.S_IXUSR))

    def _in_package(self, origin: FileOrigin) -> tuple[StorePath, bytes]:
        """Return the object and the path in it of the one file that a pattern names.

        It is looked for in the package, then in what that depends on itself: the package that has the kernel
        is named by one that only depends on it.
        """
        chosen = self._chooser().chosen(origin.package)
        for package in (chosen.package, *chosen.direct):
            path = self._object_of(package)
            found = list(_matching(_view(self._at.store.place_of(path)), _merged(os.fsencode(origin.path))))
            if len(found) > 1:
                names = ", ".join(display(one) for one in found[:5])
                raise NoSuchOrigin(f"{origin.path} of {origin.package}", f"several files are that: {names}")
            if found:
                return path, found[0]
        raise NoSuchOrigin(f"{origin.path} of {origin.package}", "neither it nor what it depends on has that")

    def _software(self) -> StorePath | None:
        if not self._spec.packages:
            return None
        from denizen.profiles.generation_tree import generation_tree
        from denizen.profiles.profile_manifest import manifest_of

        if self._access.directory is None:
            from denizen.app.profiles.install_packages import decide_prepared, prepared_elements

            prepared, failures = decide_prepared(self._at, prepared_elements(self._at, self._spec.packages))
        else:
            from denizen.app.system.target_commands import prepared_for_target

            declared = [one.path for one in self._spec.etc]
            prepared, failures = prepared_for_target(self._access, self._at, self._spec.packages, declared)
        for sentence in failures:
            self._at.session.reporter.say(sentence)
        elements = [one.element for one in prepared]
        manifest = manifest_of({one.name: one for one in elements})
        return generation_tree(self._at.store, self._at.work, manifest)

    def _object_of(self, package: Provider) -> StorePath:
        from denizen.app.supply.package_supply import supply_of
        from denizen.resolve.installation.install import unpacked
        from denizen.resolve.resolution import pin_of

        pin = pin_of(package, {})
        if pin.sha256 not in self._unpacked:
            supply = supply_of(self._at.session, self._at.request.policy)
            self._unpacked[pin.sha256] = unpacked(self._at.store, self._at.work, pin, supply)
        return self._unpacked[pin.sha256]

    def _chooser(self) -> DebianChooser:
        from denizen.app.profiles.debian_element import DebianChooser
        from denizen.app.supply.liblzma_setup import bring_decoder

        if self._chosen is None:
            bring_decoder(self._at.session)
            self._chosen = DebianChooser(self._at.session, self._spec.suites, self._at.request.policy)
        return self._chosen


if TYPE_CHECKING:
    from denizen.system.system_manifest import ManagedFile, SystemBoot
    from denizen.system.system_tree import SystemParts


def _etc_row(one: SystemFile, copies: dict[str, tuple[int, str, str]]) -> ManagedFile:
    from denizen.system.system_manifest import ManagedFile

    digest = hex_digest_of(one.link.encode() or one.content)
    return ManagedFile(one.path, digest, *copies.get(one.path, ()))


def _view(place: bytes) -> FileView:
    from denizen.disk_view import RootedView

    return RootedView(place)


def _merged(pattern: bytes) -> bytes:
    """Return a path as the store has it, where /bin and the like are unpacked into /usr."""
    from denizen.fileview import USR_MERGED

    return b"usr/" + pattern if pattern.split(b"/", 1)[0] in USR_MERGED else pattern


def _matching(view: FileView, pattern: bytes) -> Iterator[bytes]:
    """Yield the files whose path is the pattern's, component by component."""
    from denizen.fileview import FileKind

    pending = [(b"", pattern.split(b"/"))]
    while pending:
        here, (first, *rest) = pending.pop()
        try:
            found = view.listdir(b"/" + here)
        except OSError:
            continue
        for name in fnmatch.filter(found, first):
            below = here + b"/" + name if here else name
            if rest:
                pending.append((below, rest))
            elif view.lstat(b"/" + below).kind is FileKind.FILE:
                yield below
