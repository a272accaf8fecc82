"""The shell of a recipe or project: its compiler, tools and libraries, and the functions of its phases."""

from __future__ import annotations

import os

import denizen.recipes
from denizen.app.builds.realise_files import realise_files
from denizen.app.environments.fhs_enter import become
from denizen.app.project_file import development_file
from denizen.app.recipes.build_environments import environment_name, environment_settings
from denizen.app.recipes.build_recipe import BuildRecipeRequest, RecipeWriter, trees_of, written
from denizen.app.recipes.recipe_files import recipe_files, refuse_outside
from denizen.app.recipes.shell_directories import shell_directory
from denizen.app.supply.store_access import made_store
from denizen.build.derivation import input_paths
from denizen.formats import storepath
from denizen.host import processors
from denizen.store.collection.gc_roots import add_indirect, remove_indirect
from denizen.store.errors import doing
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.recipes.recipe_files import RecipeFile
    from denizen.app.session import Session
    from denizen.build.derivation import Sealed
    from denizen.fhs.generations import Generation
    from denizen.formats.storepath import StorePath
    from denizen.store.layout import StoreLayout
    from denizen.store.local import Store

SCRIPT = os.path.join(os.path.dirname(denizen.recipes.__file__), "develop_shell.bash")
# Variables of derivations that no shell needs.
_UNUSED = frozenset({b"outputs", b"disallowedReferences"})


class DevelopRequest(Value):
    """A request for a recipe's or project's shell.

    Attributes:
        build: the recipe, and how what it is built with is built; without a recipe the project here.
        phase: the phase before which the shell begins; "" to run none. They run below the cache.
        words: a command instead of a shell; None for a shell.
    """

    build: BuildRecipeRequest
    phase: str = ""
    words: tuple[str, ...] | None = None


class Development(Value):
    """A compiler, tools and libraries for a project, made ready.

    Attributes:
        file: the recipe, or the denizen.toml.
        name: of the environment whose generation the compiler and tools are in.
        directory: the project's own, below the cache.
        variables: of the shell, and of commands in the environment.
    """

    file: RecipeFile
    name: str
    generation: Generation
    directory: str
    variables: dict[str, str]


def develop(session: Session, request: DevelopRequest) -> int:
    """Become the shell of a recipe, or a command in its environment; return only with an error.

    What it is built with is built first. The shell is no sandbox: it sees this machine's files, with the
    environment's /usr.

    Raises what `prepare` raises, and NotEntered.
    """
    ready = prepare(session, request)
    script = os.fsencode(SCRIPT)
    words = tuple(map(os.fsencode, request.words or ()))
    shell = (b"/bin/bash", b"--rcfile", script, b"-i")
    command = shell if request.words is None else (b"/bin/bash", script, *words)
    return become(session.with_variables(ready.variables), ready.name, ready.generation, command)


def prepare(session: Session, request: DevelopRequest) -> Development:
    """Make ready what a project is compiled with, and keep it from collections.

    Raises what `build_recipe` raises, and NothingDeclared.
    """
    files = recipe_files(request.build.recipe or development_file(os.getcwd()))
    refuse_outside(files, request.build.allowed)
    trees = trees_of(session, files, request.build)
    generation = trees[files[-1].path]
    directory = shell_directory(session, files[-1].path)
    with made_store(session) as store, store.working() as work:
        sealed = written(RecipeWriter(session, request.build.policy, store, work, {}), files, trees)
        goal = sealed[files[-1].path]
        inputs = input_paths(goal.derivation, store.layout.logical)
        needed = tuple([os.fsdecode(store.place_of(path)) for path in inputs])
        if needed:
            realise_files(session, replace(request.build.realise, files=needed))
        recipes = goal.derivation.environment[b"recipeInputs"].split()
        # What is linked in the shell refers to packages, which the tree keeps, and to other recipes' outputs.
        kept = [generation.tree, *(storepath.parse(text, store.layout.logical) for text in recipes)]
        _keep(store.layout, os.fsencode(directory), kept)
        variables = _variables(session, store, goal, request, directory)
    name = environment_name(environment_settings(files[-1]))
    return Development(files[-1], name, generation, directory, variables)


def _keep(layout: StoreLayout, directory: bytes, kept: list[StorePath]) -> None:
    """Keep objects by links in a directory, and no more those that it kept before."""
    names = {path.base.encode("ascii"): path for path in kept}
    for name, path in names.items():
        add_indirect(layout, directory + b"/" + name, path)
    with doing("read", directory):
        old = [
            entry.path for entry in os.scandir(directory) if entry.is_symlink() and entry.name not in names
        ]
    for link in old:
        remove_indirect(layout, link)


def _variables(
    session: Session, store: Store, goal: Sealed, request: DevelopRequest, directory: str
) -> dict[str, str]:
    """Return the variables of the derivation, with directories that the user can write to."""
    given = {
        os.fsdecode(name): os.fsdecode(text)
        for name, text in goal.derivation.environment.items()
        if name not in _UNUSED
    }
    top = os.path.join(directory, "build")
    (builder,) = [word for word in goal.derivation.arguments if word != b"-e"]
    own = {
        "NIX_BUILD_TOP": top,
        "NIX_BUILD_CORES": str(processors()),
        "NIX_STORE": os.fsdecode(store.layout.logical),
        "genericBuilder": os.fsdecode(builder),
        "developDirectory": directory,
        "developHome": session.environ.get("HOME", directory),
        "developPhase": request.phase,
        "developCommand": "" if request.words is None else "1",
        "out": os.path.join(directory, "out"),
        "debug": os.path.join(directory, "debug"),
    }
    return given | own
