"""The builder of `builtin:commands`: the loader is linked for each command, so that 2,500 take no room."""

from __future__ import annotations

import errno
import os
import shutil

from denizen.build.derivation import BadDerivation
from denizen.disk import OPEN_NEW, make_directories
from denizen.errors import display
from denizen.formats.entry_name import is_entry_name
from denizen.profiles.builtin_commands import (
    BIN,
    ELEMENT,
    PROGRAMS,
    CommandsPlan,
    InstalledProgram,
    commands_text,
    program_link,
)
from denizen.profiles.desktop_files import rewritten
from denizen.profiles.rewritten_text import RewrittenText
from denizen.store.errors import doing
from denizen.store.trees.canonical import STORE_TIMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from denizen.build.build_task import Build
    from denizen.build.builtin_variables import Variables
    from denizen.fileview import FileView
    from denizen.formats.storepath import StorePath

_MAX_TEXT = 1 << 20


def build_commands(task: Build) -> None:
    """Make the object of commands that a derivation describes."""
    plan = _plan_of(task.variables)
    tree = task.work.new_tree()
    with doing("write", tree):
        os.mkdir(tree, 0o755)
        for directory in (BIN, PROGRAMS):
            os.mkdir(tree + b"/" + directory, 0o755)
        _write(tree + b"/" + ELEMENT, plan.element)
        for one in plan.programs:
            _link_loader(task.place_of(plan.loader), b"%b/%b/%b" % (tree, BIN, one.name))
            os.symlink(program_link(one), b"%b/%b/%b" % (tree, PROGRAMS, one.name))
        write_texts(task.name, plan.programs, plan.texts, tree, task.view_of)
    task.work.adopt_shared(tree, task.output, [*task.inputs], task.sealed.path)


def _plan_of(variables: Variables) -> CommandsPlan:
    """Return the plan in a derivation. Raises BadDerivation, BadStorePath."""
    programs = [
        InstalledProgram(_name(variables, name), variables.store_path(path), _inside(variables, inside))
        for name, path, inside in variables.rows(b"programs", 3)
    ]
    texts = [
        RewrittenText(
            variables.store_path(path), _inside(variables, inside), _inside(variables, outside) or b"share"
        )
        for path, inside, outside in variables.rows(b"texts", 3)
    ]
    if len({one.name for one in programs}) != len(programs):
        raise BadDerivation(variables.name, "two of its commands have one name")
    loader = variables.store_path(variables.text(b"loader"))
    return CommandsPlan(loader, tuple(programs), variables.text(b"element"), tuple(texts))


def _name(variables: Variables, name: bytes) -> bytes:
    if not is_entry_name(name):
        raise BadDerivation(variables.name, f"'{display(name)}' is not the name of a command")
    return name


def _inside(variables: Variables, path: bytes) -> bytes:
    if path and not all(map(is_entry_name, path.split(b"/"))):
        raise BadDerivation(variables.name, f"'{display(path)}' is not a path in a tree")
    return path


def _link_loader(loader: bytes, place: bytes) -> None:
    try:
        os.link(loader, place)
    except OSError as problem:
        # No links on this file system, or as many as it allows.
        if problem.errno not in (errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV):
            raise
        shutil.copyfile(loader, place)
        os.chmod(place, 0o555)  # noqa: S103  # the mode of every program in the store
        os.utime(place, ns=STORE_TIMES)


def write_texts(
    name: str,
    programs: Sequence[InstalledProgram],
    texts: Sequence[RewrittenText],
    tree: bytes,
    view_of: Callable[[StorePath], FileView],
) -> None:
    """Write the desktop entries and the like of the object `name` into its tree, their commands renamed.

    Raises BadDerivation, OSError.
    """
    commands = commands_text(programs)
    for one in texts:
        content = bytes(view_of(one.path).read(b"/" + one.inside))
        if len(content) > _MAX_TEXT:
            raise BadDerivation(name, "a desktop entry is larger than a megabyte")
        place = tree + b"/" + one.outside
        make_directories(os.path.dirname(place))
        _write(place, rewritten(content, commands))


def _write(place: bytes, content: bytes) -> None:
    with open(os.open(place, OPEN_NEW, 0o444), "wb") as stream:
        stream.write(content)
    os.utime(place, ns=STORE_TIMES)
