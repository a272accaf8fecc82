"""The choice of a library that a running process misses, to work with those that it has loaded (pure).

Loaded libraries cannot be exchanged, so neither the program nor its libraries are resolved again. The missing
library and its dependencies are chosen, suite by suite, until a suite has all of them. The parts of the C
library are not chosen: they are loaded already, or must be of exactly its release.
"""

from __future__ import annotations

from denizen.resolve.companions import companions, first_alternatives, plugins
from denizen.resolve.dlopen_names import packs, resources
from denizen.resolve.dlopen_priorities import comes_unasked
from denizen.resolve.engine.attempt import Attempt, SonameRequest
from denizen.resolve.engine.base_candidates import release_of
from denizen.resolve.engine.model_check import Checker
from denizen.resolve.resolution import Resolution, pin_of
from denizen.resolve.shipped_libraries import Bundle
from denizen.resolve.subject import Subject, glibc_versions
from denizen.value import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.existing_libraries import ExistingLibraries
    from denizen.resolve.resolution import Pin
    from denizen.resolve.rule_packs import RulePacks


def library_added(
    view: CachedView, program: bytes, existing: ExistingLibraries, sources: Sources, soname: bytes
) -> Resolution | None:
    """Return the packages for a library that the running program misses.

    Return None if none works with its libraries.

    Raises:
        OSError, BadInput: the program cannot be read.
        SourceFailed, HostLacks: a package had to be fetched and could not.
    """
    subject = _subject(view, program, existing)
    for suite in _suites(existing, sources):
        attempt = Attempt(subject, sources, None, {}, suite=suite)
        attempt.provide([SonameRequest(soname, b"")])
        if soname not in attempt.choices or attempt.problems:
            continue
        _provide_opened(attempt, subject, sources)
        _bring_files(attempt, subject, sources)
        return _resolution(attempt, suite, sources)
    return None


def mentioned_files(
    view: CachedView, program: bytes, existing: ExistingLibraries, sources: Sources, opened: bytes
) -> Resolution | None:
    """Return the packages of the files that an object opened by the running program names.

    Such an object has the library that looks there inside itself. Return None where it names none.

    Raises OSError, BadInput: the program or the object cannot be read.
    """
    subject = _subject(view, program, existing)
    suite = _suites(existing, sources)[0]
    attempt = Attempt(subject, sources, None, {}, suite=suite)
    for name in resources(replace(subject, own={opened: view.image(opened)}), (), sources.rules):
        attempt.bring(name)
    return _resolution(attempt, suite, sources) if attempt.brought else None


def package_added(
    view: CachedView, program: bytes, existing: ExistingLibraries, sources: Sources, package: bytes
) -> Resolution | None:
    """Return the packages for one that the running program needs a file of; None if there is none.

    Raises OSError, BadInput: the program cannot be read.
    """
    suite = _suites(existing, sources)[0]
    attempt = Attempt(_subject(view, program, existing), sources, None, {}, suite=suite)
    attempt.bring(package)
    return _resolution(attempt, suite, sources) if attempt.brought else None


def place_filled(
    view: CachedView, program: bytes, existing: ExistingLibraries, sources: Sources, packages: Sequence[bytes]
) -> Resolution | None:
    """Return the packages for a place at which the running program looks; None if there are none.

    One that stands for the archive's choice has no files of its own (default-jre-headless): what it depends
    on in its own section comes with it.

    Raises OSError, BadInput: the program cannot be read.
    """
    suite = _suites(existing, sources)[0]
    attempt = Attempt(_subject(view, program, existing), sources, None, {}, suite=suite)
    for name in packages:
        attempt.bring(name)
    for one in list(attempt.providers.values()):
        for name in first_alternatives(one.depends):
            if any(each.section == one.section for each in sources.catalogue.packages(name)):
                attempt.bring(name)
    return _resolution(attempt, suite, sources) if attempt.brought else None


def _subject(view: CachedView, program: bytes, existing: ExistingLibraries) -> Subject:
    """Return the program as a subject without missing libraries."""
    image = view.image(program)
    return Subject(
        view,
        (program,),
        image.header,
        image.interpreter or b"",
        musl=False,
        own={program: image},
        objects=(),
        names=frozenset(),
        beside={},
        given=frozenset(),
        outside={},
        bundle=Bundle(view, program),
        opened={},
        outside_opened={},
        stacked=(),
        checker=Checker(),
        existing=existing,
    )


def _suites(existing: ExistingLibraries, sources: Sources) -> list[str]:
    """Return the suites, that of the running C library first: the process's libraries were built with it.

    It is the oldest one not older than the versions that are defined: some releases define no version of
    their own.
    """
    libc = existing.image(sources.rules.libc)
    running = max(glibc_versions(one.name for one in libc.version_definitions), default=()) if libc else ()
    offered = [p for p in sources.catalogue.providers(sources.rules.libc) if p.kind.is_searched]
    releases = {provider.suite: release_of(provider) for provider in offered}
    same = min((release for release in releases.values() if release >= running[:2]), default=())
    return sorted(sources.snapshots, key=lambda suite: releases.get(suite) != same)


def _provide_opened(attempt: Attempt, subject: Subject, sources: Sources) -> None:
    """Choose the libraries that the chosen ones open at run time, as far as there are providers."""
    for wish in packs(subject, attempt.chosen_images(), sources.rules):
        if comes_unasked(wish.priority) and not any(map(attempt.is_settled, wish.sonames)):
            name = next((one for one in wish.sonames if sources.catalogue.knows(one)), wish.sonames[0])
            attempt.provide([SonameRequest(name, b"", b"", wish.origin, optional=True)])


def _bring_files(attempt: Attempt, subject: Subject, sources: Sources) -> None:
    """Add the packages without which the chosen libraries find nothing at the paths where they look."""
    # What the program itself mentions came when it was resolved.
    named = resources(replace(subject, own={}), attempt.choices, sources.rules)
    for name in (*named, *companions(attempt.libraries(), sources.catalogue, sources.rules.companion_files)):
        attempt.bring(name)
    for name, by in plugins(attempt.libraries(), sources.catalogue, sources.rules, attempt.is_settled):
        attempt.bring(name, by)


def counted(pins: Sequence[Pin], resolution: Resolution, rules: RulePacks) -> list[Pin]:
    """Return the packages that count for a program's budget: not those that come for a list of drivers alone.

    libmpv needs libvulkan, and most programs that play by it draw otherwise.
    """
    lists = {name for rule in rules.resources if rule.unless for name in rule.packages}
    used = {choice.package for choice in resolution.choices}
    return [pin for pin in pins if pin.sha256 in used or pin.name not in lists]


def _resolution(attempt: Attempt, suite: str, sources: Sources) -> Resolution:
    used = {choice.package for choice in attempt.choices.values()} | attempt.brought
    pins = [pin_of(one, sources.snapshots) for sha256, one in attempt.providers.items() if sha256 in used]
    pins.sort(key=lambda pin: (pin.name, pin.version))
    choices = sorted(attempt.choices.values(), key=lambda choice: choice.soname)
    return Resolution("", suite, packages=tuple(pins), choices=tuple(choices))
