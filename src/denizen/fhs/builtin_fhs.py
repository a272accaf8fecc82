"""`builtin:fhs`: the derivation of an environment's tree (pure).

Variables:

    packages     the unpacked packages, a line each; of files of one name the earlier package's is taken
    replaces     pairs of packages: the first one's file is taken where both have it (dpkg's Replaces)
    links        alternatives, and configuration files: link, its target; made where the target exists
    locales      the locales wanted besides C.UTF-8
    triplets     the multiarch directories there are
    rules        triggers.toml as it was when this was written, so that the recipe says all
    diversions   where there are any, dpkg's: path, the path that packages' files get instead, and a package
                 whose file stays; nothing for none
    accounts     where there are any, those that scripts make, as lines of sysusers.d
    directories  where there are any, the directories of state that scripts make
    standing     not empty for a tree that nobody enters: see Parts
    confined     not empty for such a tree whose triggers are run, as far as that can be done there

Unlike `builtin:union` its files are hard links, not symbolic ones: a program that asks where it is
(/proc/self/exe, realpath, $ORIGIN) must find its neighbours, and these are often of another package. Disk is
shared all the same. The file `packages` at the top names the packages, so they are references, and stay
as long as the environment does.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import recipe, table
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.build.builtin_derivations import Ingredient
    from denizen.build.builtin_variables import Variables
    from denizen.formats.aterm import Derivation
    from denizen.formats.storepath import StorePath

BUILDER = b"builtin:fhs"
# The file at the top of the tree that has the base names of the packages.
PACKAGES = b"packages"
# Of all packages, by scripts and declarations: lines of sysusers.d(5), and directories of state, a line each.
ACCOUNTS = b"usr/share/denizen/accounts"
DIRECTORIES = b"usr/share/denizen/directories"


class Parts(Value):
    """The inputs of an environment's derivation.

    Attributes:
        packages: the unpacked packages.
        replaces: pairs of packages; the first one's file is used where both have it.
        links: (link, target) of alternatives, and of configuration files to their templates.
        locales: locales besides C.UTF-8.
        triplets: the multiarch directories, the native one first.
        rules: the text of triggers.toml.
        diversions: dpkg's: (path, the path that packages' files get, a package whose file stays or None).
        accounts: those that scripts make, as lines of sysusers.d(5).
        directories: the directories of state that scripts make.
        standing: nobody enters the tree, whose files are found where it lies. So links in it are relative,
            what the host has is not linked to, and what is executed is a link to the package's file: a hard
            link would change the times by which a program is known.
        confined: of a standing tree: the triggers run that can, confined; else none does.
    """

    packages: tuple[Ingredient, ...]
    replaces: tuple[tuple[Ingredient, Ingredient], ...]
    links: tuple[tuple[bytes, bytes], ...]
    locales: tuple[bytes, ...]
    triplets: tuple[bytes, ...]
    rules: bytes
    diversions: tuple[tuple[bytes, bytes, Ingredient | None], ...] = ()
    accounts: bytes = b""
    directories: tuple[bytes, ...] = ()
    standing: bool = False
    confined: bool = False


class Composition(Value):
    """The inputs of an environment's derivation, as read from its variables; see Parts."""

    packages: tuple[StorePath, ...]
    replaces: frozenset[tuple[StorePath, StorePath]]
    links: tuple[tuple[bytes, bytes], ...]
    locales: tuple[bytes, ...]
    triplets: tuple[bytes, ...]
    rules: bytes
    diversions: tuple[tuple[bytes, bytes, StorePath | None], ...] = ()
    accounts: bytes = b""
    directories: tuple[bytes, ...] = ()
    standing: bool = False
    confined: bool = False


def composing(parts: Parts, store_dir: bytes) -> Derivation:
    """Return the derivation for these parts."""

    def full(one: Ingredient) -> bytes:
        return one.path.inside(store_dir)

    variables = {
        b"packages": table([full(one)] for one in parts.packages),
        b"replaces": table([full(one), full(other)] for one, other in parts.replaces),
        b"links": table(parts.links),
        b"locales": table([one] for one in parts.locales),
        b"triplets": table([one] for one in parts.triplets),
        b"rules": parts.rules,
    }
    if parts.diversions:  # else the recipes of all environments there are would be others
        rows = [(path, to, full(stays) if stays else b"") for path, to, stays in parts.diversions]
        variables[b"diversions"] = table(rows)
    if parts.accounts:
        variables[b"accounts"] = parts.accounts
    if parts.directories:
        variables[b"directories"] = table([one] for one in parts.directories)
    if parts.standing:
        variables[b"standing"] = b"1"
    if parts.confined:
        variables[b"confined"] = b"1"
    return recipe(BUILDER, variables, parts.packages, store_dir)


def read(variables: Variables) -> Composition:
    """Return the inputs in a derivation's variables. Raises BadDerivation, BadStorePath."""

    def column(key: bytes) -> Sequence[bytes]:
        return [row[0] for row in variables.rows(key, 1)]

    pairs = [
        (variables.store_path(one), variables.store_path(two)) for one, two in variables.rows(b"replaces", 2)
    ]
    return Composition(
        tuple(map(variables.store_path, column(b"packages"))),
        frozenset(pairs),
        tuple((link, target) for link, target in variables.rows(b"links", 2)),
        tuple(column(b"locales")),
        tuple(column(b"triplets")),
        variables.text(b"rules"),
        tuple(
            (path, to, variables.store_path(stays) if stays else None)
            for path, to, stays in variables.rows(b"diversions", 3, default=b"")
        ),
        variables.text(b"accounts", default=b""),
        tuple(row[0] for row in variables.rows(b"directories", 1, default=b"")),
        bool(variables.text(b"standing", default=b"")),
        bool(variables.text(b"confined", default=b"")),
    )
