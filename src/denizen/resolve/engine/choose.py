"""Which provider satisfies a soname: the precedence, as a table, and the judgement of one (pure)."""

from __future__ import annotations

from denizen.index.entry import DirectoryKind
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from denizen.elf import Image
    from denizen.index.entry import Provider

# What the loader can be given by its soname; the rest is for other machines, or no library at all.
USABLE = frozenset(
    {DirectoryKind.DEFAULT, DirectoryKind.ALTERNATIVE, DirectoryKind.LDCONFIG, DirectoryKind.PRIVATE}
)


@value
class RankedProvider:
    """A provider before it is looked into.

    Attributes:
        order: its place in the index's answer.
        in_base: of the suite the C library comes from.
        in_asker: of the very package whose library asks.
        already: its package is part of the resolution.
    """

    provider: Provider
    order: int
    in_base: bool
    in_asker: bool
    already: bool


@value
class Demand:
    """What is asked of a soname.

    Attributes:
        versions: that must be defined.
        symbols: of which as many as possible should be.
    """

    versions: frozenset[bytes] = frozenset()
    symbols: frozenset[bytes] = frozenset()


# (what, smaller is better), applied from the top: docs/design.md, "Choosing a provider". Versions come before
# all of it: a provider that lacks one is no candidate. Symbols come after the directory, where two
# candidates differ in them at all.
PRECEDENCE: tuple[tuple[str, Callable[[RankedProvider], int]], ...] = (
    ("the package of the library that asks", lambda s: not s.in_asker),
    ("a directory of the default search path", lambda s: not s.provider.kind.is_searched),
    ("the base suite", lambda s: not s.in_base),
    ("already in the resolution", lambda s: not s.already),
    ("the index's order", lambda s: s.order),
)


def ranked(standings: Sequence[RankedProvider]) -> list[RankedProvider]:
    """By PRECEDENCE, the best first; those that cannot be loaded left out, a package once."""
    usable = [s for s in standings if s.provider.kind in USABLE]
    usable.sort(key=lambda s: tuple([rule(s) for _, rule in PRECEDENCE]))
    return list({(s.provider.package, s.provider.sha256): s for s in reversed(usable)}.values())[::-1]


def objection(image: Image, demand: Demand, bits_machine: tuple[int, int]) -> str:
    """Why a library cannot be taken for what is asked of it; "" if it can."""
    if (image.header.bits, image.header.machine) != bits_machine:
        return "is for another machine"
    defined = {definition.name for definition in image.version_definitions}
    lacking = sorted(demand.versions - defined)
    if lacking:
        # ld.so takes a library without any versions and warns; a build without them is another build.
        return f"does not define {_listed(lacking)}" + ("" if defined else " (it has no versions at all)")
    return ""


def newer_glibc(image: Image, libc: Collection[bytes], glibc: Collection[bytes]) -> str:
    """Why a library does not run on the chosen C library; "" if it does."""
    wanted = sorted(
        version.name
        for need in image.version_needs
        if need.file in libc
        for version in need.versions
        if not version.weak and version.name not in glibc
    )
    return f"asks for {_listed(wanted)}, which the chosen C library does not define" if wanted else ""


def private_of(image: Image, own: Collection[bytes]) -> bytes:
    """The soname among `own` whose private interface an object was built against; b"" for none.

    Qt_6_PRIVATE_API, GLIBC_PRIVATE and their like are promised to the same build alone.
    """
    for need in image.version_needs:
        if need.file in own and any(b"PRIVATE" in version.name for version in need.versions):
            return need.file
    return b""


def share(image: Image, symbols: frozenset[bytes]) -> int:
    """How many of the symbols it defines."""
    return len(symbols & image.symbols.defined_names)


def _listed(names: Sequence[bytes]) -> str:
    shown = ", ".join(name.decode("utf-8", "backslashreplace") for name in names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
