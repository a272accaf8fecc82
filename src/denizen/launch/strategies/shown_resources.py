"""Files of packages, and commands, that are shown to one program at paths which the host lacks."""

from __future__ import annotations

from denizen.fileview import exists
from denizen.launch.loader.ldconfig import PATH as LDCONFIG
from denizen.launch.program import once_read
from denizen.launch.resources.certificates import authorities, missing_bundles
from denizen.launch.resources.command_paths import command_paths, is_missing, searched_paths
from denizen.launch.resources.fixed_paths import FixedPathResource, fixed_path_resources
from denizen.launch.resources.host_names import missing_host_names
from denizen.launch.resources.passwd_files import asks_for_accounts, missing_accounts
from denizen.launch.resources.processors import missing_processor_directories, missing_processor_lists
from denizen.launch.resources.resource_tree import whole_systems
from denizen.sources.tls_authorities import bundle_of_host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.program import Program
    from denizen.launch.strategies.loader_files import LoaderFiles


def shown_resources(program: Program, files: LoaderFiles, base: Decision) -> tuple[FixedPathResource, ...]:
    """Return the files with their paths. Raises OSError, LoaderAbsent.

    The decision `base` lists the trees of packages and the libraries beside the program.
    """
    commands = stand_ins(program, files, base.objects)
    if base.opened and is_missing(program.view, LDCONFIG):
        commands.append(FixedPathResource(LDCONFIG, files.ldconfig(base), directory=False))
    return (*shown_files(program, files, base), *_processors(program, files), *commands)


def stand_ins(program: Program, files: LoaderFiles, objects: Sequence[bytes]) -> list[FixedPathResource]:
    """Return the loaders in the places of commands that the host lacks. Raises OSError, LoaderAbsent."""
    return [
        FixedPathResource(path, files.stand_in(path), directory=False, linked=True)
        for path in commands_not_here(program, files, objects)
        if path != LDCONFIG
    ]


def linked_resources(program: Program, files: LoaderFiles, base: Decision, top: bytes) -> bytes:
    """Make links to what `shown_resources` shows, for a start without a namespace, in a tree at `top`.

    Return its path, b"" where nothing is to be shown. Raises OSError, LoaderAbsent.
    """
    from denizen.launch.resources.resource_tree import make_resource_tree

    return make_resource_tree(top, shown_resources(program, files, base), whole_systems(base.objects))


def shown_files(program: Program, files: LoaderFiles, base: Decision) -> tuple[FixedPathResource, ...]:
    """Return the files of packages with their paths. Raises OSError.

    The decision `base` lists the trees of packages.
    """
    systems = whole_systems(base.objects)
    found = fixed_path_resources(program.view, [one for one in base.objects if one not in systems])
    names = missing_host_names(program.view, base.objects, whole=bool(systems))
    if systems or base.opened or asks_for_accounts(program.image):  # what it opens may ask for its user
        names |= missing_accounts(program.view, files.owner(), systems)
    made = [FixedPathResource(path, files.text(text), directory=False) for path, text in names.items()]
    return (*found, *made, *_certificates(program, files, base.objects))


def _processors(program: Program, files: LoaderFiles) -> list[FixedPathResource]:
    """Return the lists and directories of processors; a static part of any program may read them."""
    view, count = program.view, files.processors()
    lists = missing_processor_lists(view, count).items()
    directories = missing_processor_directories(view, count)
    return [
        *(FixedPathResource(path, files.text(text), directory=False) for path, text in lists),
        *(FixedPathResource(path, files.stage(), directory=True) for path in directories),
    ]


def ldconfig_instead(program: Program, files: LoaderFiles, base: Decision) -> tuple[bytes, ...]:
    """Return the steps of `denizen-enter` that put denizen-ldconfig over the host's; () for none.

    Raises OSError, LoaderAbsent.
    """
    if not base.opened or not exists(program.view, LDCONFIG):
        return ()
    place = program.view.realpath(LDCONFIG)
    hidden = files.hidden(place)
    return (b"aside", place, hidden, b"bind", files.ldconfig(base, hidden), place)


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
    has, sees = files.children.has_command, files.children.sees_command
    if has is None:
        return ()
    own = (program.path, *objects) if program.image is not None else ()
    found = command_paths(once_read(program), own, has)
    image = program.image
    if sees is None or image is None or not program.starts_others:
        return found
    named = files.children.named() if files.children.named is not None else ()
    besides = (*found, *(path for path in named if path not in found))
    return (*besides, *searched_paths(program.view, image, sees, besides))
