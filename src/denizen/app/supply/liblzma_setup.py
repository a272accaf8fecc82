"""Installation and use of a faster liblzma for denizen itself (see build/liblzma_choice).

The package is fetched with `index update` and with the first index that is made; if it is in the package
cache already, also before packages are unpacked. The user is not asked, and a failure stops nothing: Python's
own decoder gives the same bytes, more slowly.
"""

from __future__ import annotations

import os
import sys

from denizen.build import liblzma_choice
from denizen.disk import make_directories, write_atomically
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.paths import DenizenPaths
    from denizen.app.session import Session
    from denizen.index.provider import Provider
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetch_policy import FetchPolicy
    from denizen.store.layout import StoreLayout

# 5.6.0 and 5.6.1 carried a backdoor, and Debian's 5.6.1+really5.4.5 is neither of them nor new.
_OLDEST = b"5.6.2"
_PACKAGE = b"liblzma5"
_ARCHITECTURE = "amd64"
# Bytes. The package has 300 kB; a far larger one is not liblzma.
_LARGEST = 4 * 1024 * 1024


def use_decoder(session: Session) -> None:
    """Decode with the store's liblzma from now on, if it is there; the store is not changed."""
    liblzma_choice.use(_layout(session))


def bring_decoder(session: Session) -> None:
    """Decode with the store's liblzma.

    Reinstall it first if its package is cached and the store has lost it.
    """
    place = session.paths
    if liblzma_choice.kept(_layout(session)) is None and _packages_at_hand(place) and not _refused(place):
        from denizen.sources.fetch_policy import FetchPolicy

        provide_decoder(session, FetchPolicy(offline=True))
    liblzma_choice.use(_layout(session))


def provide_decoder(session: Session, policy: FetchPolicy) -> None:
    """Install the faster decoder in the store, if this process gains by it and the package is available."""
    if liblzma_choice.kept(_layout(session)) is not None or not liblzma_choice.standing().helped:
        return
    try:
        pin = _pin(session)
        if pin is None or (policy.offline and not _is_at_hand(session.paths, pin)):
            return
        against = _put(session, pin, policy)
    except (DenizenError, OSError) as problem:
        against = str(problem)
    if against and session.reporter.is_verbose:
        session.reporter.say(f"no faster decoder: {against}")


def decoder_words(session: Session) -> tuple[str, str]:
    """Return the decoder in use, with the reason, and the advice that follows ("" for none), for `doctor`."""
    found = liblzma_choice.opened(_layout(session))
    if found is not None:
        return f"liblzma {liblzma_choice.shown(found.version)} from the store, faster than Python's own", ""
    own = liblzma_choice.standing()
    refused = _refused(session.paths)
    if not own.helped or refused:
        why = f"; the archive's does not load here: {refused}" if refused else ""
        return f"Python's own: {own.reason}{why}", ""
    return f"Python's own: {own.reason}", "'denizen index update' fetches a newer one if the archive has it"


def _layout(session: Session) -> StoreLayout:
    from denizen.store.layout import StoreLayout

    directory = session.paths.store
    return StoreLayout(directory, directory)


def _packages_at_hand(place: DenizenPaths) -> list[bytes]:
    """Return the names of cached package files that may be the decoder's: HASH-liblzma5_VERSION_amd64.deb."""
    try:
        names = os.listdir(place.packages)
    except OSError:
        return []
    return [name for name in names if b"-%b_" % _PACKAGE in name]


def _is_at_hand(place: DenizenPaths, pin: Pin) -> bool:
    return any(pin.sha256.startswith(name.partition(b"-")[0]) for name in _packages_at_hand(place))


def _pin(session: Session) -> Pin | None:
    """Return the decoder's package from the preferred suite that has a new enough version; None for none."""
    from denizen.app.supply.open_index import open_index
    from denizen.formats.debversion import version_key
    from denizen.resolve.resolution import pin_of

    def fits(one: Provider) -> bool:
        new = version_key(one.version) >= version_key(_OLDEST)
        return one.package == _PACKAGE and new and one.size <= _LARGEST

    index = open_index(session, _ARCHITECTURE)
    found = next(filter(fits, index.providers(liblzma_choice.SONAME)), None)
    return None if found is None else pin_of(found, index.snapshots)


def _put(session: Session, pin: Pin, policy: FetchPolicy) -> str:
    """Fetch, unpack, test and keep the package; return the reason against it or "".

    A package that fails the test is not kept: the next garbage collection deletes it.
    """
    from denizen.app.supply.package_supply import supply_of
    from denizen.app.supply.store_access import made_store
    from denizen.disk_view import DiskView
    from denizen.resolve.installation.install import unpacked

    with made_store(session) as store, store.working() as work:
        path = unpacked(store, work, pin, supply_of(session, policy))
        library = os.path.join(store.place_of(path), liblzma_choice.FILE)
        python = os.path.realpath(os.fsencode(sys.executable))
        against = liblzma_choice.refusal_reason(DiskView(), library, python)
        if against:
            _refuse(session.paths, against)
        else:
            liblzma_choice.keep(store.layout, path)
    return against


def _refusal(place: DenizenPaths) -> bytes:
    """Return the path of the note that this C library cannot load the package.

    It saves testing the package at each start.
    """
    return place.state + b"/decoder-" + (liblzma_choice.libc_name() or b"none")


def _refused(place: DenizenPaths) -> str:
    try:
        with open(_refusal(place), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _refuse(place: DenizenPaths, against: str) -> None:
    make_directories(place.state, 0o711)
    write_atomically(_refusal(place), against.encode("utf-8", "replace"))
