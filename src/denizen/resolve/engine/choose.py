"""The choice among providers of a soname: the precedence as a table, and the tests of a candidate (pure)."""

from __future__ import annotations

from denizen.errors import display
from denizen.index.library_paths import DirectoryKind
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from denizen.elf import Image
    from denizen.index.provider import Provider

# Kinds that the loader can open by their soname; the others are for other machines, or no libraries.
USABLE = frozenset(
    {DirectoryKind.DEFAULT, DirectoryKind.ALTERNATIVE, DirectoryKind.LDCONFIG, DirectoryKind.PRIVATE}
)


@value
class RankedProvider:
    """A provider with the facts by which it is ranked before its package is examined.

    Attributes:
        order: its position in the index's answer.
        in_base: it is of the suite that the C library comes from.
        in_asker: it is of the package whose library asks for the soname.
        already: its package is part of the resolution.
    """

    provider: Provider
    order: int
    in_base: bool
    in_asker: bool
    already: bool


@value
class Demand:
    """The requirements on the library for a soname.

    Attributes:
        versions: symbol versions that it must define.
        symbols: symbols of which it should define as many as possible.
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
    """Return the usable providers by PRECEDENCE, the best first, each package once."""
    usable = [s for s in standings if s.provider.kind in USABLE]
    usable.sort(key=lambda s: tuple([rule(s) for _, rule in PRECEDENCE]))
    return list({(s.provider.package, s.provider.sha256): s for s in reversed(usable)}.values())[::-1]


def objection(image: Image, demand: Demand, bits_machine: tuple[int, int]) -> str:
    """Return the reason why a library does not meet a demand; "" if it does.

    `bits_machine` are the program's ELF class in bits and its e_machine.
    """
    if (image.header.bits, image.header.machine) != bits_machine:
        return "is for another machine"
    defined = {definition.name for definition in image.version_definitions}
    lacking = sorted(demand.versions - defined)
    if lacking:
        # ld.so takes a library without any versions and warns; a build without them is another build.
        return f"does not define {_listed(lacking)}" + ("" if defined else " (it has no versions at all)")
    return ""


def newer_glibc(image: Image, libc: Collection[bytes], glibc: Collection[bytes]) -> str:
    """Return the reason why a library does not run on the chosen C library; "" if it does.

    `libc` are the sonames of the C library's package, `glibc` the versions that they define.
    """
    wanted = sorted(
        version.name
        for need in image.version_needs
        if need.file in libc
        for version in need.versions
        if not version.weak and version.name not in glibc
    )
    return f"asks for {_listed(wanted)}, which the chosen C library does not define" if wanted else ""


def private_of(image: Image, own: Collection[bytes]) -> bytes:
    """Return the soname among `own` whose private interface an object was built against; b"" for none.

    Versions such as Qt_6_PRIVATE_API and GLIBC_PRIVATE are promised to objects of the same build only.
    """
    for need in image.version_needs:
        if need.file in own and any(b"PRIVATE" in version.name for version in need.versions):
            return need.file
    return b""


def share(image: Image, symbols: frozenset[bytes]) -> int:
    """Return the number of the symbols that an object defines."""
    return len(symbols & image.symbols.defined_names)


def _listed(names: Sequence[bytes]) -> str:
    shown = ", ".join(map(display, names[:3]))
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
