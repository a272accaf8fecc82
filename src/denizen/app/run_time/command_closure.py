"""The packages around a command that is brought without an environment: all that its package depends on.

Commands look for files of these at their paths (git its templates, perl its modules). In an environment they
are there; without one the library inside the program looks for them in the packages' trees
(launch/resources/resource_tree.py).
"""

from __future__ import annotations

from denizen.app.supply.own_architecture import own_architecture
from denizen.fhs.package_closure import MissingPackages, closure
from denizen.fhs.tree_creation import to_fetch
from denizen.resolve.installation.install import fetched, unpacked
from denizen.resolve.resolution import pin_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.run_time.command_file import CommandSupply
    from denizen.formats.storepath import StorePath
    from denizen.resolve.resolution import Pin


def unpack_around(means: CommandSupply, packages: Sequence[str]) -> tuple[StorePath, ...]:
    """Return the trees of packages and of all that they depend on, which are unpacked if need be.

    Where that is too much they are those of the first package; () where that is too much too, or depends on
    what nobody has.
    """
    for some in (packages, packages[:1]):
        pins = _pins(means, some)
        lacking = to_fetch(means.store, means.supply, pins)
        if not means.over_budget(sum(one.size for one in lacking)):
            fetched(lacking, means.supply)
            return tuple(unpacked(means.store, means.work, pin, means.supply) for pin in pins)
    return ()


def _pins(means: CommandSupply, packages: Sequence[str]) -> list[Pin]:
    native = own_architecture()
    wanted = [(name.encode(), native) for name in packages]
    try:
        members = closure(wanted, native, {native: means.index})
    except MissingPackages:
        return []
    return [pin_of(member.package, {}) for member in members]
