"""A patched copy of a program, in a directory that looks like the program's own.

The copy's `/proc/self/exe` is the copy, and many programs look for their files beside it. So the copy lies in
a copy of the program's directory and two parents, in which all other entries are links to the originals:

    COPIES/<decision>/opt/app/bin/program          the copy
    COPIES/<decision>/opt/app/bin/data      ->     /opt/app/bin/data
    COPIES/<decision>/opt/app/share         ->     /opt/app/share
"""

from __future__ import annotations

import contextlib
import os
import shutil

from denizen import elf
from denizen.disk import make_directories, temporary_name
from denizen.launch.decisions.program_identity import headers_of, identity_of
from denizen.launch.strategies.entry_stub import plan_stub
from denizen.launch.strategies.shown_resources import linked_resources
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.strategies.base import ProgramStart
    from denizen.launch.strategies.entry_stub import Patch

# Shadowed directories: the program's own and its parents, for `../lib` and `../../share`.
LEVELS = 3
# A directory with more entries is a general one (/tmp, /usr/bin), not a program's own.
MAX_ENTRIES = 2000


class CopyLink(Value):
    """A link around the copy: its path below the top, and its target."""

    path: bytes
    target: bytes


def patched_copy(start: ProgramStart, base: Decision) -> bytes:
    """Return the path of the patched copy, which is made anew with each decision, and has one of its own.

    Raises OSError, CannotStub, LoaderAbsent.
    """
    program, view = start.program, start.program.view
    assert program.image is not None  # `obstacle` made sure of it
    plan = plan_stub(program.image, start.files.plain_loader())
    top = start.decision_store.copy_directory(base.identity)
    make_directories(os.path.dirname(top), 0o700)
    copy = make_copy(program.path, top, plan.patches)
    resources = start.decision_store.resource_tree(base.identity)
    patched = replace(
        base,
        identity=identity_of(view.stat(copy)),
        headers=headers_of(elf.read(view.read(copy))),
        program=copy,
        shown=view.realpath(program.path),
        resources=linked_resources(program, start.files, base, resources),
        command=(),
        edits=(*base.edits, *plan.restores),
    )
    start.decision_store.write(patched, movable=False)
    return copy


def make_copy(program: bytes, top: bytes, patches: Sequence[Patch]) -> bytes:
    """Make the directory with the copy at `top` anew; return the path of the copy. Raises OSError."""
    temporary = temporary_name(top)
    levels = _levels(program)
    inside = os.path.join(*[os.path.basename(level) for level in levels], os.path.basename(program))
    os.makedirs(os.path.dirname(os.path.join(temporary, inside)), mode=0o700)
    _copy(program, os.path.join(temporary, inside), patches)
    for link in _links(program, levels):
        os.symlink(link.target, os.path.join(temporary, link.path))
    _remove(top)
    os.rename(temporary, top)
    return os.path.join(top, inside)


def _remove(top: bytes) -> None:
    """Delete such a directory or a partial one, with one open descriptor at a time: the limit may be low."""
    for directory, below, names in os.walk(top, topdown=False):
        for name in (*below, *names):
            path = os.path.join(directory, name)
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            else:
                os.unlink(path)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(top)


def _copy(program: bytes, target: bytes, patches: Sequence[Patch]) -> None:
    shutil.copyfile(program, target)
    with open(target, "r+b", buffering=0) as stream:
        for patch in patches:
            stream.seek(patch.offset)
            stream.write(patch.new)
    shutil.copymode(program, target)
    os.chmod(target, os.stat(target).st_mode | 0o500)


def _levels(program: bytes) -> list[bytes]:
    """Return the directories that are made again, the outermost first; / is not among them."""
    found: list[bytes] = []
    directory = os.path.dirname(program)
    while directory != b"/" and len(found) < LEVELS:
        found.insert(0, directory)
        directory = os.path.dirname(directory)
    return found


def _links(program: bytes, levels: Sequence[bytes]) -> Iterator[CopyLink]:
    for depth, level in enumerate(levels):
        inside = os.path.join(*[os.path.basename(one) for one in levels[: depth + 1]])
        below = levels[depth + 1] if depth + 1 < len(levels) else program
        try:
            names = os.listdir(level)
        except OSError:
            continue
        if len(names) <= MAX_ENTRIES:
            for name in names:
                if name != os.path.basename(below):
                    yield CopyLink(os.path.join(inside, name), os.path.join(level, name))
