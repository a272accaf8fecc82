"""Carry out an ordinary derivation: run its builder, and make what it leaves the outputs."""

from __future__ import annotations

import os

from denizen.build.derivation import BadDerivation
from denizen.build.runner import output_checks
from denizen.build.runner.build_directory import keep_build, make_room, write_files
from denizen.build.runner.build_limits import BuilderHalted, check_output, clock_of
from denizen.build.runner.build_log import BuildLog, log_path
from denizen.build.runner.errors import BuilderNotStarted, BuildFailed, SandboxForbidden
from denizen.build.runner.machine_requirements import refuse_unmet
from denizen.build.runner.network_access import has_network, passed_variables
from denizen.build.runner.output_plan import builder_rewrites, planned_outputs
from denizen.build.runner.outputs import Left, take_outputs
from denizen.build.runner.preparation import BuilderRequest, builder_given, shown_tree
from denizen.build.runner.process import STATUS, BuilderCommand, RunningBuilder
from denizen.build.runner.sandbox_plan import SandboxRequest, guarded, sandboxed
from denizen.build.runner.structured_attributes import attributes_of
from denizen.errors import display
from denizen.store.errors import doing
from denizen.store.object_staging import adopted_info
from denizen.store.realisations import record_realisation
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from denizen.build.build_task import Build
    from denizen.build.runner.build_settings import BuildSettings
    from denizen.build.runner.process import Ended
    from denizen.build.runner.sandbox_plan import BuildRoom
    from denizen.formats.storepath import StorePath
    from denizen.store.staged_tree import Adoption

_TAIL_LINES = 25


def build_program(task: Build, settings: BuildSettings) -> Mapping[bytes, StorePath]:
    """Make the outputs of a derivation valid whose builder is a program; return them by name.

    Raises:
        NotBuiltHere, SandboxForbidden: this machine cannot, or does not allow it.
        BuildFailed, BuilderNotStarted, NotReproducible: the builder failed.
        BadInput: its outputs are not what the derivation says (`outputs`, `output_checks`).
    """
    attributes = attributes_of(task.sealed.derivation, task.name)
    refuse_unmet(task, settings, attributes)
    outputs = task.sealed.outputs
    if not (task.again and outputs and task.work.need(outputs.values()) >= set(outputs.values())):
        outputs = _registered(task, _built(task, settings, attributes))
    if task.again:
        from denizen.build.runner.reproducibility import refuse_differences

        again = replace(task, sealed=replace(task.sealed, outputs=outputs))
        refuse_differences(again, _built(again, settings, attributes), settings.keep_failed)
    return outputs


def _registered(task: Build, adoptions: Mapping[bytes, Adoption]) -> dict[bytes, StorePath]:
    task.work.adopt_all(adoptions.values())
    outputs = {name: one.path for name, one in adoptions.items()}
    for modulo in task.modulos:
        if modulo:
            for name, path in outputs.items():
                record_realisation(task.store.layout, modulo, name, path)
    return outputs


class _Attempt(Value):
    """One build: the task, its settings, its directories and its log."""

    task: Build
    settings: BuildSettings
    room: BuildRoom
    log: BuildLog


def _built(
    task: Build, settings: BuildSettings, attributes: Mapping[str, Any] | None
) -> dict[bytes, Adoption]:
    """Run the builder once; return its outputs, checked, ready for registration."""
    layout = task.store.layout
    with doing("make the directories of a build in", layout.physical):
        top = task.work.new_tree()
        room = make_room(top)
    closure = tuple(task.store.closure(task.inputs))
    occupied = () if settings.sandbox else tuple(task.work.need(task.sealed.outputs.values()))
    planned = planned_outputs(task.sealed, task.name, layout.logical, occupied)
    passed = passed_variables(task, settings, attributes)
    asked = BuilderRequest(
        task, settings, room, attributes, closure, builder_rewrites(planned, layout.logical), passed
    )
    left = Left(
        room.outputs if settings.sandbox else layout.physical,
        planned,
        closure,
        copied=passed is not None and settings.sandbox,
    )
    attempt = _Attempt(task, settings, room, BuildLog(log_path(layout, task.sealed.path)))
    try:
        adoptions = _left_by_builder(attempt, asked, left)
    finally:
        attempt.log.close()
    built = output_checks.Built(
        task.name,
        {name: adopted_info(one) for name, one in adoptions.items()},
        task.store.info,
        layout.logical,
    )
    output_checks.check(built, output_checks.checks_of(task.sealed.derivation, attributes, task.name))
    # Before the outputs are synced, or all that the builder wrote beside them would go to the disk, too.
    task.work.discard(top)
    return adoptions


def _left_by_builder(attempt: _Attempt, asked: BuilderRequest, left: Left) -> dict[bytes, Adoption]:
    """Run the builder; return its outputs. Without a sandbox they are made in the store itself."""
    open_store = not attempt.settings.sandbox
    places = [output.scratch.inside(left.directory) for output in left.planned] if open_store else []
    if places:
        attempt.task.work.set_aside(places)
    try:
        _run(attempt, _command(attempt, asked))
        return take_outputs(attempt.task, left)
    finally:
        if places:
            attempt.task.work.set_aside(places)


def _command(attempt: _Attempt, asked: BuilderRequest) -> BuilderCommand:
    task, settings, room = attempt.task, attempt.settings, attempt.room
    given = builder_given(asked)
    with doing("write into the directory of a build in", task.store.layout.physical):
        write_files(room.build, given.files)
    plan = _sandbox(attempt, asked) if settings.sandbox else guarded(room.build, STATUS)
    if task.sealed.derivation.system == b"i686-linux" and settings.machine == "x86_64":
        plan = (b"linux32", *plan)
    return BuilderCommand((settings.enter, *plan), given.program, given.arguments, given.environment)


def _sandbox(attempt: _Attempt, asked: BuilderRequest) -> tuple[bytes, ...]:
    settings, layout = attempt.settings, attempt.task.store.layout
    shown = shown_tree(attempt.task, asked.closure)
    request = SandboxRequest(
        attempt.room,
        layout.logical,
        layout.physical,
        tuple([path.base.encode("ascii") for path in asked.closure]),
        settings.paths,
        shown.tree,
        shown.entries,
        shown.merged,
        network=has_network(asked.passed),
        as_root=os.geteuid() == 0,
        devices=(b"kvm",) if b"kvm" in settings.features else (),
        machine=settings.machine,
    )
    return sandboxed(request, STATUS)


def _run(attempt: _Attempt, command: BuilderCommand) -> None:
    """Run a builder to its end. Raises BuildFailed, BuilderNotStarted, SandboxForbidden."""
    task = attempt.task
    try:
        with doing("start a builder by", attempt.settings.enter):
            running = RunningBuilder(command)
    except ValueError as error:
        raise BadDerivation(
            task.name, f"a variable or argument cannot be given to a program: {error}"
        ) from error
    try:
        running.listen(lambda piece: _hear(attempt, piece), _checkpoint(attempt))
        ended = running.ended()
    except BuilderHalted as halted:
        running.close()
        raise _failure(attempt, halted.reason) from None
    finally:
        running.close()
    _judge(attempt, ended)


def _hear(attempt: _Attempt, piece: bytes) -> None:
    attempt.log.write(piece)
    attempt.settings.heard(attempt.task.name, piece)
    check_output(attempt.settings.limits, attempt.log.size)


def _checkpoint(attempt: _Attempt) -> Callable[[float], None]:
    """Return the function that ends a builder with denizen or by its limits, given its seconds of silence."""
    look = clock_of(attempt.settings.limits)

    def checkpoint(silent: float) -> None:
        attempt.task.checkpoint()
        look(silent)

    return checkpoint


def _judge(attempt: _Attempt, ended: Ended) -> None:
    """Raise unless the builder succeeded."""
    if ended.succeeded:
        return
    name = attempt.task.name
    said = " ".join(display(line) for line in attempt.log.tail(3)).removeprefix("denizen: ")
    if ended.refused:
        raise SandboxForbidden(name, said)
    if not ended.started:
        raise BuilderNotStarted(name, said)
    raise _failure(attempt, _reason(ended.status))


def _reason(status: int | None) -> str:
    if status is None:
        return "its builder and what guards it were killed"
    if os.WIFSIGNALED(status):
        import signal

        number = os.WTERMSIG(status)
        known = number in {one.value for one in signal.Signals}
        return f"its builder was killed by {signal.Signals(number).name if known else f'signal {number}'}"
    return f"its builder ended with status {os.waitstatus_to_exitcode(status)}"


def _failure(attempt: _Attempt, reason: str) -> BuildFailed:
    kept = b""
    if attempt.settings.keep_failed is not None:
        with doing("keep the directory of a failed build in", attempt.settings.keep_failed):
            kept = keep_build(attempt.room, attempt.settings.keep_failed, attempt.task.name)
    said = tuple(attempt.log.tail(_TAIL_LINES))
    return BuildFailed(attempt.task.name, reason, said, attempt.task.sealed.path, kept)
