"""The environments that recipes are built in: one for each set of packages, kept while it is used.

What was built refers to packages, never to an environment's tree, and the shell of `denizen develop` keeps
its tree by itself: an environment that nobody has built in for long can go, and is made again on demand.
"""

from __future__ import annotations

import contextlib
import time

from denizen.app.recipes.shell_directories import kept_by_shells
from denizen.app.supply.own_architecture import own_architecture
from denizen.fhs.generations import BUILD_PREFIX, EnvironmentStore, NoEnvironment, Settings
from denizen.sha256 import hex_digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.recipes.recipe_files import RecipeFile
    from denizen.app.session import Session
    from denizen.fhs.generations import Generation
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.local import Store


def environment_name(settings: Settings) -> str:
    """Return the name of the environment for these settings; recipes with the same needs share one."""
    text = "\0".join((*settings.packages, "", *settings.suites, *settings.architectures))
    return BUILD_PREFIX + hex_digest_of(text.encode())[:12]


def environment_settings(one: RecipeFile) -> Settings:
    """Return the settings of the environment with the packages that a recipe is built with."""
    from denizen.recipes.recipe_derivation import packages_of

    suites = (one.recipe.suite,) if one.recipe.suite else ()
    return Settings(packages_of(one.recipe), suites, (own_architecture(),))


def build_environment(session: Session, one: RecipeFile, policy: FetchPolicy, *, update: bool) -> Generation:
    """Return the environment of the packages that a recipe is locked to; the lock is written first."""
    # What `gc` needs none of: 12 ms.
    from denizen.app.environments import fhs_create
    from denizen.app.recipes.recipe_lock import lock_packages, locked_packages

    settings = environment_settings(one)
    name = environment_name(settings)
    environments = EnvironmentStore(session.paths.state)
    pins = None if update else locked_packages(one.path, settings)
    if pins is not None:
        with contextlib.suppress(NoEnvironment):
            held = environments.current(name)
            if {part.sha256 for part in held.parts} == {pin.sha256.decode("ascii") for pin in pins}:
                environments.touch(name)
                return held
    made, used = fhs_create.create_from(session, name, settings, policy, pins)
    environments.touch(name)
    if pins is None:
        lock_packages(one.path, settings, used)
    return made


def drop_unused_build_environments(session: Session, store: Store, grace: int) -> int:
    """Remove environments that nothing was built in for `grace` seconds; return their number.

    That of a project's shell stays as long as the shell's directory keeps its tree. Earlier generations of
    the others go as well: nobody goes back to them.
    """
    environments = EnvironmentStore(session.paths.state)
    shells = kept_by_shells(session.paths.cache)
    dropped = 0
    for name in environments.names():
        if not name.startswith(BUILD_PREFIX):
            continue
        used = environments.current(name).tree.base in shells
        if not used and time.time() - environments.used(name) > grace:
            environments.remove(name, store.layout)
            dropped += 1
        else:
            environments.keep_current(name, store.layout)
    return dropped
