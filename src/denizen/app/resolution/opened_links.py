"""The directory of links to the libraries that a program opens at run time, made for its decision.

How its links are kept, and what is noted beside them, says launch/dlopen_record.py.
"""

from __future__ import annotations

import os

from denizen.app.resolution.resolve_program import files_of, indexed_suites, indexes_of
from denizen.launch.dlopen_record import Opened
from denizen.machines import TRIPLETS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session
    from denizen.app.start_request import RunRequest
    from denizen.launch.program import Program


def make_opened_links(session: Session, directory: bytes, program: Program, wanted: RunRequest) -> Opened:
    """Return the directory, made unless it is there, with the indexes that say what could be brought.

    Raises OSError.
    """
    opened = Opened(directory)
    opened.make(locked=wanted.lock is not None)
    suites = indexed_suites(session, program.path, wanted.suites)
    opened.look_in(files_of(indexes_of(session, program.path, suites)))
    return opened


def make_opened_links_inside(
    session: Session, directory: bytes, program: Program, wanted: RunRequest, tree: bytes
) -> Opened:
    """Return the directory for a program in the environment `tree`, which `make_opened_links` makes.

    What the environment has, the dynamic linker finds there. Raises OSError.
    """
    opened = make_opened_links(session, directory, program, wanted)
    opened.leave_to_environment(tree, default_directories(tree))
    return opened


def default_directories(tree: bytes) -> tuple[bytes, ...]:
    """Return the directories of an environment's tree, as paths inside, that glibc searches by itself."""
    usual = (b"/usr/lib64", b"/usr/lib", *(b"/usr/lib/" + triplet for triplet in sorted(TRIPLETS)))
    return tuple(path for path in usual if os.path.isdir(tree + path))
