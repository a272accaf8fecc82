"""The decisions by which programs of an environment get what they open and start, and the environment lacks.

The dynamic linker of the environment finds what a program starts with, as a host's does. What a package opens
at run time it only recommends, or leaves to whoever installs it (Java's library of fonts needs HarfBuzz), and
an environment that denizen makes by itself has what is depended on. The loader, which lies over the
environment's dynamic linker, looks such decisions up by the environment and the program's name
(`follow_inside` in loader/start.c): many environments link to one file, and each link changes its times.
"""

from __future__ import annotations

import contextlib
import os
import stat

from denizen.app.command_package import COMMAND_PATH
from denizen.app.host_linker_environment import host_context
from denizen.app.resolution.opened_links import make_opened_links_inside
from denizen.disk_view import DiskView, EnvironmentView, RootedView
from denizen.elf.script import MAX_STEPS
from denizen.errors import BadInput
from denizen.fhs.entry_command import located
from denizen.fileview import exists
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.dlopen_record import place_of_named
from denizen.launch.fast_path import NAMED, lacks, name_of_decision, read_decision
from denizen.launch.loader.ldconfig import PATH as LDCONFIG
from denizen.launch.program import open_program
from denizen.launch.resident_choice import with_answers
from denizen.linker import resolve
from denizen.resolve.cache.cached_view import CachedView
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.decisions.decision_store import DecisionStore
    from denizen.launch.program import Program
    from denizen.launch.strategies.loader_files import LoaderFiles

_SET_RIGHTS = stat.S_ISUID | stat.S_ISGID


def program_started(tree: bytes, place: bytes) -> Program | None:
    """Return the program that the kernel starts for a path in an environment: it, or a script's interpreter.

    Return None for one that gets no answers: static, with rights of its file, or not to be found.
    """
    view = EnvironmentView(tree)
    with contextlib.suppress(OSError, BadInput):
        for _ in range(MAX_STEPS):
            program = open_program(DiskView(), tree + view.realpath(place))
            script = program.script
            if script is None:
                image = program.image
                is_dynamic = image is not None and image.interpreter is not None
                return program if is_dynamic and not program.stat.mode & _SET_RIGHTS else None
            named = script.env.program if script.env is not None else script.interpreter
            place = located(tree, named or b"", COMMAND_PATH)
    return None


def keep_answers(
    session: Session, wanted: RunRequest, decision_store: DecisionStore, tree: bytes, program: Program
) -> Decision | None:
    """Return the kept decision about a program in the environment `tree`; it is made if there is none.

    Return None where the program opens and starts nothing, and where no directory can be made for what it
    opens: it starts without.
    """
    from denizen.app.supply.store_access import made_store

    name = name_of_decision(tree, program.path)
    known = read_decision(os.path.join(decision_store.directory, NAMED, name))
    if known is not None and known.generation >= GENERATION and not lacks(known):
        return known
    try:
        made = _answering(session, wanted, decision_store, tree, program)
    except (OSError, BadInput):
        return None
    if not made.opened and not made.executes:
        return None
    with made_store(session) as store:
        decision_store.write_named(store.layout, name, made)
    return made


def _answering(
    session: Session, wanted: RunRequest, decision_store: DecisionStore, tree: bytes, program: Program
) -> Decision:
    base = replace(decision_of_host(program), objects=(tree,))
    # A tree has /usr alone; links such as /lib64 into it are made on entering.
    ldso = b"/usr" + program.interpreter.removeprefix(b"/usr")
    view = CachedView(RootedView(tree))
    context = host_context(session.environ, ldso).environment
    environment = replace(context, parse=view.parse, interpreter_path=ldso)
    closure = resolve(view, program.path.removeprefix(tree), environment)

    def directory() -> bytes:
        place = place_of_named(decision_store.directory, name_of_decision(tree, program.path), (ldso,))
        return make_opened_links_inside(session, place, program, wanted, tree).directory

    return with_answers(base, closure, view.image(ldso), directory)


def listing_inside(tree: bytes, files: LoaderFiles, answering: Decision) -> tuple[bytes, ...]:
    """Return the steps of `denizen-enter` that let a program see what it could open (docs/decisions/0009).

    They put denizen-ldconfig over the environment's own; () for a program that opens nothing.
    """
    view = EnvironmentView(tree)
    if not answering.opened or not exists(view, LDCONFIG):
        return ()
    place = view.realpath(LDCONFIG)
    hidden = files.hidden(place)
    return (b"bind", place, hidden, b"bind", files.ldconfig(answering, hidden), place)
