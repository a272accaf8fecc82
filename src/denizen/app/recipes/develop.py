"""The shell of a recipe: its compiler, tools and libraries, and the functions of its phases."""

from __future__ import annotations

import os

from denizen.app.builds.realise_files import realise_files
from denizen.app.environments.fhs_enter import become
from denizen.app.recipes.build_environments import environment_name, environment_settings
from denizen.app.recipes.build_recipe import BuildRecipeRequest, RecipeWriter, trees_of, written
from denizen.app.recipes.recipe_files import recipe_files
from denizen.app.session import Session
from denizen.app.supply.store_access import made_store
from denizen.build.derivation import input_paths
from denizen.disk import make_directories
from denizen.formats import storepath
from denizen.store.collection.gc_roots import add_indirect
from denizen.store.errors import doing
from denizen.value import replace, value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.build.derivation import Sealed
    from denizen.store.local import Store

_SCRIPT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "recipes", "develop.bash"
)
# Variables of derivations that no shell needs.
_UNUSED = frozenset({b"outputs", b"disallowedReferences"})


@value
class DevelopRequest:
    """A request for a recipe's shell.

    Attributes:
        build: the recipe, and how what it is built with is built.
        phase: the phase before which the shell begins; "" to run none. They run below the cache.
        words: a command instead of a shell; None for a shell.
    """

    build: BuildRecipeRequest
    phase: str = ""
    words: tuple[str, ...] | None = None


def develop(session: Session, request: DevelopRequest) -> int:
    """Become the shell of a recipe, or a command in its environment; return only with an error.

    What it is built with is built first. The shell is no sandbox: it sees this machine's files, with the
    environment's /usr.

    Raises what `build_recipe` raises, and NotEntered.
    """
    files = recipe_files(request.build.recipe)
    trees = trees_of(session, files, request.build)
    with made_store(session) as store, store.working() as work:
        goal = written(RecipeWriter(session, request.build.policy, store, work, {}), files, trees)
        inputs = input_paths(goal.derivation, store.layout.logical)
        needed = tuple([os.fsdecode(store.place_of(path)) for path in inputs])
        if needed:
            realise_files(session, replace(request.build.realise, files=needed))
        directory = _directory(session, goal)
        tree = trees[files[-1].path].tree
        # What is linked in the shell refers to packages, which the tree's directory lists and keeps.
        add_indirect(store.layout, os.fsencode(directory) + b"/" + tree.base.encode("ascii"), tree)
        for text in goal.derivation.environment[b"recipeInputs"].split():
            path = storepath.parse(text, store.layout.logical)
            # What is linked in the shell refers to it: it stays as long as the shell's directory.
            add_indirect(store.layout, os.fsencode(directory) + b"/" + path.base.encode("ascii"), path)
        variables = _variables(session, store, goal, request)
    name = environment_name(environment_settings(files[-1]))
    script = os.fsencode(_SCRIPT)
    shell = (b"/bin/bash", b"--rcfile", script, b"-i")
    words = tuple(map(os.fsencode, request.words or ()))
    command = shell if request.words is None else (b"/bin/bash", script, *words)
    inside = Session({**session.environ, **variables}, session.root, session.reporter)
    return become(inside, name, trees[files[-1].path], command)


def _directory(session: Session, goal: Sealed) -> str:
    """Return the directory of a recipe's shell, made if there is none."""
    directory = os.path.join(os.fsdecode(session.paths.cache), f"develop-{goal.path.base[:32]}")
    with doing("make", os.fsencode(directory)):
        make_directories(os.fsencode(directory))
    return directory


def _variables(session: Session, store: Store, goal: Sealed, request: DevelopRequest) -> dict[str, str]:
    """Return the variables of the derivation, with directories that the user can write to."""
    directory = _directory(session, goal)
    given = {
        os.fsdecode(name): os.fsdecode(text)
        for name, text in goal.derivation.environment.items()
        if name not in _UNUSED
    }
    top = os.path.join(directory, "build")
    (builder,) = [word for word in goal.derivation.arguments if word != b"-e"]
    own = {
        "NIX_BUILD_TOP": top,
        "NIX_BUILD_CORES": str(len(os.sched_getaffinity(0))),
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
