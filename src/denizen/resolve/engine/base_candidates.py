"""The C libraries that a resolution may be based on, in the order in which they are tried.

Each must have the versions that are asked of it. Executable stacks bound how new it may be (rules.toml,
[stack]); an old kernel or a seccomp filter does not.
"""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.resolve.cache.package_facts import PackageFacts
from denizen.resolve.engine.candidate_check import Libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.fileview import FileView
    from denizen.index.provider import Provider
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.engine.catalogue import Sources
    from denizen.resolve.rule_packs import RulePacks
    from denizen.resolve.subject import Subject


def base_candidates(subject: Subject, sources: Sources) -> Iterator[tuple[Libc | None, str]]:
    """Yield the C libraries to try, each with its suite; if the host is extended, None with each suite."""
    if subject.host is None:
        for libc in _bases(subject, sources):
            yield libc, libc.provider.suite if libc is not None else ""
        return
    offered = [p for p in sources.catalogue.providers(sources.rules.libc) if p.kind.is_searched]
    yield from [(None, provider.suite) for provider in _one_a_suite(offered)] or [(None, "")]


def _bases(subject: Subject, sources: Sources) -> Iterator[Libc | None]:
    """Yield the C libraries to try, the preferred suite's first; those that are too old only if all are."""
    rules, catalogue = sources.rules, sources.catalogue
    if subject.musl:
        offered = catalogue.packages(rules.musl_package)
    else:
        offered = [p for p in catalogue.providers(rules.libc) if p.kind.is_searched]
    wanted = _asked_of_libc(subject, rules)
    too_old: list[Libc] = []
    fitting = False
    bases = _order(_one_a_suite(offered), subject, rules)
    if len(bases) == 1 and not subject.musl:
        # There is one C library: read the first candidates' packages in parallel with it, the largest.
        sources.package_cache.facts([*bases, *_first_asked(subject, sources)])
    for provider in bases:
        facts = sources.package_cache.facts([provider])[provider.sha256]
        if not isinstance(facts, PackageFacts):
            continue
        libc = Libc(provider, facts, _versions_of(facts, sources.disk, subject.view))
        if subject.musl or wanted <= libc.versions:
            fitting = True
            yield libc
        else:
            too_old.append(libc)
    if not fitting:
        # None fits: the newest gives the best partial result.
        yield max(too_old, key=lambda libc: len(libc.versions), default=None)


def _first_asked(subject: Subject, sources: Sources) -> Iterator[Provider]:
    """Yield the providers that are examined first, of those in directories that every program searches."""
    for soname in subject.outside:
        offered = () if sources.rules.host_reason(soname) else sources.catalogue.providers(soname)
        if offered and offered[0].kind.is_searched:
            yield offered[0]


def _one_a_suite(offered: Sequence[Provider]) -> list[Provider]:
    """Return the best provider of each suite, in the order of suites."""
    best: dict[str, Provider] = {}
    for provider in offered:
        best.setdefault(provider.suite, provider)
    return list(best.values())


def _order(offered: Sequence[Provider], subject: Subject, rules: RulePacks) -> list[Provider]:
    """Return the providers, those whose glibc allows executable stacks first if the subject needs one."""
    if not subject.stacked:
        return list(offered)
    return sorted(offered, key=lambda provider: release_of(provider) > rules.stack.newest)


def release_of(provider: Provider) -> tuple[int, ...]:
    """Return the release of a C library by its package's version: 2.41-12+deb13u1 is (2, 41)."""
    upstream = provider.version.partition(b":")[2] or provider.version
    numbers = upstream.partition(b"-")[0].split(b".")[:2]
    return tuple(int(number[:9]) for number in numbers if number.isdigit())


def _asked_of_libc(subject: Subject, rules: RulePacks) -> frozenset[bytes]:
    return frozenset(
        version.name
        for image in subject.objects
        for need in image.version_needs
        if need.file == rules.libc
        for version in need.versions
        if not version.weak
    )


def _versions_of(facts: PackageFacts, disk: FileView, view: CachedView) -> frozenset[bytes]:
    """Return every version that the libraries of a C library's package define."""
    found: set[bytes] = set()
    for path in sorted(facts.skeletons):
        try:
            found.update(d.name for d in view.parse(disk.read(facts.skeletons[path])).version_definitions)
        except (BadInput, OSError):
            continue
    return frozenset(found)
