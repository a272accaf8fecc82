"""The builder of `builtin:fhs`: it links packages together and reproduces what their scripts would do.

1. Every package's /usr, /etc and /opt is linked into one new tree, file by file (hard links; /etc is copied,
   because tools write there), and under another name where a package diverts the file (dpkg-divert(1)).
2. Links, copies and texts of the rules.
3. Triggers: tools of the tree itself, each in a sandbox that has the tree and no network, and may write where
   its rule says.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess

from denizen.build.derivation import BadDerivation
from denizen.errors import BadInput, HostLacks, display
from denizen.fhs import builtin_fhs
from denizen.fhs.diversions import TOPS, DivertedPaths
from denizen.fhs.locale_sources import locale_source
from denizen.fhs.mounts import sandbox
from denizen.fhs.tree_model import Model, NodeKind
from denizen.fhs.trigger_rules import read_rules
from denizen.store.errors import doing
from denizen.store.trees.canonical import STORE_TIMES
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.build.build_task import Build
    from denizen.fhs.builtin_fhs import Composition
    from denizen.fhs.trigger_rules import Trigger, TriggerRules
    from denizen.formats.storepath import StorePath

_PATH = (b"usr/bin", b"usr/sbin")
_TIMEOUT = 900
# The tools' variables. None are the user's; times in caches are those of store objects.
_ENVIRONMENT = {
    b"PATH": b"/usr/sbin:/usr/bin:/sbin:/bin",
    b"HOME": b"/root",
    b"LC_ALL": b"C.UTF-8",
    b"SOURCE_DATE_EPOCH": b"1",
}
_LIMIT = 64 << 20


class TriggerFailed(BadInput):
    """The error that a tool of the tree did not make the files that its rule promises."""

    name: str
    command: str
    output: str
    WHAT = "the environment's {name:text} could not be made"
    WHY = "{command:text}: {output:text}"


class NoSandbox(HostLacks):
    """The error that this host does not allow tools to be run in a sandbox."""

    problem: str
    WHAT = "an FHS environment cannot be made on this host"
    WHY = "its tools must run in a namespace of their own, and {problem:text}"
    REMEDY = (
        "allow user namespaces, or do it as root; or make it on another machine and copy the store object"
    )


class CompositionTools(Value):
    """The means to run a tool; `enter` is the path of denizen-enter."""

    enter: bytes


def builder(means: CompositionTools) -> Callable[[Build], None]:
    """Return the builder for `realise.Manner.builders`."""
    return lambda task: _compose(task, means)


def _compose(task: Build, means: CompositionTools) -> None:
    plan = builtin_fhs.read(task.variables)
    tree, stage = task.work.new_tree(), task.work.new_tree()
    with doing("compose", tree):
        os.mkdir(tree, 0o700)
        os.mkdir(stage, 0o700)
        _Composing(task, plan, tree, stage, means).run()
        os.rmdir(stage)
    task.work.adopt_shared(tree, task.output, [*plan.packages], task.sealed.path)


class _Composing:
    """The composition of one tree."""

    def __init__(
        self, task: Build, plan: Composition, tree: bytes, stage: bytes, means: CompositionTools
    ) -> None:
        self._task = task
        self._plan = plan
        self._tree = tree
        self._stage = stage
        self._means = means
        self._rules = read_rules(plan.rules)
        self._model = Model()
        self._diversions = DivertedPaths(plan.diversions)

    def run(self) -> None:
        for number, package in enumerate(self._plan.packages):
            self._task.checkpoint()
            self._add_package(number, package)
        for name in (b"usr", b"etc", b"usr/local", b"usr/bin", b"usr/lib"):
            self._make_directory(name)
        names = sorted(package.base for package in self._plan.packages)
        self._write(builtin_fhs.PACKAGES, "".join([name + "\n" for name in names]).encode())
        self._follow_rules(self._rules)
        self._make_links(self._plan.links)
        self._settle_times()
        for trigger in self._rules.triggers:
            self._pull(trigger)

    def _add_package(self, number: int, package: StorePath) -> None:
        place = self._task.place_of(package)
        pending = [(b"%b/%b" % (place, top), top) for top in TOPS if os.path.isdir(b"%b/%b" % (place, top))]
        for _, top in pending:
            self._make_directory(top)
        while pending:
            source, inside = pending.pop()
            with os.scandir(source) as entries:
                for entry in entries:
                    path = b"%b/%b" % (inside, entry.name)
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, self._descend(number, path)))
                        continue
                    path = self._diverted(path, package)
                    if entry.is_symlink():
                        self._add_link(number, path, os.readlink(entry.path))
                    else:
                        self._add_file(number, path, entry.path)

    def _diverted(self, path: bytes, package: StorePath) -> bytes:
        """Return the path that a package's file at `path` gets; its directory is made."""
        to = self._diversions.place_of(path, package)
        if to != path:
            self._make_directory(os.path.dirname(to))
        return to

    def _descend(self, owner: int, path: bytes) -> bytes:
        """Return the directory of the tree into which a package's directory at `path` goes.

        It is made if need be.
        """
        kind = self._model.kind(path)
        if kind is NodeKind.LINK:
            target = self._model.followed(path)
            if target is not None and self._model.kind(target) is NodeKind.DIRECTORY:
                return target
        if kind is not None and kind is not NodeKind.DIRECTORY:
            os.unlink(self._at(path))
            self._model.remove(path)
            kind = None
        if kind is None:
            os.mkdir(self._at(path))
            self._model.add(path, NodeKind.DIRECTORY, owner)
        return path

    def _add_link(self, owner: int, path: bytes, target: bytes) -> None:
        if self._gives_way(owner, path):
            os.symlink(target, self._at(path))
            self._model.add(path, NodeKind.LINK, owner, target)

    def _add_file(self, owner: int, path: bytes, source: bytes) -> None:
        if not self._gives_way(owner, path):
            return
        place = self._at(path)
        if path.startswith(b"etc/"):
            shutil.copy(source, place)
            os.chmod(place, 0o755 if os.access(source, os.X_OK) else 0o644)
        else:
            _link_or_copy(source, place)
        self._model.add(path, NodeKind.FILE, owner)

    def _gives_way(self, owner: int, path: bytes) -> bool:
        """Tell whether `path` is free for a package's file; a file that the package replaces is removed."""
        kind = self._model.kind(path)
        if kind is None:
            return True
        packages = self._plan.packages
        pair = packages[owner], packages[self._model.owner(path)]
        if kind is NodeKind.DIRECTORY or pair not in self._plan.replaces:
            return False
        os.unlink(self._at(path))
        self._model.remove(path)
        return True

    def _follow_rules(self, rules: TriggerRules) -> None:
        for copy in rules.copies:
            if copy.source.encode() in self._model:
                self._write_new(copy.path.encode(), _content(self._real(copy.source.encode())))
        for text in rules.texts:
            if text.when.encode() in self._model:
                self._write_new(text.path.encode(), text.content.encode())
        for one in rules.exposed:
            for place in self._model.matching(one.of.encode()):
                path = b"%b/%b" % (one.into.encode(), os.path.basename(place))
                if path not in self._model:
                    self._link(path, b"/" + place)
        for bundle in rules.bundles:
            self._bundle(bundle.path.encode(), bundle.source.encode())
        for link in rules.links:
            path, target = link.path.encode(), link.target.encode()
            if link.replace and self._model.kind(path) in (NodeKind.FILE, NodeKind.LINK):
                os.unlink(self._at(path))
                self._model.remove(path)
            if path not in self._model and self._leads(path, target):
                self._link(path, target)

    def _leads(self, path: bytes, target: bytes) -> bool:
        """Tell whether a link would lead to a file.

        Paths that only an entered root has are assumed to exist.
        """
        if target.startswith((b"/.denizen/", b"/proc/")):
            return True
        wanted = Model.leads_to(path, target)
        names = [link for link, _ in self._plan.links]
        return wanted is not None and (wanted in self._model or wanted in names)

    def _make_links(self, links: Sequence[tuple[bytes, bytes]]) -> None:
        """Make the links of alternatives, those in /etc/alternatives first: the outer links lead to them."""
        for path, target in links:
            wanted = Model.leads_to(path, target)
            if path not in self._model and wanted is not None and wanted in self._model:
                self._link(path, target)

    def _link(self, path: bytes, target: bytes) -> None:
        self._make_directory(os.path.dirname(path))
        os.symlink(target, self._at(path))
        self._model.add(path, NodeKind.LINK, 0, target)

    def _bundle(self, path: bytes, source: bytes) -> None:
        """Write all certificates below `source` to one file, and make a link for each beside it."""
        found = sorted(p for p in self._model.below(source) if p.endswith(b".crt"))
        if not found:
            return
        contents = [_content(self._real(one)).strip(b"\n") + b"\n" for one in found]
        self._write_new(path, b"".join(contents))
        for one in found:
            name = os.path.basename(one).removesuffix(b".crt") + b".pem"
            link = os.path.join(os.path.dirname(path), name)
            if link not in self._model:
                self._link(link, b"/" + one)

    def _write_new(self, path: bytes, content: bytes) -> None:
        if path not in self._model:
            self._make_directory(os.path.dirname(path))
            self._write(path, content)

    def _write(self, path: bytes, content: bytes) -> None:
        with open(self._at(path), "xb") as stream:
            stream.write(content)
        self._model.add(path, NodeKind.FILE, 0)

    def _make_directory(self, path: bytes) -> None:
        for end in [n for n, code in enumerate(path) if code == ord("/")] + [len(path)]:
            part = path[:end]
            if self._model.followed(part) is None or part not in self._model:
                os.mkdir(self._at(part))
                self._model.add(part, NodeKind.DIRECTORY, 0)

    def _settle_times(self) -> None:
        """Set the directories' times to those that store objects have.

        A font cache is valid only for directories of the time that it notes.
        """
        for path in self._model.directories():
            os.utime(self._at(path), ns=STORE_TIMES)

    def _pull(self, trigger: Trigger) -> None:
        for places in self._matches(trigger):
            command = self._command(trigger.run, places) or self._command(trigger.otherwise, places)
            if not command:
                continue  # the tool is not in this environment, so no program in it reads the tool's output
            if trigger.makes:
                self._make_directory(trigger.makes.encode())
            writes = [self._inside(_filled(word, places).lstrip(b"/")) for word in trigger.writes]
            for variant in self._each(trigger, command):
                self._task.checkpoint()
                self._run(trigger.name, variant, writes)

    def _matches(self, trigger: Trigger) -> Iterator[dict[str, bytes]]:
        """Yield, for each path that `when` matches, the text for each placeholder in braces."""
        triplets = self._plan.triplets if "{triplet}" in trigger.when else self._plan.triplets[:1]
        for triplet in triplets:
            base = {"{triplet}": triplet, "{native}": self._plan.triplets[0]}
            for path in self._model.matching(_filled(trigger.when, base)):
                yield {**base, "{}": b"/" + path, "{dir}": b"/" + os.path.dirname(path)}

    def _command(self, words: Sequence[str], places: dict[str, bytes]) -> list[bytes]:
        """Return the command with its tool's path in the tree; [] if the tree does not have the tool."""
        if not words:
            return []
        first, *rest = [_filled(word, places) for word in words]
        candidates = (
            [first.lstrip(b"/")] if first.startswith(b"/") else [b"%b/%b" % (d, first) for d in _PATH]
        )
        tool = next((path for path in candidates if path in self._model), None)
        return [b"/" + tool, *rest] if tool is not None else []

    def _inside(self, path: bytes) -> bytes:
        return self._real(path).removeprefix(self._tree + b"/")

    def _each(self, trigger: Trigger, command: list[bytes]) -> Iterator[list[bytes]]:
        if trigger.each != "locales":
            yield command
            return
        supported = dict(
            line.split()[:2]
            for line in _content(self._real(b"usr/share/i18n/SUPPORTED")).split(b"\n")
            if len(line.split()) >= 2 and not line.startswith(b"#")
        )
        for wanted in self._plan.locales:
            name, charset = locale_source(wanted, supported)
            stem, _, modifier = name.partition(b"@")
            source = stem.partition(b".")[0] + (b"@" + modifier if modifier else b"")
            fill = {"{locale}": source, "{charset}": charset, "{name}": name}
            yield [command[0], *(_filled(os.fsdecode(word), fill) for word in command[1:])]

    def _run(self, name: str, command: Sequence[bytes], writes: Sequence[bytes]) -> None:
        plan = sandbox(self._tree, self._stage, writes)
        shown = display(b" ".join(command))
        try:
            done = subprocess.run(
                [self._means.enter, *plan, b"--", *command],
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TriggerFailed(name, shown, f"it did not end within {_TIMEOUT} seconds") from None
        if done.returncode:
            words = display(done.stderr.decode("utf-8", "replace").strip()[-2000:])
            if words.startswith("denizen: no namespace"):
                raise NoSandbox(words.removeprefix("denizen: "))
            raise TriggerFailed(name, shown, words or f"status {done.returncode}")

    def _at(self, path: bytes) -> bytes:
        """Return the path on disk to make `path` at, with links on the way followed inside the tree.

        Followed by the kernel, some links would lead to the host. Raises BadDerivation for a path outside the
        tree.
        """
        parent, _, name = path.rpartition(b"/")
        inside = self._model.followed(parent) if parent else b""
        if inside is None:
            raise BadDerivation(self._task.name, f"{display(path)} would be outside the tree")
        return b"/".join([part for part in (self._tree, inside, name) if part])

    def _real(self, path: bytes) -> bytes:
        """Return the path on disk of the file or directory that `path` leads to in the tree."""
        return self._at(self._model.followed(path) or path)


def _filled(word: str, places: dict[str, bytes]) -> bytes:
    text = os.fsencode(word)
    for brace, meaning in places.items():
        text = text.replace(brace.encode(), meaning)
    return text


def _content(place: bytes) -> bytes:
    with open(place, "rb") as stream:
        return stream.read(_LIMIT)


def _link_or_copy(source: bytes, place: bytes) -> None:
    """Make a hard link; make a copy if the file system or the kernel's settings refuse a link."""
    with contextlib.suppress(OSError):
        os.link(source, place)
        return
    shutil.copy(source, place)
