"""The inputs of a resolution: the index of providers, the access to packages, the rules (pure)."""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from denizen.index.provider import Provider, Recommendation
    from denizen.resolve.cache.cached_view import CachedView
    from denizen.resolve.cache.package_cache import PackageCache
    from denizen.resolve.rule_packs import RulePacks
else:
    Protocol = object


class ProviderCatalogue(Protocol):
    """The providers of sonames: index.locate.Index, or a table in tests."""

    def providers(self, soname: bytes) -> list[Provider]:
        """Return the providers of a soname, the best first."""

    def knows(self, soname: bytes) -> bool:
        """Tell whether a soname has a provider."""

    def packages(self, name: bytes) -> list[Provider]:
        """Return the packages of a name, the best first."""

    def recommended(self, package: Provider) -> Sequence[Recommendation]:
        """Return the packages of the same source and suite that a package recommends."""

    def near(self, soname: bytes) -> list[bytes]:
        """Return known sonames that resemble one without a provider."""


class Sources(Value):
    """The inputs of a resolution besides the subject.

    Attributes:
        catalogue: the index of providers.
        package_cache: the access to packages' contents.
        rules: the rule packs.
        disk: the view through which skeletons are read; one for all questions about a subject.
        snapshots: suite -> identity of the state from which its index was made.
    """

    catalogue: ProviderCatalogue
    package_cache: PackageCache
    rules: RulePacks
    disk: CachedView
    snapshots: Mapping[str, str]
