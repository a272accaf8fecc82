"""Entering of an environment: this process becomes a command, or a shell, in the environment's root."""

from __future__ import annotations

import contextlib
import os

from denizen.errors import EXIT_CANNOT_START, DenizenError
from denizen.fhs.environment_variables import LOCALE_CHOICES, PATH, bashrc, locale, variables
from denizen.launch import process_state
from denizen.store.errors import DiskFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.session import Session
    from denizen.fhs.entry_command import Inside
    from denizen.fhs.generations import Generation


class NotEntered(DenizenError):
    """The error that the kernel refused to start the tool that makes the environment's root."""

    exit_status = EXIT_CANNOT_START
    name: str
    reason: str
    WHAT = "the environment {name} cannot be entered"
    WHY = "{reason:text}"
    REMEDY = "denizen doctor tells what this host allows"


def inside_of(session: Session, name: str, generation: Generation) -> Inside:
    """Return the paths that entering a generation needs. Raises NoStore, DiskFailed, LoaderAbsent."""
    from denizen.app.session import tools_of
    from denizen.app.supply.store_access import open_store
    from denizen.fhs.entry_command import Inside
    from denizen.store.errors import doing

    tools = tools_of(session)
    with open_store(session) as store:
        tree = store.place_of(generation.tree)
    cache = _cache_for(session, name, tree)
    with doing("write in", tools.directory):
        return Inside(tree, tools.enter(), tools.stage(), generation.settings.bindings, cache)


def _cache_for(session: Session, name: str, tree: bytes) -> bytes:
    """Return the file that serves as /etc/ld.so.cache inside, if the host has drivers; else b""."""
    from denizen.fhs.entry_command import cache_with_drivers
    from denizen.fhs.generations import EnvironmentStore
    from denizen.resolve.rule_packs import load_rules

    text = cache_with_drivers(tree, lambda soname: bool(load_rules().host_reason(soname)))
    path = os.path.join(EnvironmentStore(session.paths.state).directory(name), b"ld.so.cache")
    if text:
        _write(path, text, mode=0o644)
    return path if text else b""


def start(session: Session, name: str, words: Sequence[bytes] | None) -> int:
    """Become a command in an environment, or its shell where `words` is None; return only with an error."""
    from denizen.app.environments.fhs_fast_path import greet, launch

    launch(session, name, None if words is None else [os.fsdecode(word) for word in words])
    from denizen.fhs.generations import EnvironmentStore

    generation = EnvironmentStore(session.paths.state).current(name)
    if words is None:
        greet(session, name)
    return become(session, name, generation, words)


def become(session: Session, name: str, generation: Generation, words: Sequence[bytes] | None) -> int:
    """Become a command in a generation of an environment, or its shell where `words` is None.

    Raises:
        NotEntered: the kernel refused.
    """
    from denizen.fhs.entry_command import command, located
    from denizen.fhs.generations import EnvironmentStore

    directory = EnvironmentStore(session.paths.state).directory(name)
    inside = inside_of(session, name, generation)
    entry, tree = command(inside), inside.tree
    # The launcher was missing or out of date: write it for the next start. That of another user's
    # environment cannot be written.
    with contextlib.suppress(DiskFailed):
        write_launcher(session, name, generation)
    if words is None:
        words = _shell(directory, name, generation, tree)
    elif (program := located(tree, words[0], os.fsencode(PATH))) != words[0]:
        entry = (*entry[:-1], b"as", program, b"--")
    environ = {**session.environ, **variables(name, generation.settings, drivers=bool(inside.cache))}
    language = locale(generation.settings)
    if language and not any(environ.get(name) for name in LOCALE_CHOICES):
        environ["LANG"] = language
    session.reporter.leave()
    try:
        process_state.become(entry[0], [*entry, *words], environ)
    except OSError as problem:
        raise NotEntered(name, problem.strerror or str(problem)) from problem


def write_launcher(session: Session, name: str, generation: Generation) -> bytes:
    """Write the shell script that enters the environment without Python, and return its path."""
    from denizen.app.environments.fhs_fast_path import mark
    from denizen.fhs.entry_command import command
    from denizen.fhs.generations import EnvironmentStore
    from denizen.fhs.launcher_script import Launch, script

    directory = EnvironmentStore(session.paths.state).directory(name)
    inside = inside_of(session, name, generation)
    shell = _shell(directory, name, generation, inside.tree)
    always = variables(name, generation.settings, drivers=bool(inside.cache))
    head = mark(name, b"%d" % generation.number, directory) + b"\n# " + inside.tree
    launch = Launch(head, command(inside), always, locale(generation.settings), shell)
    path = os.path.join(directory, b"launch")
    _write(path, script(launch), mode=0o755)
    return path


def _shell(directory: bytes, name: str, generation: Generation, tree: bytes) -> tuple[bytes, ...]:
    """Return the command of the tree's shell, with a start file."""
    from denizen.fhs.entry_command import shell

    path = os.path.join(directory, b"bashrc")
    _write(path, bashrc(name, generation.settings), mode=0o644)
    return shell(tree, (b"--rcfile", path, b"-i"))


def _write(path: bytes, text: bytes, *, mode: int) -> None:
    """Write the file unless its content is the same already: another user's environment can be entered."""
    from denizen.disk import write_atomically
    from denizen.store.errors import doing

    try:
        with open(path, "rb") as stream:
            if stream.read() == text:
                with contextlib.suppress(OSError):
                    os.utime(path)  # it is right as the host is now
                return
    except FileNotFoundError:
        pass
    with doing("write", path):
        write_atomically(path, text, mode=mode)
