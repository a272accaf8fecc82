"""Runs of triggers: tools of an environment's tree, each in a sandbox that has the tree and no network.

What the sandbox is made of is told in tool_sandboxes.py.
"""

from __future__ import annotations

import os
import subprocess

from denizen.errors import BadInput, HostLacks, display
from denizen.fhs.locale_sources import locale_source
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.fhs.builtin_fhs import Composition
    from denizen.fhs.composed_tree import ComposedTree
    from denizen.fhs.tool_sandboxes import ToolSandbox
    from denizen.fhs.trigger_rules import Trigger

_PATH = (b"usr/bin", b"usr/sbin")
_TIMEOUT = 900
# The tools' variables. None are the user's; times in caches are those of store objects.
_ENVIRONMENT = {
    b"PATH": b"/usr/sbin:/usr/bin:/sbin:/bin",
    b"HOME": b"/root",
    b"LC_ALL": b"C.UTF-8",
    b"SOURCE_DATE_EPOCH": b"1",
}


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


class TriggerRuns:
    """The runs of triggers in one tree."""

    def __init__(
        self,
        tree: ComposedTree,
        plan: Composition,
        sandbox: ToolSandbox,
        enter: bytes,
        checkpoint: Callable[[], None],
    ) -> None:
        """Take the tree, what tools run in, the path of denizen-enter, and what is called before each run."""
        self._tree = tree
        self._plan = plan
        self._sandbox = sandbox
        self._enter = enter
        self._checkpoint = checkpoint

    def pull(self, trigger: Trigger) -> None:
        """Run a trigger's tool for each path that it matches. Raises TriggerFailed, NoSandbox."""
        for places in self._matches(trigger):
            command = self._command(trigger.run, places) or self._command(trigger.otherwise, places)
            if not command:
                continue  # the tool is not in this environment, so no program in it reads the tool's output
            if trigger.makes:
                self._tree.make_directory(trigger.makes.encode())
            writes = [self._tree.inside(self._in_tree(_filled(word, places))) for word in trigger.writes]
            for variant in self._each(trigger, command):
                self._checkpoint()
                self._run(trigger.name, variant, writes)

    def _matches(self, trigger: Trigger) -> Iterator[dict[str, bytes]]:
        """Yield, for each path that `when` matches, the text for each placeholder in braces."""
        triplets = self._plan.triplets if "{triplet}" in trigger.when else self._plan.triplets[:1]
        for triplet in triplets:
            base = {"{triplet}": triplet, "{native}": self._plan.triplets[0]}
            for path in self._tree.model.matching(_filled(trigger.when, base)):
                root = self._sandbox.root + b"/"
                yield {**base, "{}": root + path, "{dir}": root + os.path.dirname(path)}

    def _command(self, words: Sequence[str], places: dict[str, bytes]) -> list[bytes]:
        """Return the command with its tool's path in the tree; [] if the tree does not have the tool."""
        if not words:
            return []
        first, *rest = [_filled(word, places) for word in words]
        inside = self._in_tree(first)
        candidates = [inside] if first.startswith(b"/") else [b"%b/%b" % (d, first) for d in _PATH]
        tool = next((path for path in candidates if path in self._tree.model), None)
        if tool is None:
            return []
        return self._sandbox.words(tool, [self._shown(word) for word in rest])

    def _in_tree(self, path: bytes) -> bytes:
        """Return a path of a rule as one in the tree."""
        return path.removeprefix(self._sandbox.root).lstrip(b"/")

    def _shown(self, word: bytes) -> bytes:
        """Return a word of a command; a path of the tree as the tool sees it."""
        is_path = word.startswith(b"/") and not word.startswith(self._sandbox.root + b"/")
        return self._sandbox.root + word if is_path and word.lstrip(b"/") in self._tree.model else word

    def _each(self, trigger: Trigger, command: list[bytes]) -> Iterator[list[bytes]]:
        if trigger.each != "locales":
            yield command
            return
        supported = dict(
            line.split()[:2]
            for line in self._tree.content(b"usr/share/i18n/SUPPORTED").split(b"\n")
            if len(line.split()) >= 2 and not line.startswith(b"#")
        )
        for wanted in self._plan.locales:
            name, charset = locale_source(wanted, supported)
            stem, _, modifier = name.partition(b"@")
            source = stem.partition(b".")[0] + (b"@" + modifier if modifier else b"")
            fill = {"{locale}": source, "{charset}": charset, "{name}": name}
            yield [command[0], *(_filled(os.fsdecode(word), fill) for word in command[1:])]

    def _run(self, name: str, command: Sequence[bytes], writes: Sequence[bytes]) -> None:
        plan = self._sandbox.operations(writes)
        shown = display(b" ".join(command))
        try:
            done = subprocess.run(
                [self._enter, *plan, b"--", *command],
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


def _filled(word: str, places: dict[str, bytes]) -> bytes:
    text = os.fsencode(word)
    for brace, meaning in places.items():
        text = text.replace(brace.encode(), meaning)
    return text
