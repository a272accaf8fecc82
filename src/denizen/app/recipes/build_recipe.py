"""Build a recipe: its derivations are written into the store, and realised."""

from __future__ import annotations

import os

import denizen.recipes
from denizen.app.builds.build_logs import note_recipe
from denizen.app.builds.realise_files import RealiseFilesRequest, realise_files
from denizen.app.recipes.build_environments import build_environment
from denizen.app.recipes.fixup_library import fixup_library
from denizen.app.recipes.recipe_files import recipe_files, recipe_path, refuse_outside
from denizen.app.recipes.run_findings import new_findings, record_findings
from denizen.app.recipes.source_trees import add_source
from denizen.app.supply.configured_sources import sources_by_name
from denizen.app.supply.store_access import made_store, open_store, store_directory
from denizen.build.builtin_derivations import Ingredient, made_by
from denizen.build.builtin_fetch import fetching
from denizen.build.derivation import SUFFIX, name_of, seal
from denizen.errors import HostLacks, SourceFailed, display
from denizen.formats.packages import Package
from denizen.formats.storepath import is_object_name
from denizen.host import machine_name
from denizen.recipes.recipe_derivation import RecipeInputs, derivation_of, unfit_character
from denizen.store.object_errors import NoStore
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from denizen.app.recipes.recipe_files import RecipeFile
    from denizen.app.session import Session
    from denizen.build.derivation import Modulos, Sealed
    from denizen.fhs.generations import Generation
    from denizen.formats.storepath import StorePath
    from denizen.recipes.recipe import RecipeSource
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

_BUILDER = os.path.join(os.path.dirname(denizen.recipes.__file__), "builder.bash")


class NoMirror(SourceFailed):
    """The error that no source of Debian packages is configured for a file of its archive."""

    path: str
    WHAT = "there is no archive to fetch {path} from"
    REMEDY = "denizen source list"


class UnfitStoreDirectory(HostLacks):
    """The error that the store directory's name is one that build systems cannot handle."""

    directory: bytes
    character: bytes
    WHAT = "no recipe can be built in the store {directory}"
    WHY = "its name has '{character}', where shells, make or first lines of scripts let a name end"
    REMEDY = "denizen store create DIR, if there is no store yet; else --root DIR, of another name"


class BuildRecipeRequest(Value):
    """A request to build a recipe.

    Attributes:
        recipe: its file, or the directory of a recipe.toml.
        policy: how packages are fetched.
        update: choose the newest Debian packages, and write the locks anew.
        allowed: paths outside of recipes' directories that they may take files from.
        realise: the settings of builds; its files are filled in.
        link: the link that is made to what was built; "" to make none.
    """

    recipe: str
    policy: FetchPolicy
    realise: RealiseFilesRequest
    update: bool = False
    link: str = ""
    allowed: tuple[str, ...] = ()


def build_recipe(session: Session, request: BuildRecipeRequest) -> dict[str, dict[str, bytes]]:
    """Build a recipe and what it is built with; return where its outputs are, by derivation and output.

    Raises:
        NoRecipe, BadRecipe, RecipeCircle, FileOutside: a recipe cannot be used.
        UnfitStoreDirectory: build systems cannot handle the store directory's name.
        MissingPackages, SourceFailed: its packages or sources cannot be had.
        BuildFailed: a phase failed. Also what else `realise` raises.
        OutLinkTaken: the link cannot be made.
    """
    files = recipe_files(request.recipe)
    refuse_outside(files, request.allowed)
    if request.update and _recorded(session, files):
        files = recipe_files(request.recipe)
    trees = trees_of(session, files, request)
    with made_store(session) as store, store.working() as work:
        if not request.update:
            _tell_findings(session, store, files[-1])
        sealed = written(RecipeWriter(session, request.policy, store, work, {}), files, trees)
        for one in files:
            note_recipe(store, one.path, sealed[one.path].path)
        goal = os.fsdecode(store.place_of(sealed[files[-1].path].path))
        return realise_files(session, replace(request.realise, files=(goal,), link=request.link))


def _recorded(session: Session, files: Iterable[RecipeFile]) -> bool:
    """Write what programs of these recipes opened when they ran into the locks; tell if anything was new."""
    with made_store(session) as store:
        recorded = [record_findings(session, store, one) for one in files]
    return any(recorded)


def _tell_findings(session: Session, store: Store, one: RecipeFile) -> None:
    """Say what programs of an earlier build opened when they ran, and this build will not have."""
    for found in new_findings(session, store, one):
        session.reporter.say(
            f"{display(found.program)} opened {display(found.library)} ({found.package}) when it ran; "
            "denizen build --update puts that on its run path"
        )


def trees_of(
    session: Session, files: Iterable[RecipeFile], request: BuildRecipeRequest
) -> dict[str, Generation]:
    """Return the environment that each recipe is built in, by the path of the recipe's file.

    Raises:
        UnfitStoreDirectory: build systems cannot handle the store directory's name.
    """
    _refuse_unfit(session)
    return {one.path: build_environment(session, one, request.policy, update=request.update) for one in files}


def _refuse_unfit(session: Session) -> None:
    """Raise UnfitStoreDirectory before anything is fetched for what no build system could build."""
    try:
        with open_store(session) as store:
            directory = store.layout.logical
    except NoStore:
        directory = store_directory(session)
    character = unfit_character(directory)
    if character:
        raise UnfitStoreDirectory(directory, character)


def written(
    writer: RecipeWriter, files: Sequence[RecipeFile], trees: Mapping[str, Generation]
) -> dict[str, Sealed]:
    """Write the derivations of recipes, inputs first, into the store; return them by the recipe's file."""
    done: dict[str, Sealed] = {}
    for one in files:
        done[one.path] = _written(writer, one, trees[one.path].tree, done)
    return done


class RecipeWriter(Value):
    """The means to write derivations into the store."""

    session: Session
    policy: FetchPolicy
    store: Store
    work: Work
    modulos: Modulos

    def add(self, sealed: Sealed) -> Sealed:
        """Add a derivation to the store, and return it."""
        self.work.add_text(name_of(sealed.path) + SUFFIX, sealed.content, sealed.references)
        return sealed


def _written(writer: RecipeWriter, one: RecipeFile, tree: StorePath, done: dict[str, Sealed]) -> Sealed:
    """Write the derivation of a recipe, its inputs' being written already."""
    work, recipe = writer.work, one.recipe
    work.need([tree])
    with open(_BUILDER, "rb") as stream:
        builder = work.add_text("builder.bash", stream.read()).path
    others = [done[recipe_path(one.relative(name))] for name in recipe.recipes]
    inputs = RecipeInputs(
        tree,
        builder,
        work.add_text("denizen-fixup.zip", fixup_library()).path,
        tuple([_source(writer, one, source) for source in recipe.sources]),
        _added(writer, one, recipe.patches),
        _added(writer, one, recipe.paths),
        tuple(map(made_by, others)),
    )
    store_dir = writer.store.layout.logical
    derivation = derivation_of(recipe, inputs, f"{machine_name()}-linux".encode(), store_dir)
    return writer.add(seal(derivation, recipe.full_name, writer.modulos, store_dir))


def _added(writer: RecipeWriter, one: RecipeFile, names: Iterable[str]) -> tuple[Ingredient, ...]:
    """Add files and directories beside a recipe to the store."""
    return tuple([_path(writer, one.relative(name)) for name in names])


def _path(writer: RecipeWriter, path: str) -> Ingredient:
    return Ingredient(add_source(writer.work, writer.store.layout, path))


def _source(writer: RecipeWriter, one: RecipeFile, source: RecipeSource) -> Ingredient:
    if source.content is None:
        return _path(writer, one.relative(source.path))
    urls = source.urls or mirrors(writer, source.archive)
    base = urls[0].rpartition("/")[2]
    store_dir = writer.store.layout.logical
    derivation = fetching(urls, source.content, store_dir)
    sealed = seal(derivation, base if is_object_name(base) else "source", writer.modulos, store_dir)
    return made_by(writer.add(sealed))


def mirrors(writer: RecipeWriter, path: str) -> tuple[str, ...]:
    """Return the addresses of a file of Debian's archive."""
    file = Package(b"", b"", b"", os.fsencode(path), 0, b"")
    found = [
        url
        for source in sources_by_name(writer.session, writer.policy).values()
        for url in source.addresses(file)
        if not url.startswith("file:")
    ]
    if not found:
        raise NoMirror(path)
    return tuple(found)
