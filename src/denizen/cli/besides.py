"""What a program opens at run time from where nobody would look: --with PATH, its virtual environment."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.cli.run import Wanted
    from denizen.fileview import FileView


def added_to(view: FileView, program: bytes, wanted: Wanted) -> tuple[bytes, ...]:
    """The objects themselves. Raises OSError: a place is not there."""
    places = [name for name in extra_for(program, wanted) if b"/" in name]
    if not places:
        return ()
    from denizen.resolve.roots import added_objects

    return added_objects(view, places, program)


def extra_for(program: bytes, wanted: Wanted) -> list[bytes]:
    """Sonames, packages and paths to resolve besides; trees of modules are for Pythons alone."""
    from denizen.launch.virtualenv import extension_modules, is_python, site_packages

    trees = wanted.trees if wanted.trees and is_python(os.path.realpath(program)) else ()
    places = [place for tree in trees for place in site_packages(tree)]
    # A world that is chosen for the packages has to serve the interpreter's own modules too.
    places += extension_modules(program, trees)
    return [os.fsencode(name) for name in (*wanted.extra, *places)]


def wished(names: Sequence[str], program: bytes) -> list[bytes]:
    """The same for commands that start nothing, from what was typed. Raises NotThere."""
    from denizen.cli.run import Wanted, absolute, for_program

    wanted = for_program(Wanted(extra=tuple(map(absolute, names))), program)
    return extra_for(program, wanted)
