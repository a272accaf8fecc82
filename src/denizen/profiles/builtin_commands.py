"""`builtin:commands`: the commands of an installed thing, as files that start themselves (pure).

    bin/NAME           denizen's loader, configured for installed commands: every NAME is a link to one file
    programs/NAME   -> ../../<hash>-package/usr/bin/NAME
    recipe             the packages that the programs need; read where a decision has to be made again
    share/…            desktop entries and services whose programs are named by paths in /usr, rewritten

The loader finds `programs/NAME` beside itself, by /proc/self/exe, and the decision how that program starts by
the object's hash and NAME (docs/decisions/0011).

Variables: `loader`, a store path of one file; `programs`, a line each: name, store path, path in the object;
`element`, the text of recipe; `texts`, a line each: store path, path in the object, path here.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import Ingredient, recipe, table
from denizen.build.derivation import BadDerivation
from denizen.errors import display
from denizen.formats.entry_name import is_entry_name
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.builtin_derivations import Variables
    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath

BUILDER = b"builtin:commands"
BIN, PROGRAMS, ELEMENT = b"bin", b"programs", b"recipe"


@value
class InstalledProgram:
    """A command and its program.

    Attributes:
        path: the object with the program.
        inside: the program's path in it, relative; b"" where the object is the program.
    """

    name: bytes
    path: StorePath
    inside: bytes


@value
class RewrittenText:
    """A desktop entry or the like, of an object, that appears here with its commands renamed."""

    path: StorePath
    inside: bytes
    outside: bytes


@value
class CommandsPlan:
    """The content of an object of commands."""

    loader: StorePath
    programs: tuple[InstalledProgram, ...]
    element: bytes
    texts: tuple[RewrittenText, ...]


def exposing(plan: CommandsPlan, store_dir: bytes) -> Derivation:
    """Return the recipe for the object."""
    programs = [(one.name, one.path.inside(store_dir), one.inside) for one in plan.programs]
    texts = [(one.path.inside(store_dir), one.inside, one.outside) for one in plan.texts]
    variables = {
        b"loader": plan.loader.inside(store_dir),
        b"programs": table(programs),
        b"element": plan.element,
        b"texts": table(texts),
    }
    used = {plan.loader, *(one.path for one in plan.programs), *(one.path for one in plan.texts)}
    return recipe(BUILDER, variables, map(Ingredient, sorted(used)), store_dir)


def read(variables: Variables) -> CommandsPlan:
    """Return the plan in a derivation. Raises BadDerivation, BadStorePath."""
    programs = [
        InstalledProgram(_name(variables, name), variables.store_path(path), _inside(variables, inside))
        for name, path, inside in variables.rows(b"programs", 3)
    ]
    texts = [
        RewrittenText(
            variables.store_path(path), _inside(variables, inside), _inside(variables, outside) or b"share"
        )
        for path, inside, outside in variables.rows(b"texts", 3)
    ]
    if len({one.name for one in programs}) != len(programs):
        raise BadDerivation(variables.name, "two of its commands have one name")
    loader = variables.store_path(variables.text(b"loader"))
    return CommandsPlan(loader, tuple(programs), variables.text(b"element"), tuple(texts))


def program_link(program: InstalledProgram) -> bytes:
    """Return the text of the link `programs/NAME`."""
    return b"../../%b" % program.path.base.encode("ascii") + (
        b"/" + program.inside if program.inside else b""
    )


def _name(variables: Variables, name: bytes) -> bytes:
    if not is_entry_name(name):
        raise BadDerivation(variables.name, f"'{display(name)}' is not the name of a command")
    return name


def _inside(variables: Variables, path: bytes) -> bytes:
    if path and not all(map(is_entry_name, path.split(b"/"))):
        raise BadDerivation(variables.name, f"'{display(path)}' is not a path in a tree")
    return path


def commands_text(programs: Sequence[InstalledProgram]) -> dict[bytes, bytes]:
    """Return for each path of a program on a whole system the command that stands for it."""
    return {b"/" + one.inside: one.name for one in programs if one.inside}
