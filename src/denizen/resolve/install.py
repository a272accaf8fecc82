"""Putting a resolution into the store: packages fetched and unpacked, their libraries linked together."""

from __future__ import annotations

import os

from denizen.build.builtin_derivations import OUT
from denizen.build.derivation import SUFFIX, name_of
from denizen.build.realise import RealiseOptions, realise
from denizen.errors import SourceFailed
from denizen.resolve.cache.package_cache import package_of
from denizen.resolve.derivations import package_recipes, recipes
from denizen.store.trees.restore import STORE_TIMES
from denizen.store.verification import content_differs
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.build.builders import Opener
    from denizen.build.realise import Listener
    from denizen.formats.storepath import StorePath
    from denizen.resolve.derivations import Recipes
    from denizen.resolve.resolution import Pin, Resolution
    from denizen.sources.base import Source
    from denizen.store.local import Store
    from denizen.store.work import Work


class UnknownSource(SourceFailed):
    """A package is of a source that is not configured here."""

    name: str
    WHAT = "there is no source called {name:text}"
    WHY = "the resolution has packages of it"
    REMEDY = "denizen source list; denizen source add"


@value
class Supply:
    """Where packages come from and lie meanwhile.

    Attributes:
        packages: the directory they are fetched into.
        jobs: how many are unpacked at once.
    """

    sources: Mapping[str, Source]
    packages: bytes
    opener: Opener
    listener: Listener
    jobs: int = 2


def planned(store: Store, resolution: Resolution, supply: Supply) -> Recipes:
    """Return what `install` would make valid, and where it will lie. Raises UnknownSource."""
    addresses = {pin.sha256: source_of(supply, pin).addresses(package_of(pin)) for pin in resolution.packages}
    return recipes(resolution, addresses, store.layout.logical)


def install(store: Store, resolution: Resolution, supply: Supply) -> Recipes:
    """Make everything the resolution chose valid; what is valid already is not fetched.

    Raises:
        UnknownSource, SourceFailed, HostLacks: a package cannot be had.
        BadInput: a package does not hold what it should.
    """
    with store.working() as work:
        made = planned(store, resolution, supply)
        outputs = {made.libraries, *made.packages.values()}
        work.set_aside(_written_to(store, resolution, made))
        lacking = outputs - work.need(outputs)
        if not lacking:
            return made
        # Its decompressors cost 5 ms, and a running program waits for an answer that needs none of them.
        from denizen.resolve.parallel_unpack import Parcel, unpack_all

        here = fetched([pin for pin in resolution.packages if made.packages[pin.sha256] in lacking], supply)
        work.add_texts(
            [(name_of(one.path) + SUFFIX, one.content, one.references) for one in made.derivations]
        )
        makers = {output: one for one in made.derivations for output in one.outputs.values()}
        parcels = [Parcel(makers[made.packages[sha256]], path, sha256) for sha256, path in here.items()]
        unpack_all(work, parcels, supply.jobs, supply.listener)
        realise(store, [made.goal.path], RealiseOptions(supply.opener, supply.jobs, supply.listener))
    return made


def _written_to(store: Store, resolution: Resolution, made: Recipes) -> set[bytes]:
    """Trees of packages, where they are there, of which a chosen file is gone or was changed in place."""
    found: set[bytes] = set()
    for choice in resolution.choices:
        if choice.package:
            place = store.place_of(made.packages[choice.package])
            try:
                facts = os.stat(os.path.join(place, choice.path))
            except OSError:
                found.add(place)
            else:
                if facts.st_mtime_ns != STORE_TIMES[1]:
                    found.add(place)
    return found


def differing(store: Store, made: Recipes) -> set[bytes]:
    """Trees among what was made whose content is not what was registered; all of them are read."""
    infos = [
        info for path in (made.libraries, *made.packages.values()) if (info := store.database.find(path))
    ]
    return {store.place_of(info.path) for info in infos if content_differs(store.place_of(info.path), info)}


def unpacked(store: Store, work: Work, pin: Pin, supply: Supply) -> StorePath:
    """Make one package valid, and keep it while `work` lasts. Raises as `install`."""
    derivations = package_recipes(
        pin, source_of(supply, pin).addresses(package_of(pin)), {}, store.layout.logical
    )
    output = derivations[-1].outputs[OUT]
    if output not in work.need([output]):
        from denizen.resolve.parallel_unpack import Parcel, unpack_all

        here = fetched([pin], supply)
        work.add_texts([(name_of(one.path) + SUFFIX, one.content, one.references) for one in derivations])
        unpack_all(work, [Parcel(derivations[-1], here[pin.sha256], pin.sha256)], 1, supply.listener)
    return output


def fetched(pins: Sequence[Pin], supply: Supply) -> dict[bytes, bytes]:
    """Fetch packages, many at once; .deb hash -> path."""
    wanted: dict[str, list[Pin]] = {}
    for pin in pins:
        wanted.setdefault(pin.source, []).append(pin)
    found: dict[bytes, bytes] = {}
    for _, some in sorted(wanted.items()):
        paths = source_of(supply, some[0]).fetch([package_of(pin) for pin in some], supply.packages)
        found.update(zip([pin.sha256 for pin in some], paths, strict=True))
    return found


def source_of(supply: Supply, pin: Pin) -> Source:
    """Where a package comes from. Raises UnknownSource."""
    if pin.source not in supply.sources:
        raise UnknownSource(pin.source)
    return supply.sources[pin.source]
