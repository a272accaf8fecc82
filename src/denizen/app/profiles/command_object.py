"""The object of commands of an installed thing, and the decisions about them."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.profiles.install_request import ExposedProgram, Preparation
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.errors import DenizenError
    from denizen.formats.storepath import StorePath

# Commands that are decided when they are installed; a package with more decides the others when they start.
DECIDED_AT_ONCE = 64


def expose(at: Preparation, exposed: ExposedProgram) -> StorePath:
    """Make the object of commands valid, kept while `work` lasts; return its path."""
    if at.exposing is not None:
        return at.exposing(exposed)
    from denizen.app.profiles.command_loader import command_loader
    from denizen.app.start_request import RunRequest
    from denizen.build import derivation as derivations
    from denizen.build.builtin_derivations import OUT
    from denizen.build.derivation import SUFFIX, name_of
    from denizen.profiles.builtin_commands import BUILDER, CommandsPlan, exposing
    from denizen.profiles.command_recipe import write_recipe

    store, work = at.store, at.work
    logical = store.layout.logical
    offline = at.request.stays_offline
    wanted = RunRequest(suites=exposed.recipe.suites, installed=True, stays_offline=offline)
    loader = command_loader(at, wanted)
    plan = CommandsPlan(loader, exposed.programs, write_recipe(exposed.recipe), exposed.texts)
    sealed = derivations.seal(exposing(plan, logical), exposed.name, {}, logical)
    output = sealed.outputs[OUT]
    if output not in work.need([output]):
        # 3 ms that an installation does not pay whose commands are in the store.
        from denizen.build.realise import RealiseOptions, realise
        from denizen.profiles.commands_builder import build_commands

        work.add_texts([(name_of(sealed.path) + SUFFIX, sealed.content, sealed.references)])
        realise(store, [sealed.path], RealiseOptions(_nothing, builders={BUILDER: build_commands}))
        work.need([output])
    return output


def decide_commands(
    session: Session, place: bytes, names: Sequence[bytes], wanted: RunRequest
) -> dict[bytes, DenizenError]:
    """Make the decisions about commands of the object at `place`; return the error of each that has none.

    A command without a decision is decided when it is started.
    """
    from denizen.app.profiles.decided_command import is_decided
    from denizen.errors import DenizenError

    commands = {name: os.path.join(place, b"bin", name) for name in names[:DECIDED_AT_ONCE]}
    undecided = {name: path for name, path in commands.items() if not is_decided(session, path, wanted)}
    if not undecided:
        return {}
    from denizen.app.profiles.installed_command import decide_installed

    failed: dict[bytes, DenizenError] = {}
    for name, command in undecided.items():
        try:
            decide_installed(session, command, wanted)
        except DenizenError as problem:
            failed[name] = problem
    return failed


def _nothing(url: str) -> Iterator[bytes]:
    raise AssertionError(f"commands are fetched from nowhere, and {url} was asked for")
