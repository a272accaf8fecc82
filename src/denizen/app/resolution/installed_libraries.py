"""The paths in the store of what was made for a resolution, as the linker model is given them."""

from __future__ import annotations

import os

from denizen.launch.decisions.link_decision import InstalledLibraries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.launch.program import Program
    from denizen.resolve.installation.resolution_derivations import Recipes
    from denizen.resolve.resolution import Resolution
    from denizen.store.local import Store


def installed_libraries(
    store: Store, made: Recipes, program: Program, resolution: Resolution
) -> InstalledLibraries:
    """Return the objects that were made for a program, with those beside it that the resolution chose."""
    home = os.path.dirname(program.path)
    beside = [choice for choice in resolution.choices if not choice.package]
    return InstalledLibraries(
        store.place_of(made.libraries),
        made.interpreter,
        tuple(store.place_of(path) for path in made.packages.values()),
        {one.soname: os.path.normpath(os.path.join(home, one.path)) for one in beside},
        resolution.override,
    )
