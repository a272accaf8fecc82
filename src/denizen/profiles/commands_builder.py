"""The builder of `builtin:commands`: the loader is linked for each command, so that 2,500 take no room."""

from __future__ import annotations

import errno
import os
import shutil

from denizen.build.derivation import BadDerivation
from denizen.disk import OPEN_NEW, make_directories
from denizen.profiles import builtin_commands
from denizen.profiles.builtin_commands import BIN, ELEMENT, PROGRAMS, commands_text, program_link
from denizen.profiles.desktop_files import rewritten
from denizen.store.errors import doing
from denizen.store.trees.canonical import STORE_TIMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from denizen.build.build_task import Build
    from denizen.fileview import FileView
    from denizen.formats.storepath import StorePath
    from denizen.profiles.builtin_commands import InstalledProgram, RewrittenText

_MAX_TEXT = 1 << 20


def build_commands(task: Build) -> None:
    """Make the object of commands that a derivation describes."""
    plan = builtin_commands.read(task.variables)
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
