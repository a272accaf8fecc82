"""The kept decision about a command of a profile: its name, and whether it is still valid."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest


def is_decided(session: Session, command: bytes, wanted: RunRequest) -> bool:
    """Tell whether a decision about a command was made by the present rules, and what it needs is here."""
    from denizen.launch.decisions import GENERATION
    from denizen.launch.decisions.decision_needs import needs_of
    from denizen.launch.fast_path import NAMED, directory_of, stored_among, trusted_content, untouched

    directory = directory_of(session.paths.decisions, wanted.variant)
    content = trusted_content(os.path.join(directory, NAMED, command_key(command)))
    needs = needs_of(content) if content is not None else None
    if needs is None or needs[0] < GENERATION:
        return False
    _, objects, files, search = needs
    return all(map(os.path.exists, objects)) and all(map(untouched, stored_among(files, search)))


def command_key(command: bytes) -> bytes:
    """Return the name by which the loader (run_as_program.c) looks for the decision about a command."""
    from denizen.launch.fast_path import name_of_decision

    return name_of_decision(os.path.dirname(os.path.dirname(command)), command)
