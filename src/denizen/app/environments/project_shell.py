"""`shell`: the environment that a project's denizen.toml describes, by its denizen.lock where that fits."""

from __future__ import annotations

import os

from denizen.app.project_file import NoProject, project_file
from denizen.errors import display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.fhs.generations import Generation, Settings
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetch_policy import FetchPolicy


class NoProjectForWord(NoProject):
    """The error that there is no project in whose environment a word would be a command.

    Attributes:
        word: the first word that was given.
        is_environment: an environment is called so.
    """

    word: str
    is_environment: bool

    @property
    def why(self) -> str:
        return f"{display(self.word)} would be a command in the environment that it describes"

    @property
    def remedy(self) -> str:
        word = shell_word(self.word)
        if self.is_environment:
            return f"denizen fhs enter {word}"
        return f"denizen x {word} runs a command of a package; denizen fhs create NAME {word}"


def project_shell(
    session: Session, file: str | None, policy: FetchPolicy, *, update: bool, command: str | None = None
) -> tuple[str, Generation]:
    """Return the name of the project's environment, and the generation, which is made if there is none.

    Args:
        session: the paths and the reporter.
        file: the denizen.toml; None for the one here or in a directory above.
        policy: of what is fetched.
        update: take the newest packages, whatever the lock has, and write it anew.
        command: the command that is to run there, None for a shell.

    Raises:
        NoProject, BadProject: there is no such file, or it is malformed.
        SourceFailed, HostLacks: packages cannot be had.
    """
    from denizen.app.supply.own_architecture import own_architecture
    from denizen.disk import open_regular
    from denizen.fhs import project_environment
    from denizen.formats.toml_file import MAX_SIZE

    path = os.path.abspath(file or _project_file(session, command))
    with open(path, "rb", opener=open_regular) as stream:
        settings = project_environment.read(stream.read(MAX_SIZE + 1), path, own_architecture())
    name = _name(os.path.dirname(path))
    return name, _generation(session, name, settings, path, policy, update=update)


def _project_file(session: Session, command: str | None) -> str:
    from denizen.fhs.generations import EnvironmentStore

    try:
        return project_file(os.getcwd())
    except NoProject as problem:
        if command is None:
            raise
        is_environment = command in EnvironmentStore(session.paths.state).names()
        raise NoProjectForWord(problem.directory, command, is_environment) from None


def _name(directory: str) -> str:
    """Return the name of a project's environment: its directory's name, with a hash of the path."""
    from denizen.sha256 import hex_digest_of

    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in os.path.basename(directory))[:40]
    return f"{stem.lstrip('-') or 'project'}-{hex_digest_of(os.fsencode(directory))[:8]}"


def _generation(
    session: Session, name: str, settings: Settings, path: str, policy: FetchPolicy, *, update: bool
) -> Generation:
    """Return the generation that fits the project's settings and lock, made if there is none."""
    from denizen.app.environments import fhs_create
    from denizen.app.environments.fhs_enter import write_launcher
    from denizen.fhs.generations import EnvironmentStore, NoEnvironment

    pins = None if update else _locked_pins(settings, path)
    if pins is not None:
        try:
            held = EnvironmentStore(session.paths.state).current(name)
        except NoEnvironment:
            pass
        else:
            if held.settings == settings and {p.sha256 for p in held.parts} == {
                pin.sha256.decode() for pin in pins
            }:
                return held
    made, used = fhs_create.create_from(session, name, settings, policy, pins)
    if pins is None:
        _write_lock(settings, path, used)
    write_launcher(session, name, made)
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
    from denizen.disk import content_or_empty, write_atomically
    from denizen.fhs.project_environment import LOCK, locked
    from denizen.resolve.lock import MAX_SIZE, write
    from denizen.resolve.resolution import Resolution
    from denizen.store.errors import doing

    place = os.path.join(os.path.dirname(path), LOCK)
    ordered = sorted(pins, key=lambda pin: (pin.name, pin.version, pin.architecture, pin.sha256))
    resolution = Resolution(settings.architectures[0], packages=tuple(ordered))
    with doing("write", os.fsencode(place)):
        write_atomically(place, locked(settings, write(resolution), content_or_empty(place, MAX_SIZE + 1)))
