"""A faster liblzma for denizen itself (build/decoder_choice): when it is fetched, and from where.

With `index update` and the first index that is made; and where its package lies in the cache already, before
packages are unpacked. Nothing is asked and nothing fails for want of it: without it the same bytes come out,
later.
"""

from __future__ import annotations

import os
import sys

from denizen.build import decoder_choice
from denizen.disk import make_directories, write_atomically
from denizen.errors import DenizenError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.paths import DenizenPaths
    from denizen.app.session import Session
    from denizen.index.entry import Provider
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetcher import FetchPolicy
    from denizen.store.layout import StoreLayout

# 5.6.0 and 5.6.1 carried a backdoor, and Debian's 5.6.1+really5.4.5 is neither of them nor new.
_OLDEST = b"5.6.2"
_PACKAGE = b"liblzma5"
_ARCHITECTURE = "amd64"
# It has 300 kB; what has much more is not what it says.
_LARGEST = 4 * 1024 * 1024


def use_decoder(session: Session) -> None:
    """Decode by the store's liblzma from here on, if it is there; for who is not to change the store."""
    decoder_choice.use(_layout(session))


def bring_decoder(session: Session) -> None:
    """The same, and put it there first if its package was fetched before and the store has lost it."""
    place = session.paths
    if decoder_choice.kept(_layout(session)) is None and _packages_at_hand(place) and not _refused(place):
        from denizen.sources.fetcher import FetchPolicy

        provide_decoder(session, FetchPolicy(offline=True))
    decoder_choice.use(_layout(session))


def provide_decoder(session: Session, policy: FetchPolicy) -> None:
    """See that the store has it, where this process would gain by it and it can be had."""
    if decoder_choice.kept(_layout(session)) is not None or not decoder_choice.standing().helped:
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
    """Which decoder is in use and why, and what follows; for `doctor`."""
    found = decoder_choice.opened(_layout(session))
    if found is not None:
        return f"liblzma {decoder_choice.shown(found.version)} from the store, faster than Python's own", ""
    own = decoder_choice.standing()
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
    """The files in the cache that may be it: HASH-liblzma5_VERSION_amd64.deb."""
    try:
        names = os.listdir(place.packages)
    except OSError:
        return []
    return [name for name in names if b"-%b_" % _PACKAGE in name]


def _is_at_hand(place: DenizenPaths, pin: Pin) -> bool:
    return any(pin.sha256.startswith(name.partition(b"-")[0]) for name in _packages_at_hand(place))


def _pin(session: Session) -> Pin | None:
    """The package: of the preferred suite that has a new one."""
    from denizen.formats.debversion import version_key
    from denizen.index.locate import Index
    from denizen.resolve.resolution import pin_of

    def fits(one: Provider) -> bool:
        new = version_key(one.version) >= version_key(_OLDEST)
        return one.package == _PACKAGE and new and one.size <= _LARGEST

    index = Index(session.paths.index, _ARCHITECTURE)
    found = next(filter(fits, index.providers(decoder_choice.SONAME)), None)
    return None if found is None else pin_of(found, {entry.suite: entry.identity for entry in index.entries})


def _put(session: Session, pin: Pin, policy: FetchPolicy) -> str:
    """Fetch, unpack, judge and keep it; what stands against it, and then it is left to a collection."""
    from denizen.app.factories import supply_of
    from denizen.app.store_access import made_store
    from denizen.disk import DiskView
    from denizen.resolve.install import unpacked

    with made_store(session) as store, store.working() as work:
        path = unpacked(store, work, pin, supply_of(session, policy))
        library = os.path.join(store.place_of(path), decoder_choice.FILE)
        against = decoder_choice.judged(DiskView(), library, os.path.realpath(os.fsencode(sys.executable)))
        if against:
            _refuse(session.paths, against)
        else:
            decoder_choice.keep(store.layout, path)
    return against


def _refusal(place: DenizenPaths) -> bytes:
    """Where is noted what stands against it on this C library, so that it is not judged at each start."""
    return place.state + b"/decoder-" + (decoder_choice.libc_name() or b"none")


def _refused(place: DenizenPaths) -> str:
    try:
        with open(_refusal(place), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def _refuse(place: DenizenPaths, against: str) -> None:
    make_directories(place.state, 0o711)
    write_atomically(_refusal(place), against.encode("utf-8", "replace"))
