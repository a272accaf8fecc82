"""Start of a program: this process becomes it by the kept decision, or by one that is made first.

Most starts have a kept decision; only `launch.fast_path` is imported for them.
"""

from __future__ import annotations

import os

from denizen.app.start_request import no_such_program
from denizen.errors import EXIT_CANNOT_START, DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.decisions.decision_maker import Decided
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision


class NotStarted(DenizenError):
    """The error that the kernel refused to execute a program that should have started."""

    exit_status = EXIT_CANNOT_START
    name: bytes
    reason: str
    WHAT = "cannot start {name}"
    WHY = "{reason:text}"
    REMEDY = "denizen why {name}"


def start_program(session: Session, program: bytes, arguments: list[bytes], wanted: RunRequest) -> None:
    """Become the program; a decision is made first where none is kept. Return never, except by an error.

    Args:
        session: the paths and the reporter.
        program: the program's path.
        arguments: its arguments, without its own name.
        wanted: the options of the start.

    Raises:
        NoSuchProgram: there is no file at `program`.
        NotStarted: the kernel refused it. Also the errors of `decide`.
    """
    from denizen.launch.decisions import GENERATION
    from denizen.launch.fast_path import start

    decision: Decision | None = None
    if not (wanted.strategy or wanted.excluded):
        try:
            directory, decision = _decided(session, program, wanted)
            if decision is None and wanted.library_path:
                _decide_apart(session, program, wanted)
                directory, decision = _decided(session, program, wanted)
        except OSError as problem:
            raise no_such_program(program, problem) from problem
        if decision is not None and decision.generation < GENERATION:
            decision = _renewed(session, program, wanted, decision)
        if decision is not None and not _names_more(session, wanted, decision, directory, arguments):
            session.reporter.leave()
            try:  # noqa: SIM105  # contextlib is one more import on the warm path
                start(directory, decision, program, arguments)
            except OSError:
                pass  # denizen's tool is missing: decide again below; a second failure is reported
    from denizen.launch.named_commands import names_in
    from denizen.value import replace

    try:
        made = _made(session, program, replace(wanted, named=names_in(arguments)), decision)
    except (DenizenError, OSError):
        from denizen.app.writable_layer import start_in_layer

        start_in_layer(session, program, arguments, wanted)
        raise
    if made.unstarted:
        session.reporter.say(f"denizen: {made.unstarted}")
    session.reporter.leave()
    try:
        start(made.directory, made.decision, program, arguments)
    except OSError as problem:
        raise NotStarted(program, problem.strerror or str(problem)) from problem


def _made(session: Session, program: bytes, wanted: RunRequest, failed: Decision | None) -> Decided:
    """Return the decision that is made now, or where --offline allows none the one of starts without it."""
    from denizen.app.decisions.decision_maker import Decided, decide
    from denizen.value import replace

    try:
        return decide(session, os.path.abspath(program), wanted, failed)
    except DenizenError as problem:
        if not wanted.stays_offline or wanted.strategy or wanted.excluded:
            raise
        directory, known = _decided(session, program, replace(wanted, stays_offline=False))
        if known is None:
            raise
        session.reporter.say(f"denizen: in spite of --offline it may fetch while it runs: {problem.what}")
        return Decided(directory, known)


def _names_more(
    session: Session, wanted: RunRequest, decision: Decision, directory: bytes, arguments: list[bytes]
) -> bool:
    """Tell whether a static program's arguments name commands that packages have and it does not see yet."""
    if not decision.names_commands:
        return False
    from denizen.launch.command_links import commands_of
    from denizen.launch.named_commands import unknown_names

    links = commands_of(directory)
    names = unknown_names(decision, links, arguments)
    if not names:
        return False
    from denizen.app.available_commands import AvailableCommands

    return bool(AvailableCommands(session, wanted).to_be_named(links, names))


def _decided(session: Session, program: bytes, wanted: RunRequest) -> tuple[bytes, Decision | None]:
    """Return the directory and the decision that is still valid, None for none.

    Raises OSError: no such program.

    A decision that the host satisfies without LD_LIBRARY_PATH is also used with it: the program starts
    natively.
    """
    from denizen.launch.fast_path import decided, directory_of
    from denizen.launch.virtualenv import newest

    since = newest(wanted.trees)
    directory = directory_of(session.paths.decisions, wanted.variant)
    if wanted.library_path:
        plain = directory_of(session.paths.decisions, wanted.without_library_path.variant)
        decision = decided(plain, program, since)
        if decision is not None and decision.host:
            return plain, decision
    return directory, decided(directory, program, since)


def _renewed(session: Session, program: bytes, wanted: RunRequest, old: Decision) -> Decision:
    """Return a decision by the present rules; the old one where that fails, as without a network."""
    from denizen.app.decisions.decision_maker import decide

    try:
        return decide(session, os.path.abspath(program), wanted).decision
    except DenizenError as problem:
        session.reporter.say(f"denizen: not decided again, which it should be: {problem.what}")
        return old


def _decide_apart(session: Session, program: bytes, wanted: RunRequest) -> None:
    """Decide in a child process without the user's LD_LIBRARY_PATH, which reports its own errors.

    The libraries of a vendor's bundle may be older than Python's own extension modules need.
    """
    import subprocess

    from denizen.app.helper_command import helper_words
    from denizen.app.library_path import VARIABLE

    given = {name: text for name, text in session.environ.items() if name != VARIABLE}
    command = [*helper_words(session, "decide", wanted.words), b"--", os.path.abspath(program)]
    done = subprocess.run(command, env=given, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
