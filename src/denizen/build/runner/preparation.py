"""The preparation of a builder: program, arguments, environment and files, placeholders filled in."""

from __future__ import annotations

import os
import posixpath

from denizen.build.build_plan import load
from denizen.build.derivation import BadDerivation, name_of
from denizen.build.placeholders import placeholder, rewritten
from denizen.build.runner import references_graph
from denizen.build.runner.sandbox_plan import BUILD_DIR, ROOT_VARIABLE, root_entries
from denizen.build.runner.structured_attributes import JSON_FILE, SHELL_FILE, attribute_files
from denizen.build.runner.variables import BuilderSurroundings, attribute, builder_input
from denizen.fileview import USR_MERGED
from denizen.formats import storepath
from denizen.store.errors import doing
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from denizen.build.build_task import Build
    from denizen.build.runner.build_settings import BuildSettings
    from denizen.build.runner.sandbox_plan import BuildRoom
    from denizen.formats.storepath import StorePath
    from denizen.store.object_info import ObjectInfo

_FILE_VARIABLES = ((b"NIX_ATTRS_JSON_FILE", JSON_FILE), (b"NIX_ATTRS_SH_FILE", SHELL_FILE))


class BuilderGiven(Value):
    """The command, environment and files of a builder.

    Attributes:
        program: its path.
        arguments: its arguments, its name first.
        environment: its variables.
        files: contents of files in its build directory, by name.
    """

    program: bytes
    arguments: tuple[bytes, ...]
    environment: Mapping[bytes, bytes]
    files: Mapping[bytes, bytes]


class BuilderRequest(Value):
    """A derivation and its surroundings, from which follows what its builder is given.

    Attributes:
        task: the derivation being built.
        settings: its settings.
        room: its directories.
        attributes: its structured attributes, None for none.
        closure: the objects it may use.
        rewrites: what is replaced in all that the builder is given.
        passed: variables of the caller that it may read; None unless it is a fixed output.
    """

    task: Build
    settings: BuildSettings
    room: BuildRoom
    attributes: Mapping[str, Any] | None
    closure: Collection[StorePath]
    rewrites: Mapping[bytes, bytes]
    passed: Mapping[bytes, bytes] | None


def builder_given(asked: BuilderRequest) -> BuilderGiven:
    """Return what the builder is started with. Raises BadDerivation."""
    task, rewrites = asked.task, asked.rewrites
    derivation, store_dir = task.sealed.derivation, task.store.layout.logical
    build_dir = BUILD_DIR if asked.settings.sandbox else asked.room.build
    given = builder_input(
        derivation, BuilderSurroundings(store_dir, build_dir, asked.settings.cores, asked.passed)
    )
    environment, files = dict(given.environment), dict(given.files)
    if asked.attributes is None:
        text = attribute(derivation, references_graph.VARIABLE) or b""
        for file, path in references_graph.graph_requests(text, task.name, store_dir).items():
            files[file] = references_graph.registration_text(_graph(asked, [path]), store_dir)
    else:
        files |= _attribute_files(asked, asked.attributes)
        environment |= {variable: b"%b/%b" % (build_dir, file) for variable, file in _FILE_VARIABLES}
    program = rewritten(derivation.builder, rewrites)
    words = (posixpath.basename(program), *derivation.arguments)
    return BuilderGiven(
        program,
        tuple([rewritten(word, rewrites) for word in words]),
        {rewritten(name, rewrites): rewritten(text, rewrites) for name, text in environment.items()},
        {name: rewritten(text, rewrites) for name, text in files.items()},
    )


def _attribute_files(asked: BuilderRequest, attributes: Mapping[str, Any]) -> dict[bytes, bytes]:
    task, store_dir = asked.task, asked.task.store.layout.logical

    def graph_of(paths: list[StorePath]) -> list[dict[str, Any]]:
        infos = _graph(asked, paths)
        return references_graph.graph_document(infos, lambda path: _closure_size(task, path), store_dir)

    names = task.sealed.derivation.outputs
    outputs = {name.decode(): asked.rewrites[placeholder(name)].decode() for name in names}
    return attribute_files(references_graph.with_graphs(attributes, graph_of, store_dir), outputs)


def _graph(asked: BuilderRequest, paths: Iterable[StorePath]) -> list[ObjectInfo]:
    """Return the closure of some inputs, with the outputs of derivations in it, as Nix does."""
    task = asked.task
    for path in paths:
        if path not in asked.closure:
            raise BadDerivation(task.name, f"exportReferencesGraph names {path}, not among its inputs")
    found = set(task.store.closure(paths))
    outputs: set[StorePath] = set()
    for path in found:
        if path.name.endswith(".drv"):
            stated = load(task.store, path).outputs.values()
            outputs |= {storepath.parse(one.path, task.store.layout.logical) for one in stated if one.path}
    valid = task.work.need(outputs)
    if outputs - valid:
        missing = ", ".join(map(str, sorted(outputs - valid)))
        raise BadDerivation(task.name, f"exportReferencesGraph needs {missing}, which is not in the store")
    return [task.store.info(path) for path in sorted(found | set(task.store.closure(valid)))]


def _closure_size(task: Build, path: StorePath) -> int:
    return sum(task.store.info(one).nar_size for one in task.store.closure([path]))


class ShownTree(Value):
    """The tree that is shown at a sandbox's root.

    Attributes:
        tree: its directory; b"" for none.
        entries: the paths in it that are shown.
        merged: names at the root that become links into /usr.
    """

    tree: bytes = b""
    entries: tuple[bytes, ...] = ()
    merged: tuple[bytes, ...] = ()


def shown_tree(task: Build, closure: Collection[StorePath]) -> ShownTree:
    """Return the tree that is shown at the sandbox's root.

    Raises BadDerivation.
    """
    text = attribute(task.sealed.derivation, ROOT_VARIABLE)
    if not text:
        return ShownTree()
    store_dir = task.store.layout.logical
    path, rest = storepath.containing(text, store_dir)
    if path not in closure:
        raise BadDerivation(name_of(task.sealed.path), f"its root {path} is not among its inputs")
    tree = task.store.place_of(path) + rest
    with doing("look into", tree):
        top = sorted(os.listdir(tree))
        etc = sorted(os.listdir(tree + b"/etc")) if b"etc" in top else []
        # The file at the top of an environment's tree, which has all below /usr.
        usr = os.listdir(tree + b"/usr") if {b"packages", b"usr"} <= set(top) else []
    merged = tuple([name for name in USR_MERGED if name in usr])
    entries = root_entries([name for name in top if name not in merged], etc, store_dir)
    return ShownTree(tree, entries, merged)
