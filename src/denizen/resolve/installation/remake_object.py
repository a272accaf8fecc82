"""Repair of a damaged store object: it is made again as it was made the first time.

An object's record names the derivation that made it. A package is unpacked again from its file, which is in
the cache or is fetched by its hash; directories of links are made again from the packages. A damaged object
is replaced only by content with the registered hash.
"""

from __future__ import annotations

import os

from denizen.build import builtin_fetch, builtin_unpack_deb
from denizen.build.build_plan import load
from denizen.build.builtin_derivations import OUT
from denizen.build.builtin_variables import Variables
from denizen.build.derivation import examine, input_paths, name_of
from denizen.build.package_unpack import PackageFile, unpack
from denizen.build.realise import RealiseOptions, realise
from denizen.errors import StoreDamaged
from denizen.sources.file_cache import is_as_promised
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.build.derivation import Sealed
    from denizen.formats.storepath import StorePath
    from denizen.resolve.installation.install import Supply
    from denizen.store.local import Store
    from denizen.store.object_info import ObjectInfo
    from denizen.store.object_staging import Work


class NotMended(StoreDamaged):
    """The error that a damaged object cannot be made again."""

    path: StorePath
    reason: str
    WHY = "{reason:text}"

    @property
    def what(self) -> str:
        return f"{self.path} is damaged and cannot be made again"


class _Mending(Value):
    """One object that is being made again."""

    store: Store
    work: Work
    info: ObjectInfo
    supply: Supply


def mend(store: Store, path: StorePath, supply: Supply) -> None:
    """Replace an object's content by a new copy, made by its derivation.

    Raises:
        NotValid: the object is not registered.
        NotMended: its derivation is not known, or its inputs are not available.
        DenizenError: the errors of fetching, unpacking and realising; a package is then left unchanged.
    """
    info = store.info(path)
    if info.deriver is None:
        raise NotMended(path, "it was added, not made by denizen: --from DIR takes a copy of it")
    sealed = examine([info.deriver], lambda one: load(store, one), store.layout.logical)
    with store.working() as work:
        work.need([path])
        one = _Mending(store, work, info, supply)
        if sealed[info.deriver].derivation.builder == builtin_unpack_deb.BUILDER:
            _unpack_again(one, sealed, sealed[info.deriver])
        else:
            work.set_aside([store.place_of(path)])
            realise(store, [info.deriver], RealiseOptions(supply.opener, supply.jobs, supply.listener))


def _unpack_again(one: _Mending, sealed: dict[StorePath, Sealed], recipe: Sealed) -> None:
    logical, name = one.store.layout.logical, name_of(recipe.path)
    plan = builtin_unpack_deb.read(Variables(name, recipe.derivation.environment, logical))
    source = next(
        (
            path
            for path in input_paths(recipe.derivation, logical)
            if plan.source in sealed[path].outputs.values()
        ),
        None,
    )
    if source is None:
        raise NotMended(one.info.path, "its package was added to the store, and is not fetched from anywhere")
    deb, sha256 = _package_file(one, sealed[source])
    tree = one.work.new_tree()
    found = unpack(PackageFile(deb, sha256, plan.source.name, plan.layout, tree, ()))
    one.work.replace_tree(tree, found, one.info)


def _package_file(one: _Mending, recipe: Sealed) -> tuple[bytes, bytes]:
    """Return the path of the package's file, in the cache or fetched into it, and its hash in hex.

    Raises as `mend`.
    """
    plan = builtin_fetch.read(
        recipe.derivation,
        Variables(name_of(recipe.path), recipe.derivation.environment, one.store.layout.logical),
    )
    sha256 = plan.content.content.hex
    for name in _listed(one.supply.packages):
        place = os.path.join(one.supply.packages, name)
        # The name only selects the file to hash.
        if name.startswith(sha256[:16].encode("ascii")) and is_as_promised(place, sha256):
            return place, sha256.encode("ascii")
    realise(one.store, [recipe.path], RealiseOptions(one.supply.opener, 1, one.supply.listener))
    return one.store.place_of(recipe.outputs[OUT]), sha256.encode("ascii")


def _listed(directory: bytes) -> list[bytes]:
    try:
        return sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
