"""Installation of a resolution into the store: packages are fetched, unpacked, and their libraries linked."""

from __future__ import annotations

import os

from denizen.build.builtin_derivations import OUT
from denizen.build.derivation import SUFFIX, name_of
from denizen.build.realise import RealiseOptions, realise
from denizen.errors import SourceFailed
from denizen.resolve.cache.package_cache import package_of
from denizen.resolve.installation.resolution_derivations import package_recipes, recipes
from denizen.store.trees.canonical import STORE_TIMES
from denizen.store.upkeep.verification import content_differs
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.build.build_task import Opener
    from denizen.build.read_packages import ReadPackages
    from denizen.build.realise import Listener
    from denizen.formats.storepath import StorePath
    from denizen.resolve.installation.resolution_derivations import Recipes
    from denizen.resolve.resolution import Pin, Resolution
    from denizen.sources.base import Source
    from denizen.store.local import Store
    from denizen.store.object_staging import Work


class UnknownSource(SourceFailed):
    """The error that a package is of a source that is not configured here."""

    name: str
    WHAT = "there is no source called {name:text}"
    WHY = "the resolution has packages of it"
    REMEDY = "denizen source list; denizen source add"


class Supply(Value):
    """The sources of packages and the means to fetch and unpack them.

    Attributes:
        sources: the configured sources by name.
        packages: the directory that packages are fetched into.
        opener: the opener of URLs.
        listener: the receiver of progress.
        read: the packages that were read for their facts.
        jobs: number of packages that are unpacked at once.
    """

    sources: Mapping[str, Source]
    packages: bytes
    opener: Opener
    listener: Listener
    read: ReadPackages
    jobs: int = 2


def planned(store: Store, resolution: Resolution, supply: Supply) -> Recipes:
    """Return the derivations that `install` would realise, with their store paths. Raises UnknownSource."""
    addresses = {pin.sha256: source_of(supply, pin).addresses(package_of(pin)) for pin in resolution.packages}
    return recipes(resolution, addresses, store.layout.logical)


def install(store: Store, resolution: Resolution, supply: Supply) -> Recipes:
    """Make every store object of the resolution valid; packages whose objects are valid are not fetched.

    Raises:
        UnknownSource, SourceFailed, HostLacks: a package cannot be fetched.
        BadInput: a package does not hold the files that the index promised.
    """
    with store.working() as work:
        made = planned(store, resolution, supply)
        outputs = {made.libraries, *made.packages.values()}
        work.set_aside(_written_to(store, resolution, made))
        lacking = outputs - work.need(outputs)
        if not lacking:
            return made
        # Imported here: its decompressors cost 5 ms, and answers to running programs need none of them.
        from denizen.resolve.installation.parallel_unpack import UnpackTask, unpack_all

        here = fetched([pin for pin in resolution.packages if made.packages[pin.sha256] in lacking], supply)
        work.add_texts(
            [(name_of(one.path) + SUFFIX, one.content, one.references) for one in made.derivations]
        )
        makers = {output: one for one in made.derivations for output in one.outputs.values()}
        tasks = [UnpackTask(makers[made.packages[sha256]], path, sha256) for sha256, path in here.items()]
        unpack_all(work, tasks, supply.jobs, supply.listener, supply.read)
        manner = RealiseOptions(supply.opener, supply.jobs, supply.listener, made=made.derivations)
        realise(store, [made.goal.path], manner)
    return made


def _written_to(store: Store, resolution: Resolution, made: Recipes) -> set[bytes]:
    """Return the trees of packages in the store of which a chosen file is missing or was modified.

    A tree that is not there is none of them: another process may put it there, whole, at any moment, and
    would lose it.
    """
    found: set[bytes] = set()
    for choice in resolution.choices:
        if choice.package:
            place = store.place_of(made.packages[choice.package])
            if not os.path.lexists(place):
                continue
            try:
                facts = os.stat(os.path.join(place, choice.path))
            except OSError:
                found.add(place)
            else:
                if facts.st_mtime_ns != STORE_TIMES[1]:
                    found.add(place)
    return found


def differing(store: Store, made: Recipes) -> set[bytes]:
    """Return the trees whose content differs from the registered hash.

    All trees of `made` are read for it.
    """
    infos = [
        info for path in (made.libraries, *made.packages.values()) if (info := store.database.find(path))
    ]
    return {store.place_of(info.path) for info in infos if content_differs(store.place_of(info.path), info)}


def repaired(
    store: Store, work: Work, resolution: Resolution, made: Recipes, supply: Supply
) -> Recipes | None:
    """Make the trees of `made` again whose content differs; return what was made, None where none differs.

    Raises as `install`.
    """
    damaged = differing(store, made)
    if not damaged:
        return None
    work.set_aside(damaged)
    return install(store, resolution, supply)


def unpacked(store: Store, work: Work, pin: Pin, supply: Supply) -> StorePath:
    """Make the store object of one package valid and keep it while `work` lasts. Raises as `install`."""
    derivations = package_recipes(
        pin, source_of(supply, pin).addresses(package_of(pin)), {}, store.layout.logical
    )
    output = derivations[-1].outputs[OUT]
    if output not in work.need([output]):
        from denizen.resolve.installation.parallel_unpack import UnpackTask, unpack_all

        here = fetched([pin], supply)
        work.add_texts([(name_of(one.path) + SUFFIX, one.content, one.references) for one in derivations])
        task = UnpackTask(derivations[-1], here[pin.sha256], pin.sha256)
        unpack_all(work, [task], 1, supply.listener, supply.read)
    return output


def fetched(pins: Sequence[Pin], supply: Supply) -> dict[bytes, bytes]:
    """Fetch packages, many at once; return .deb hash -> path."""
    wanted: dict[str, list[Pin]] = {}
    for pin in pins:
        wanted.setdefault(pin.source, []).append(pin)
    found: dict[bytes, bytes] = {}
    for _, some in sorted(wanted.items()):
        paths = source_of(supply, some[0]).fetch([package_of(pin) for pin in some], supply.packages)
        found.update(zip([pin.sha256 for pin in some], paths, strict=True))
    return found


def source_of(supply: Supply, pin: Pin) -> Source:
    """Return the source of a package. Raises UnknownSource."""
    if pin.source not in supply.sources:
        raise UnknownSource(pin.source)
    return supply.sources[pin.source]
