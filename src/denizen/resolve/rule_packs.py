"""The rule packs of rules.toml, checked and turned into values."""

from __future__ import annotations

from functools import cache

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class HostRule(Value):
    """Libraries that only the host has.

    `where` are paths, one of which the host must have for the rule to apply; () for no such condition.
    """

    sonames: tuple[bytes, ...]
    reason: str
    where: tuple[bytes, ...] = ()


class Alias(Value):
    """A soname that another library satisfies."""

    provider: bytes
    reason: str


class Opens(Value):
    """Libraries and files that a kind of program opens at run time.

    The rule applies if the program matches `when`, `beside` or `marks`.

    Attributes:
        when: sonames, one of which is in the closure; * matches any text.
        beside: names, one of which lies beside the program.
        marks: symbols, one of which the program defines or uses.
        symbols: symbols, one of which must also be used; empty for no such condition.
        sonames: libraries, each of which is opened.
        any: alternative libraries, of which the first that has a provider is opened.
        files: ends of paths of files beside the program; * matches any text.
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


class StackRule(Value):
    """The newest glibc that opens a library with an executable stack at run time.

    Attributes:
        newest: that glibc's version.
        unstated: architectures where an object without PT_GNU_STACK asks for an executable stack.
    """

    newest: tuple[int, ...]
    unstated: frozenset[str]
    reason: str


class Resource(Value):
    """Packages whose files a library opens at fixed paths.

    Attributes:
        when: sonames, one of which is in the closure.
        mentions: texts; one of them among the program's constants also makes the rule apply.
        symbols: symbols, one of which must also be used; empty for no such condition.
        unless: paths; a host that has one of them has what the packages would bring.
        there: paths; where one of them is not empty, a program that starts by itself has what it looks for.
        variables: environment variable -> path that it names in place of the usual one.
        looked: paths; a running program that looks at one of them in vain, or below it, gets the packages.
    """

    pack: str
    when: frozenset[bytes]
    mentions: tuple[bytes, ...]
    symbols: frozenset[bytes]
    unless: tuple[bytes, ...]
    packages: tuple[bytes, ...]
    reason: str
    there: tuple[bytes, ...] = ()
    variables: tuple[tuple[bytes, bytes], ...] = ()
    looked: tuple[bytes, ...] = ()


class Companions(Value):
    """The limits of packages that come with a library (resolve/companions.py).

    Attributes:
        largest: bytes of the largest package that is brought.
        sections: the archive's sections whose packages are for other things.
        without: names of packages; a * at the end stands for any text.
        resources: packages that come whatever their section: a rule says that libraries open their files.
    """

    largest: int
    sections: frozenset[bytes]
    without: tuple[bytes, ...]
    resources: frozenset[bytes] = frozenset()

    def leaves_out(self, package: bytes) -> bool:
        """Tell whether a package is no companion, by its name."""
        return any(_fits(pattern, package) for pattern in self.without)


class RulePacks(Value):
    """All rules of rules.toml."""

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
    companion_files: Companions
    stack: StackRule

    def host_reason(self, soname: bytes) -> str:
        """Return the reason why a library must be the host's; "" if it need not."""
        return next((rule.reason for rule in self.host if any(_fits(n, soname) for n in rule.sonames)), "")

    def kept_out_reason(self, soname: bytes, has: Callable[[bytes], bool]) -> str:
        """Return the reason why a library that is opened by name is not provided; "" if it may be.

        `has` tells whether the host has a path.
        """
        rules = [rule for rule in (*self.host, *self.kept_out) if any(_fits(n, soname) for n in rule.sonames)]
        return next((rule.reason for rule in rules if not rule.where or any(map(has, rule.where))), "")


@cache
def load_rules() -> RulePacks:
    """Return the rules that come with denizen."""
    import os

    from denizen.packaged_toml import packaged_toml

    return read_rules(packaged_toml(os.path.join(os.path.dirname(__file__), "rules.toml")))


def read_rules(document: Mapping[str, Any]) -> RulePacks:
    """Return the rules in a parsed rules.toml.

    Raises KeyError or TypeError for a document of another form.
    """
    return RulePacks(
        libc=document["libc"]["soname"].encode(),
        companions=_names(document["libc"]["companions"]),
        musl_package=document["musl"]["package"].encode(),
        musl_reason=document["musl"]["reason"],
        host=tuple(HostRule(_names(row["sonames"]), row["reason"]) for row in document["host"]),
        kept_out=tuple(
            HostRule(_names(row["sonames"]), row["reason"], _names(row.get("where", ())))
            for row in document["kept-out"]
        ),
        aliases={
            row["soname"].encode(): Alias(row["provider"].encode(), row["reason"])
            for row in document["alias"]
        },
        runtime=frozenset(_names(document["runtime"]["sonames"])),
        opens=tuple(_opens(row) for row in document["opens"]),
        resources=tuple(_resource(row) for row in document["resource"]),
        companion_files=Companions(
            document["companions"]["largest-mb"] * 1_000_000,
            frozenset(_names(document["companions"]["sections"])),
            _names(document["companions"]["without"]),
            frozenset(name for row in document["resource"] for name in _names(row["packages"])),
        ),
        stack=StackRule(
            tuple(map(int, document["stack"]["newest-glibc"].split("."))),
            frozenset(document["stack"]["unstated"]),
            document["stack"]["reason"],
        ),
    )


def _opens(row: Mapping[str, Any]) -> Opens:
    return Opens(
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


def _resource(row: Mapping[str, Any]) -> Resource:
    return Resource(
        row["pack"],
        frozenset(_names(row["when"])),
        _names(row.get("mentions", ())),
        frozenset(_names(row.get("symbols", ()))),
        _names(row.get("unless", ())),
        _names(row["packages"]),
        row["reason"],
        _names(row.get("there", ())),
        tuple((name.encode(), path.encode()) for name, path in row.get("variables", {}).items()),
        _names(row.get("looked", ())),
    )


def _names(names: list[str]) -> tuple[bytes, ...]:
    return tuple(name.encode() for name in names)


def _fits(pattern: bytes, soname: bytes) -> bool:
    return soname.startswith(pattern[:-1]) if pattern.endswith(b"*") else soname == pattern
