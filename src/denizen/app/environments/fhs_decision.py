"""The decision that a program starts in an environment that has it."""

from __future__ import annotations

from denizen.app.available_commands import AvailableCommands
from denizen.app.environments.fhs_resident import keep_answers, listing_inside, program_started
from denizen.app.helper_command import helper_words
from denizen.disk_view import DiskView, RootedView
from denizen.fhs.registered_formats import interpreter_in
from denizen.host import machine_name
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.decisions.program_identity import machine_word
from denizen.launch.program import open_program
from denizen.launch.strategies.fhs import environment_command
from denizen.launch.strategies.loader_files import ChildDecisions, LoaderFiles
from denizen.machines import by_kernel
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.fhs.entry_command import Inside
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore


class InsideProgram(Value):
    """A program in an environment.

    Attributes:
        place: the program's path in the environment, no link.
        name: the path by which it is executed, which may be a link.
        is_renamed: the program is called by that path too, whatever the caller calls it.
    """

    around: Inside
    place: bytes
    name: bytes
    is_renamed: bool = False


def decision_inside(
    session: Session,
    wanted: RunRequest,
    decision_store: DecisionStore,
    program: InsideProgram,
    otherwise: tuple[bytes, ...] = (),
) -> Decision:
    """Return the decision that starts the program in its environment; it is not kept yet.

    `otherwise` is executed where the kernel refuses a namespace.

    What the program gets while it runs there is kept in a decision of its own (fhs_resident).
    """
    from denizen.launch.fast_path import directory_of

    around, directory = program.around, decision_store.directory
    opened = open_program(DiskView(), around.tree + program.place)
    followers = wanted.followers
    hermetic = directory_of(
        session.paths.decisions, replace(followers, hermetic=True, strategy="direct").variant
    )
    # What a shell that was brought executes may be elsewhere than in its environment.
    brings = None if wanted.lock is not None else AvailableCommands(session, wanted).has
    children = ChildDecisions(
        helper_words(session, "decide", followers.words), directory, brings, hermetic=hermetic
    )
    files = LoaderFiles(opened, directory, session.paths.state, children)
    words = environment_command(opened, files, around, otherwise)
    base = decision_of_host(opened)
    started = interpreter_in(RootedView(around.tree), program.place)
    listing: tuple[bytes, ...] = ()
    inside = program_started(around.tree, started or program.place)
    if inside is not None:
        answering = keep_answers(session, wanted, decision_store, around.tree, inside)
        if answering is not None:
            listing = listing_inside(around.tree, replace(files, program=inside), answering)
    # The path by which it is executed: the program finds its own files by it.
    word = b"at" if program.is_renamed else b"as"
    by = (b"as", started, b"given", program.name) if started else (word, program.name)
    command = (*words[:-1], *listing, *by, words[-1])
    return replace(
        base, command=command, objects=(around.tree,), machine=base.machine or machine_of_scripts()
    )


def machine_of_scripts() -> int:
    """Return the `machine` of decisions about scripts, which is that of the loader that reads them."""
    machine = by_kernel(machine_name())
    assert machine is not None  # own_architecture made sure of it
    return machine_word(machine.bits, machine.e_machine)
