"""`upgrade` and `outdated`: what is installed, compared with what the index now has."""

from __future__ import annotations

import os

from denizen.app.profiles.install_packages import prepared_elements, put
from denizen.app.profiles.install_request import InstallRequest, Preparation
from denizen.errors import DenizenError, display
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.app.profiles.debian_element import DebianChooser
    from denizen.app.profiles.install_packages import InstallOutcome
    from denizen.app.session import Session
    from denizen.profiles.profile_links import Profile
    from denizen.profiles.profile_manifest import ProfileElement
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetch_policy import FetchPolicy


class PinnedElement(DenizenError):
    """The error that a pinned element is to be upgraded by its name."""

    name: str
    WHAT = "{name} is pinned"
    REMEDY = "denizen unpin {name}"


class OutdatedElement(Value):
    """An element for which there is something newer.

    Attributes:
        version: the version that there is now.
        moved: its dependencies with other versions: (name, before, now).
        problem: why it cannot be told; "" where it can.
    """

    element: ProfileElement
    version: str
    moved: tuple[tuple[str, str, str], ...]
    problem: str = ""


def outdated(session: Session, profile: Profile, policy: FetchPolicy) -> list[OutdatedElement]:
    """Return the elements for which the index has something newer; pinned ones included."""
    return list(_compared(session, profile.manifest().elements, policy))


def upgrade(
    session: Session, profile: Profile, names: Sequence[str], request: InstallRequest
) -> InstallOutcome | None:
    """Upgrade elements, or all that are not pinned; return None where there is nothing newer.

    Raises:
        NotInProfile, PinnedElement: one of the names cannot be upgraded.
    """
    from denizen.app.supply.liblzma_setup import bring_decoder
    from denizen.app.supply.store_access import made_store
    from denizen.profiles.manifest_changes import check_installed

    manifest = profile.manifest()
    check_installed(manifest, names)
    chosen = [one for one in manifest.elements if one.name in names or (not names and not one.pinned)]
    for one in chosen:
        if one.pinned:
            raise PinnedElement(one.name)
    found = list(_compared(session, chosen, request.policy))
    for one_outdated in found:
        if one_outdated.problem:
            session.reporter.say(f"{display(one_outdated.element.name)} stays: {one_outdated.problem}")
    newer = [one.element for one in found if not one.problem]
    if not newer:
        return None
    bring_decoder(session)
    with made_store(session) as store, store.working() as work:
        prepared = []
        for one in newer:
            asked = replace(request, suites=one.suites, name=one.name, sha256=one.sha256)
            prepared += prepared_elements(Preparation(session, store, work, asked), [one.asked])
        return put(Preparation(session, store, work, request), profile, prepared)


def _compared(
    session: Session, elements: Sequence[ProfileElement], policy: FetchPolicy
) -> Iterator[OutdatedElement]:
    from denizen.profiles.profile_manifest import ElementKind

    choosers: dict[tuple[str, ...], DebianChooser] = {}
    for one in elements:
        if one.kind is ElementKind.FILE:
            yield from _file(one)
        elif one.kind is ElementKind.DEBIAN:
            yield from _package(session, one, choosers, policy)


def _package(
    session: Session,
    one: ProfileElement,
    choosers: dict[tuple[str, ...], DebianChooser],
    policy: FetchPolicy,
) -> Iterator[OutdatedElement]:
    from denizen.app.profiles.debian_element import DebianChooser, own_first
    from denizen.formats.debversion import version_key
    from denizen.resolve.resolution import pin_of

    if one.suites not in choosers:
        choosers[one.suites] = DebianChooser(session, one.suites, policy)
    try:
        chosen = choosers[one.suites].chosen(one.asked)
    except DenizenError as problem:
        yield OutdatedElement(one, "", (), str(problem))
        return
    now = [pin_of(member.package, {}) for member in own_first(chosen)]
    if {pin.sha256 for pin in now} == {pin.sha256 for pin in one.pins}:
        return
    if version_key(now[0].version) < version_key(one.version.encode()):
        return  # installed from a suite or an index that was newer
    yield OutdatedElement(one, display(now[0].version), _moved(one.pins, now))


def _moved(before: Sequence[Pin], now: Sequence[Pin]) -> tuple[tuple[str, str, str], ...]:
    old = {pin.name: pin.version for pin in before[1:]}
    new = {pin.name: pin.version for pin in now[1:]}
    return tuple(
        (display(name), display(old.get(name, b"")), display(new.get(name, b"")))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _file(one: ProfileElement) -> Iterator[OutdatedElement]:
    """Yield the element of a file or directory that is there and was written after it was copied.

    Whether it differs shows when it is copied again: the same content is the same object.
    """
    if os.path.exists(one.asked):
        yield OutdatedElement(one, "", ())
