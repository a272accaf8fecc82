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
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath
    from denizen.profiles.rewritten_text import RewrittenText

BUILDER = b"builtin:commands"
BIN, PROGRAMS, ELEMENT = b"bin", b"programs", b"recipe"


class InstalledProgram(Value):
    """A command and its program.

    Attributes:
        path: the object with the program.
        inside: the program's path in it, relative; b"" where the object is the program.
    """

    name: bytes
    path: StorePath
    inside: bytes


class CommandsPlan(Value):
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


def program_link(program: InstalledProgram) -> bytes:
    """Return the text of the link `programs/NAME`."""
    return b"../../%b" % program.path.base.encode("ascii") + (
        b"/" + program.inside if program.inside else b""
    )


def commands_text(programs: Sequence[InstalledProgram]) -> dict[bytes, bytes]:
    """Return for each path of a program on a whole system the command that stands for it."""
    return {b"/" + one.inside: one.name for one in programs if one.inside}
