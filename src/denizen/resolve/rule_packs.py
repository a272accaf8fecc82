"""The rules that are data: rules.toml, checked and turned into values."""

from __future__ import annotations

from functools import cache

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


@value
class HostRule:
    """Libraries that only the host has."""

    sonames: tuple[bytes, ...]
    reason: str


@value
class Alias:
    """A soname that another one satisfies."""

    provider: bytes
    reason: str


@value
class Opens:
    """What is opened at run time.

    Attributes:
        when: names of which one is in the closure; * for anything.
        beside: or lies beside the program.
        marks: or the program defines or uses one of these symbols, which tell what it is.
        symbols: of which one must be used besides; none: no matter.
        sonames: each of them.
        any: one of them, the first that somebody has.
        files: files beside the program whose paths end so; * for anything.
    """

    pack: str
    when: tuple[bytes, ...]
    beside: frozenset[bytes]
    marks: frozenset[bytes]
    symbols: frozenset[bytes]
    sonames: tuple[bytes, ...]
    any: tuple[bytes, ...]
    files: tuple[bytes, ...]
    priority: str
    reason: str


@value
class StackRule:
    """Up to which glibc a library that wants an executable stack can be opened at run time."""

    newest: tuple[int, ...]
    unstated: frozenset[str]
    reason: str


@value
class Resource:
    """Packages whose files a library opens at fixed paths.

    Attributes:
        when: names of the closure; one is enough.
        mentions: or one of these stands among the constants of the program.
        symbols: of which one must be used besides; none: no matter.
    """

    pack: str
    when: frozenset[bytes]
    mentions: tuple[bytes, ...]
    symbols: frozenset[bytes]
    packages: tuple[bytes, ...]
    reason: str


@value
class RulePacks:
    """All of rules.toml."""

    libc: bytes
    companions: tuple[bytes, ...]
    musl_package: bytes
    musl_reason: str
    host: tuple[HostRule, ...]
    kept_out: tuple[HostRule, ...]
    aliases: Mapping[bytes, Alias]
    runtime: frozenset[bytes]
    opens: tuple[Opens, ...]
    resources: tuple[Resource, ...]
    stack: StackRule

    def host_reason(self, soname: bytes) -> str:
        """Why a library must be the host's; "" if it need not."""
        return next((rule.reason for rule in self.host if any(_fits(n, soname) for n in rule.sonames)), "")

    def kept_out_reason(self, soname: bytes) -> str:
        """Return why a library that is opened by name is not brought; "" if nothing stands against it."""
        rules = (*self.host, *self.kept_out)
        return next((rule.reason for rule in rules if any(_fits(n, soname) for n in rule.sonames)), "")


@cache
def load_rules() -> RulePacks:
    """The rules that come with denizen."""
    import os
    import tomllib

    with open(os.path.join(os.path.dirname(__file__), "rules.toml"), "rb") as stream:
        return read_rules(tomllib.load(stream))


def read_rules(document: Mapping[str, Any]) -> RulePacks:
    """A document as values; KeyError or TypeError for one that is not such a document."""
    return RulePacks(
        libc=document["libc"]["soname"].encode(),
        companions=_names(document["libc"]["companions"]),
        musl_package=document["musl"]["package"].encode(),
        musl_reason=document["musl"]["reason"],
        host=tuple(HostRule(_names(row["sonames"]), row["reason"]) for row in document["host"]),
        kept_out=tuple(HostRule(_names(row["sonames"]), row["reason"]) for row in document["kept-out"]),
        aliases={
            row["soname"].encode(): Alias(row["provider"].encode(), row["reason"])
            for row in document["alias"]
        },
        runtime=frozenset(_names(document["runtime"]["sonames"])),
        opens=tuple(
            Opens(
                row["pack"],
                _names(row.get("when", ())),
                frozenset(_names(row.get("beside", ()))),
                frozenset(_names(row.get("marks", ()))),
                frozenset(_names(row.get("symbols", ()))),
                _names(row.get("sonames", ())),
                _names(row.get("any", ())),
                _names(row.get("files", ())),
                row["priority"],
                row["reason"],
            )
            for row in document["opens"]
        ),
        resources=tuple(
            Resource(
                row["pack"],
                frozenset(_names(row["when"])),
                _names(row.get("mentions", ())),
                frozenset(_names(row.get("symbols", ()))),
                _names(row["packages"]),
                row["reason"],
            )
            for row in document["resource"]
        ),
        stack=StackRule(
            tuple(map(int, document["stack"]["newest-glibc"].split("."))),
            frozenset(document["stack"]["unstated"]),
            document["stack"]["reason"],
        ),
    )


def _names(names: list[str]) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in names)


def _fits(pattern: bytes, soname: bytes) -> bool:
    return soname.startswith(pattern[:-1]) if pattern.endswith(b"*") else soname == pattern
