"""The builder of `builtin:fhs`: it links packages together and reproduces what their scripts would do.

1. Every package's /usr, /etc and /opt is linked into one new tree, file by file (hard links; /etc is copied,
   because tools write there), and under another name where a package diverts the file (dpkg-divert(1)).
2. Links, copies and texts of the rules; the accounts and directories of state that packages ask for.
3. Triggers: tools of the tree itself, each in a sandbox that has the tree and no network, and may write where
   its rule says (tool_sandboxes.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil

from denizen.fhs import builtin_fhs
from denizen.fhs.composed_tree import ComposedTree
from denizen.fhs.diversions import TOPS, DivertedPaths
from denizen.fhs.enabled_links import enabled_links
from denizen.fhs.state_directories import wanted_directories
from denizen.fhs.tool_sandboxes import ConfinedTools, EnteredTree
from denizen.fhs.tree_model import Model, NodeKind
from denizen.fhs.trigger_rules import read_rules
from denizen.fhs.trigger_runs import TriggerRuns
from denizen.formats.sysusers import read_sysusers, sysusers_text
from denizen.formats.tmpfiles import directories_in
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.build.build_task import Build
    from denizen.fhs.builtin_fhs import Composition
    from denizen.fhs.trigger_rules import TriggerRules
    from denizen.fhs.trigger_runs import CompositionTools
    from denizen.formats.storepath import StorePath

# What lies there is copied by programs (git's hooks), as links would be.
_DATA = b"usr/share/"


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
        self._tree = ComposedTree(task.name, tree, relative=plan.standing)
        self._model = self._tree.model
        self._rules = read_rules(plan.rules)
        packages = [task.place_of(package) for package in plan.packages]
        sandbox = (
            ConfinedTools(self._tree, plan, packages) if plan.standing else EnteredTree(self._tree, stage)
        )
        self._runs = TriggerRuns(self._tree, plan, sandbox, means.enter, task.checkpoint)
        self._diversions = DivertedPaths(plan.diversions)

    def run(self) -> None:
        for number, package in enumerate(self._plan.packages):
            self._task.checkpoint()
            self._add_package(number, package)
        for name in (b"usr", b"etc", b"usr/local", b"usr/bin", b"usr/lib"):
            self._tree.make_directory(name)
        names = sorted(package.base for package in self._plan.packages)
        self._tree.write(builtin_fhs.PACKAGES, "".join([name + "\n" for name in names]).encode())
        self._note_state()
        self._follow_rules(self._rules)
        self._make_links(self._plan.links)
        for rule in self._rules.enabled:  # of files to which the links of configuration files lead
            self._make_links(list(enabled_links(self._model, self._tree.content, rule)))
        self._tree.settle_times()
        for trigger in self._rules.triggers:
            if not self._plan.standing or (self._plan.confined and trigger.stands):
                self._runs.pull(trigger)

    def _add_package(self, number: int, package: StorePath) -> None:
        place = self._task.place_of(package)
        pending = [(b"%b/%b" % (place, top), top) for top in TOPS if os.path.isdir(b"%b/%b" % (place, top))]
        for _, top in pending:
            self._tree.make_directory(top)
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

    def _note_state(self) -> None:
        """Write down the accounts and the directories of state that packages ask for, for who enters."""
        text = self._declared(b"usr/lib/sysusers.d/*.conf") + self._plan.accounts
        accounts = dict.fromkeys(read_sysusers(text))
        asked = [*self._plan.directories, *directories_in(self._declared(b"usr/lib/tmpfiles.d/*.conf"))]
        for package in self._plan.packages:
            asked += _directories_below(self._task.place_of(package), b"var")
        directories = wanted_directories(asked, self._rules.state)
        for path, content in (
            (builtin_fhs.ACCOUNTS, sysusers_text(accounts)),
            (builtin_fhs.DIRECTORIES, b"".join([place + b"\n" for place in directories])),
        ):
            if content:
                self._tree.write_new(path, content)

    def _declared(self, pattern: bytes) -> bytes:
        """Return what files whose paths match hold; links that lead out of the tree are left out."""
        found = [self._tree.content(path) for path in self._model.matching(pattern) if path in self._model]
        return b"".join([text + b"\n" for text in found])

    def _diverted(self, path: bytes, package: StorePath) -> bytes:
        """Return the path that a package's file at `path` gets; its directory is made."""
        to = self._diversions.place_of(path, package)
        if to != path:
            self._tree.make_directory(os.path.dirname(to))
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
            os.unlink(self._tree.at(path))
            self._model.remove(path)
            kind = None
        if kind is None:
            os.mkdir(self._tree.at(path))
            self._model.add(path, NodeKind.DIRECTORY, owner)
        return path

    def _add_link(self, owner: int, path: bytes, target: bytes) -> None:
        if self._gives_way(owner, path):
            self._tree.add_link(path, target, owner)

    def _add_file(self, owner: int, path: bytes, source: bytes) -> None:
        if not self._gives_way(owner, path):
            return
        place = self._tree.at(path)
        if path.startswith(b"etc/"):
            shutil.copy(source, place)
            os.chmod(place, 0o755 if os.access(source, os.X_OK) else 0o644)
        elif self._plan.standing and os.access(source, os.X_OK) and not path.startswith(_DATA):
            os.symlink(source, place)
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
        os.unlink(self._tree.at(path))
        self._model.remove(path)
        return True

    def _follow_rules(self, rules: TriggerRules) -> None:
        for copy in rules.copies:
            if copy.source.encode() in self._model:
                self._tree.write_new(copy.path.encode(), self._tree.content(copy.source.encode()))
        for text in rules.texts:
            if text.when.encode() in self._model:
                self._tree.write_new(text.path.encode(), text.content.encode())
        for one in rules.exposed:
            for place in self._model.matching(one.of.encode()):
                path = b"%b/%b" % (one.into.encode(), os.path.basename(place))
                if path not in self._model:
                    self._tree.link(path, b"/" + place)
        for bundle in rules.bundles:
            self._bundle(bundle.path.encode(), bundle.source.encode())
        for link in rules.links:
            path, target = link.path.encode(), link.target.encode()
            if self._plan.standing and target.startswith(b"/.denizen/"):
                continue
            if link.replace and self._model.kind(path) in (NodeKind.FILE, NodeKind.LINK):
                os.unlink(self._tree.at(path))
                self._model.remove(path)
            if path not in self._model and self._leads(path, target):
                self._tree.link(path, target)

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
                self._tree.link(path, target)

    def _bundle(self, path: bytes, source: bytes) -> None:
        """Write all certificates below `source` to one file, and make a link for each beside it."""
        found = sorted(p for p in self._model.below(source) if p.endswith(b".crt"))
        if not found:
            return
        contents = [self._tree.content(one).strip(b"\n") + b"\n" for one in found]
        self._tree.write_new(path, b"".join(contents))
        for one in found:
            name = os.path.basename(one).removesuffix(b".crt") + b".pem"
            link = os.path.join(os.path.dirname(path), name)
            if link not in self._model:
                self._tree.link(link, b"/" + one)


def _directories_below(place: bytes, top: bytes) -> Iterator[bytes]:
    """Yield the paths, absolute as if `place` were the root, of the directories below one of it."""
    for directory, _, _ in os.walk(os.path.join(place, top)):
        yield directory[len(place) :]


def _link_or_copy(source: bytes, place: bytes) -> None:
    """Make a hard link; make a copy if the file system or the kernel's settings refuse a link."""
    with contextlib.suppress(OSError):
        os.link(source, place)
        return
    shutil.copy(source, place)
