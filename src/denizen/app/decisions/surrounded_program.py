"""The decision about a program with a tree of packages around it that is not entered (standing_tree)."""

from __future__ import annotations

from denizen.app.decisions.strategy_choice import files_for
from denizen.app.environments.fhs_decision import machine_of_scripts
from denizen.app.run_time.brought_files import show_files
from denizen.disk_view import DiskView
from denizen.elf.script import MAX_STEPS
from denizen.fileview import exists
from denizen.launch.decisions.decision_store import variant
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.fast_path import decided
from denizen.launch.program import open_program
from denizen.launch.resources.resource_tree import whole_systems
from denizen.launch.script_launch import interpreter_of
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from denizen.app.environments.standing_tree import StandingTree
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.elf.script import Script
    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.store.local import Store

    # Decides about the program at a path.
    Decider: TypeAlias = Callable[[Session, bytes, RunRequest], Decision]


class SurroundedPrograms:
    """The decisions about programs that find the files of trees around them."""

    def __init__(self, session: Session, store: Store, wanted: RunRequest, decide: Decider) -> None:
        """Take the options of the programs' starts, and what decides about a program in machine code."""
        self._session = session
        self._store = store
        self._wanted = wanted
        self._decide = decide
        self._decision_store = variant(session.paths.decisions, wanted.variant)

    def decided(self, program: bytes, around: StandingTree) -> Decision | None:
        """Return the decision about a program with a tree around it; it is kept.

        Return None for a script whose interpreter is not to be had.
        """
        opened = open_program(DiskView(), program)
        if opened.image is not None and opened.image.interpreter is None:
            return self._decide(self._session, program, self._wanted)  # no library inside it would look there
        if opened.script is None:
            return self._surrounded(program, around)
        found = self.interpreted(opened, opened.script, around)
        if found is not None:
            self._decision_store.write(found, movable=False)
        return found

    def interpreted(self, program: Program, script: Script, around: StandingTree) -> Decision | None:
        """Return the decision about a script, whose interpreter is the tree's where the host has none.

        That finds the files around the script too. Return None if it is not to be had.
        """
        found, interpreter = decision_of_host(program), interpreter_of(script)[0]
        if exists(program.view, interpreter):
            return found
        words = _interpreted_by(script, around)
        if not words:
            return None
        self._surrounded(words[0], around)
        files = files_for(self._session, program, self._wanted, self._decision_store.directory)
        command = (files.plain_loader(), b"--as", *words)
        return replace(found, command=command, objects=words[:1], machine=machine_of_scripts())

    def _surrounded(self, program: bytes, around: StandingTree) -> Decision:
        """Return the decision about a program that finds what is in a tree, beside what it found before."""
        before = decided(self._decision_store.directory, program)
        if before is None or not whole_systems(before.objects):
            found = self._decide(self._session, program, replace(self._wanted, around=(around.tree,)))
            self._decision_store.keep_besides(self._store.layout, found, (around.object,))
            return found
        if around.tree not in before.objects:
            before = replace(before, objects=(*before.objects, around.tree))
            self._decision_store.write(before, movable=False)
            self._decision_store.keep_besides(self._store.layout, before, (around.object,))
            show_files(self._decision_store, before, (around.tree,))
        return before


def _interpreted_by(script: Script, around: StandingTree) -> tuple[bytes, ...]:
    """Return the tree's program that interprets a script, and how it is called before the script's own words.

    Where that is a script itself, its interpreter's words come first. Return () if the tree lacks one.
    """
    called: tuple[bytes, ...] = ()
    for _ in range(MAX_STEPS):
        path, words = interpreter_of(script)
        program = around.program_at(path)
        if not program:
            return ()
        called = (*words, *called)
        beyond = open_program(DiskView(), program).script
        if beyond is None:
            return (program, *called)
        script, called = beyond, (program, *called[1:])
    return ()
