"""A project's compiler, tools and libraries as variables of the shell that is there: for direnv.

The commands of the environment are programs for its /usr: PATH gets a directory of links to one script, which
enters the environment and starts the command of its name there. The commands of the base set (ls, grep) are
left to the host.
"""

from __future__ import annotations

import os
import shlex
import subprocess

from denizen.app.environments.fhs_enter import inside_of, write_launcher
from denizen.app.recipes.develop import SCRIPT, prepare
from denizen.disk import make_directories, write_atomically
from denizen.errors import DenizenError
from denizen.fhs.tree_creation import base_set
from denizen.store.errors import doing
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.recipes.develop import Development, DevelopRequest
    from denizen.app.session import Session

_COMMANDS = (b"usr/bin", b"usr/sbin", b"bin", b"sbin")
_ENTER = b".enter"


class NoVariables(DenizenError):
    """The error that the environment's shell does not tell its variables."""

    said: str
    WHAT = "the variables of the environment cannot be had"
    WHY = "{said}"


def develop_variables(session: Session, request: DevelopRequest) -> str:
    """Return the lines by which bash sets the variables of a project.

    Raises what `prepare` raises, and NoVariables.
    """
    ready = prepare(session, replace(request, words=()))
    launcher = write_launcher(session, ready.name, ready.generation)
    own = [name for name, _ in ready.file.recipe.environment]
    done = subprocess.run(
        [launcher, "/bin/bash", SCRIPT, "print_variables", *own],
        env={**session.environ, **ready.variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoVariables(done.stderr.strip())
    commands = _commands_directory(session, ready, launcher)
    tools = [f"{one}/bin" for one in ready.variables["recipeInputs"].split()]
    path = ":".join(shlex.quote(one) for one in (*tools, os.fsdecode(commands)))
    return f"{done.stdout}export PATH={path}:$PATH\n"


def _commands_directory(session: Session, ready: Development, launcher: bytes) -> bytes:
    """Return a directory with a link for each command of the environment, made or brought up to date."""
    directory = os.fsencode(ready.directory) + b"/commands"
    tree = inside_of(session, ready.name, ready.generation).tree
    tools = b"".join(b"%b/bin:" % one for one in os.fsencode(ready.variables["recipeInputs"]).split())
    text = b'#!/bin/sh\nexec %b /usr/bin/env PATH=%b/usr/bin:/bin "${0##*/}" "$@"\n' % (
        os.fsencode(shlex.quote(os.fsdecode(launcher))),
        os.fsencode(shlex.quote(os.fsdecode(tools))),
    )
    with doing("write in", directory):
        make_directories(directory)
        write_atomically(directory + b"/" + _ENTER, text, mode=0o755)
        wanted = set(_commands(tree)) - set(_base_commands(tree))
        there = set(os.listdir(directory)) - {_ENTER}
        for name in there - wanted:
            os.unlink(directory + b"/" + name)
        for name in wanted - there:
            os.symlink(_ENTER, directory + b"/" + name)
    return directory


def _commands(top: bytes) -> Iterator[bytes]:
    for directory in _COMMANDS:
        if os.path.isdir(top + b"/" + directory):
            yield from os.listdir(top + b"/" + directory)


def _base_commands(tree: bytes) -> Iterator[bytes]:
    """Yield the commands of the packages that every environment has."""
    base = tuple([f"{name.removeprefix('?')}-".encode() for name in base_set()])
    with open(tree + b"/packages", "rb") as stream:
        for one in stream.read().split():
            _, _, name = one.partition(b"-")
            prefix = next((some for some in base if name.startswith(some)), b"")
            if prefix and name[len(prefix) : len(prefix) + 1].isdigit():
                yield from _commands(os.path.dirname(tree) + b"/" + one)
