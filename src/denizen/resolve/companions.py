"""Packages of files without which a library does nothing: its package's dependencies, its plugins (pure).

libmagic1 depends on libmagic-mgc, which has the database; libproj25 on proj-data; libespeak-ng1 on
espeak-ng-data. A dependency counts if it holds no libraries (those are chosen by their sonames) and is made
for libraries: it is the same for all architectures, or it comes from the library's own source. What every
system has (time zones, names of services) counts where a library's package names it all the same: libtcl8.6
depends on tzdata.

On plugins a library's package does not depend, as they depend on the library: libsasl2-2 recommends
libsasl2-modules, libsox3 its formats, libqt5sql5 its drivers. Those of the library's own source count; what
the plugins need themselves comes when one is opened.
"""

from __future__ import annotations

import re

from denizen.formats.packages import relation_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from denizen.index.provider import Provider
    from denizen.resolve.engine.catalogue import ProviderCatalogue
    from denizen.resolve.rule_packs import Companions, RulePacks

# Policy 8.1: a package of libraries is named after a soname: libmagic1, libicu76, libasound2t64.
_OF_LIBRARIES = re.compile(rb"lib.*\d[a-z]?(?:t64|v5)?\Z")
# Packages that data depends on in its turn: libreoffice's fonts, icons' parents.
_MAX_STEPS = 2


def companions(
    libraries: Iterable[Provider], catalogue: ProviderCatalogue, rules: Companions
) -> Iterator[bytes]:
    """Yield the names of the packages of files that packages of libraries depend on."""
    found: dict[bytes, None] = {}
    # Nine in ten dependencies are named by many libraries (libc6), or are excluded by their name alone.
    offers: dict[bytes, list[Provider]] = {}
    pending = list(libraries)
    for _ in range(_MAX_STEPS):
        new: list[Provider] = []
        for one in pending:
            for name in first_alternatives(one.depends):
                if name not in offers:
                    offers[name] = catalogue.packages(name) if _may_hold_files(name, rules) else []
                offered = [each for each in offers[name] if each.suite == one.suite]
                if name not in found and offered and _holds_files(offered[0], one, rules):
                    found[name] = None
                    new.append(offered[0])
        pending = new
    yield from found


def plugins(
    libraries: Iterable[Provider],
    catalogue: ProviderCatalogue,
    rules: RulePacks,
    has: Callable[[bytes], bool],
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (package of plugins, package of a library that recommends it).

    `has` tells whether a soname is among the program's libraries or chosen. Where the interface of drivers
    (OpenCL) is not, a package that depends on it (hwloc's plugins) stays out: to look at a device starts its
    driver.
    """
    files = rules.companion_files
    for one in libraries:
        for each in catalogue.recommended(one) if one.kind.is_searched else ():
            if not each.has_plugins or files.leaves_out(each.package):
                continue
            offered = [found for found in catalogue.packages(each.package) if found.suite == one.suite]
            allowed = offered and _is_allowed(offered[0], files)
            if allowed and not _asks_for_drivers(offered[0], catalogue, rules, has):
                yield each.package, one.package


def _asks_for_drivers(
    package: Provider, catalogue: ProviderCatalogue, rules: RulePacks, has: Callable[[bytes], bool]
) -> bool:
    """Tell whether a package depends on the library of an interface to drivers that is not there."""
    named = frozenset(relation_names(package.depends))
    interfaces = (name for rule in rules.resources if rule.unless for name in rule.when if not has(name))
    return any(one.package in named for name in interfaces for one in catalogue.providers(name))


def first_alternatives(depends: bytes) -> Iterator[bytes]:
    """Yield the names of the packages of a Depends field, of alternatives the first."""
    for relation in depends.split(b","):
        yield from relation_names(relation)[:1]


def _may_hold_files(package: bytes, rules: Companions) -> bool:
    return not _OF_LIBRARIES.match(package) and not rules.leaves_out(package)


def _holds_files(package: Provider, of: Provider, rules: Companions) -> bool:
    ours = (package.source_package or package.package) == (of.source_package or of.package)
    return (package.package_architecture == b"all" or ours) and _is_allowed(package, rules)


def _is_allowed(package: Provider, rules: Companions) -> bool:
    if package.package in rules.resources:
        return True
    return (
        package.size <= rules.largest
        and package.section.rpartition(b"/")[2] not in rules.sections
        and package.priority not in (b"required", b"important")
    )
