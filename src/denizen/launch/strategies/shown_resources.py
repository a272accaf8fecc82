"""Files of packages, and commands, that are shown to one program at paths which the host lacks."""

from __future__ import annotations

from denizen.launch.program import once_read
from denizen.launch.resources.certificates import authorities, bundle_of_host, missing_bundles
from denizen.launch.resources.command_paths import command_paths
from denizen.launch.resources.fixed_paths import FixedPathResource, fixed_path_resources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.launch.program import Program
    from denizen.launch.strategies.loader_files import LoaderFiles


def shown_resources(
    program: Program, files: LoaderFiles, objects: Sequence[bytes]
) -> tuple[FixedPathResource, ...]:
    """Return the files with their paths. Raises OSError, LoaderAbsent.

    `objects` are the trees of packages and the libraries beside the program, as a decision lists them.
    """
    commands = commands_not_here(program, files, objects)
    stand_ins = (FixedPathResource(path, files.stand_in(path), directory=False) for path in commands)
    found = fixed_path_resources(program.view, objects)
    return (*found, *_certificates(program, files, objects), *stand_ins)


def _certificates(program: Program, files: LoaderFiles, objects: Sequence[bytes]) -> list[FixedPathResource]:
    content = authorities(program.view, objects)
    missing = missing_bundles(program.view) if content else ()
    if not missing:
        return []
    source = bundle_of_host(program.view)
    source = program.view.realpath(source) if source else files.certificates(content)
    return [FixedPathResource(path, source, directory=False) for path in missing]


def commands_not_here(
    program: Program, files: LoaderFiles, objects: Sequence[bytes] = ()
) -> tuple[bytes, ...]:
    """Return the paths of commands that the program executes, the host lacks, and packages may provide."""
    has = files.children.has_command
    if has is None:
        return ()
    own = (program.path, *objects) if program.image is not None else ()
    return command_paths(once_read(program), own, has)
