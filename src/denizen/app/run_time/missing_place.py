"""The answer to a running program that looks at a place which packages would fill (/usr/lib/jvm).

It misses no library and no command: it lists a directory, or asks whether a file is there, and does without
where it is not. `looked` of resolve/rules.toml names the places, for no index says which of the packages that
have files below one would do. The library inside the program (loader/inside/missing_place.c) waits.
"""

from __future__ import annotations

import os

from denizen.app.run_time.brought_files import is_mirrored_here
from denizen.app.run_time.program_around import decisions_around, decisions_with_tree
from denizen.app.run_time.running_program import NotOurs, running
from denizen.app.supply.store_access import made_store
from denizen.launch.command_links import commands_of, is_command
from denizen.launch.decisions.decision_store import variant
from denizen.launch.kept_out import NOT_FETCHED, NOT_LOCKED, NOT_PACKAGED, NOT_SHOWN
from denizen.resolve.missed_library_choice import place_filled
from denizen.resolve.rule_packs import load_rules
from denizen.sources.errors import Offline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.run_time.running_program import RunningProgram
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.resolve.rule_packs import Resource


def fill_place(session: Session, place: bytes, program: bytes, wanted: RunRequest) -> None:
    """Show what packages have at a place to the program around, or record why nothing comes.

    Args:
        session: the paths and the reporter.
        place: where a program looks.
        program: that program's path, or its file name; the record is kept by that.
        wanted: the options of the program's start.

    Raises:
        NotOurs: no rule names the place, or the program has no such name.
        OSError: and the errors of fetching and realising. Nothing is recorded then.
    """
    rule, name = _rule(place), os.path.basename(program)
    if not is_command(name):
        raise NotOurs(place)
    reason = _fill_around(session, rule, place, program, wanted)
    if reason:
        links = commands_of(variant(session.paths.decisions, wanted.variant).directory)
        links.leave_unfilled(name, place, reason)


def fill_place_below(session: Session, directory: bytes, place: bytes, wanted: RunRequest) -> None:
    """Show packages' files at a place in the sysroot of an emulated program, or record why nothing comes.

    Args:
        session: the paths and the reporter.
        directory: the directory of links of the program's decision.
        place: where the program looks.
        wanted: the options of the program's start.

    Raises:
        NotOurs: no rule names the place.
        OSError: and the errors of fetching and realising. Nothing is recorded then.
    """
    rule = _rule(place)
    with running(session, directory, wanted) as program:
        program.opened.let_in(place)
        reason = _fill(program, rule, place)
        if reason:
            program.opened.deny_path(place, reason)


def _rule(place: bytes) -> Resource:
    rule = next((one for one in load_rules().resources if place in one.looked), None)
    if rule is None:
        raise NotOurs(place)
    return rule


def _fill_around(session: Session, rule: Resource, place: bytes, program: bytes, wanted: RunRequest) -> str:
    """Show what the rule's packages have; return the reason why nothing can be shown, "" for none."""
    around = decisions_around(session.paths.decisions) if is_mirrored_here() else []
    found = around or decisions_with_tree(session.paths.decisions, program)
    opened = next((decision.opened for _, decision in found if decision.opened), b"")
    if not opened:
        return NOT_SHOWN
    with running(session, opened, wanted) as one:
        return _fill(one, rule, place)


def _fill(program: RunningProgram, rule: Resource, place: bytes) -> str:
    """Show what the rule's packages have; return the reason why nothing comes, "" for none."""
    if program.opened.is_locked:
        return program.keep_out(place, NOT_LOCKED, "run")
    try:
        return _bring(program, rule, place)
    except Offline:
        program.keep_out(place, NOT_FETCHED, "run")
        raise


def _bring(program: RunningProgram, rule: Resource, place: bytes) -> str:
    resolution = program.choose(place_filled, rule.packages)
    if resolution is None:
        return NOT_PACKAGED
    with made_store(program.session) as store, store.working() as work:
        added = program.addition(store, resolution)
        if added.new and (left_out := program.left_out(place, added.size, rule.packages[0])) is not None:
            return left_out
        program.install(store, work, resolution, added.new)
        program.record_packages(added.new)
    return ""
