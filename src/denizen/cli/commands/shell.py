"""`denizen shell`: the environment that a project's denizen.toml describes."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_policy
from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.fhs.generations import Generation, Settings
    from denizen.resolve.resolution import Pin


def _shell(parsed: Parsed, context: Context) -> int:
    from denizen.app.environments.fhs_enter import become
    from denizen.app.project_file import project_file
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.disk import open_regular
    from denizen.fhs import project_environment
    from denizen.formats.toml_file import MAX_SIZE

    path = os.path.abspath(parsed.text("file") or project_file(os.getcwd()))
    with open(path, "rb", opener=open_regular) as stream:
        settings = project_environment.read(stream.read(MAX_SIZE + 1), path, own_architecture())
    name = _name(os.path.dirname(path))
    generation = _generation(parsed, context, name, settings, path)
    if parsed.flag("lock"):
        return 0
    command = parsed.text("CMD")
    words = None if command is None else [os.fsencode(word) for word in (command, *parsed.texts("ARG"))]
    return become(context.session, name, generation, words)


def _name(directory: str) -> str:
    """Return the name of a project's environment: its directory's name, with a hash of the path."""
    from denizen.sha256 import hex_digest_of

    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in os.path.basename(directory))[:40]
    return f"{stem.lstrip('-') or 'project'}-{hex_digest_of(os.fsencode(directory))[:8]}"


def _generation(parsed: Parsed, context: Context, name: str, settings: Settings, path: str) -> Generation:
    """Return the generation that fits the project's settings and lock, made if there is none."""
    from denizen.app.environments import fhs_create
    from denizen.app.environments.fhs_enter import write_launcher
    from denizen.fhs.generations import EnvironmentStore, NoEnvironment

    update = parsed.flag("update")
    pins = None if update else _locked_pins(settings, path)
    if pins is not None:
        try:
            held = EnvironmentStore(context.session.paths.state).current(name)
        except NoEnvironment:
            pass
        else:
            if held.settings == settings and {p.sha256 for p in held.parts} == {
                pin.sha256.decode() for pin in pins
            }:
                return held
    made, used = fhs_create.create_from(context.session, name, settings, fetch_policy(parsed, "shell"), pins)
    if pins is None:
        _write_lock(settings, path, used)
    write_launcher(context.session, name, made)
    return made


def _locked_pins(settings: Settings, path: str) -> tuple[Pin, ...] | None:
    from denizen.disk import open_regular
    from denizen.fhs.project_environment import LOCK, unlocked
    from denizen.resolve.lock import MAX_SIZE, parse

    try:
        with open(os.path.join(os.path.dirname(path), LOCK), "rb", opener=open_regular) as stream:
            lock = unlocked(settings, stream.read(MAX_SIZE + 1))
    except FileNotFoundError:
        return None
    return parse(lock).packages if lock is not None else None


def _write_lock(settings: Settings, path: str, pins: tuple[Pin, ...]) -> None:
    from denizen.disk import write_atomically
    from denizen.fhs.project_environment import LOCK, locked
    from denizen.resolve.lock import write
    from denizen.resolve.resolution import Resolution
    from denizen.store.errors import doing

    place = os.path.join(os.path.dirname(path), LOCK)
    ordered = sorted(pins, key=lambda pin: (pin.name, pin.version, pin.architecture, pin.sha256))
    resolution = Resolution(settings.architectures[0], packages=tuple(ordered))
    with doing("write", os.fsencode(place)):
        write_atomically(place, locked(settings, write(resolution), _content(place)))


def _content(place: str) -> bytes:
    from denizen.disk import open_regular
    from denizen.resolve.lock import MAX_SIZE

    try:
        with open(place, "rb", opener=open_regular) as stream:
            return stream.read(MAX_SIZE + 1)
    except FileNotFoundError:
        return b""


COMMANDS = (
    Command(
        ("shell",),
        "the environment of this project's denizen.toml",
        _shell,
        (
            Positional("CMD", "a command instead of a shell", optional=True),
            Positional("ARG", "its arguments", optional=True, rest=True),
        ),
        (
            Option(("--file",), "this file; else denizen.toml here or in a directory above", metavar="FILE"),
            Option(("--update",), "take the newest packages, and write denizen.lock anew"),
            Option(("--lock",), "only make the environment and denizen.lock"),
            *FETCH_OPTIONS,
        ),
        description=(
            "Enter the environment that denizen.toml, here or in a directory above, describes. The first\n"
            "time, denizen.lock is written beside it: with it, everybody gets the same packages. A file\n"
            "of another user, who is not root, must be named."
        ),
    ),
)
