"""Creation of an environment: from names of packages to a tree in the store.

1. The closure of base set and wanted packages (`closure`).
2. Their control archives are read, and packages that exclude one another refused (`control`); what was read
   is kept below the cache, a file for each package.
3. Each package is fetched and unpacked, and the tree composed, as derivations.
"""

from __future__ import annotations

import contextlib
import os

from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import OUT, made_by
from denizen.build.derivation import SUFFIX, name_of
from denizen.build.realise import RealiseOptions, realise
from denizen.disk import make_directories, write_atomically
from denizen.errors import BadInput
from denizen.fhs import builtin_fhs, compose
from denizen.fhs.alternatives import winners
from denizen.fhs.control_archive import read_control
from denizen.fhs.generations import Part
from denizen.fhs.package_closure import closure
from denizen.fhs.package_conflicts import ConflictingPackages, clashes
from denizen.fhs.trigger_rules import read_rules
from denizen.formats.deb import Deb
from denizen.formats.sysusers import sysusers_text
from denizen.machines import debian_names, triplet_of
from denizen.resolve.cache.package_cache import package_of
from denizen.resolve.installation.install import fetched, source_of
from denizen.resolve.installation.parallel_unpack import UnpackTask, unpack_all
from denizen.resolve.installation.resolution_derivations import package_recipes
from denizen.resolve.resolution import pin_of
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from denizen.build.derivation import Modulos, Sealed
    from denizen.fhs.control_archive import Control
    from denizen.fhs.generations import Settings
    from denizen.fhs.package_closure import EnvironmentPackage, PackageCatalogue
    from denizen.fhs.trigger_rules import Base, Expose, TriggerRules
    from denizen.fhs.trigger_runs import CompositionTools
    from denizen.formats.storepath import StorePath
    from denizen.resolve.installation.install import Supply
    from denizen.resolve.resolution import Pin
    from denizen.store.local import Store

_RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "triggers.toml")
_SEPARATOR = b"\0"


class UnknownArchitecture(BadInput):
    """The error that Debian has no multiarch directory for an architecture."""

    name: str
    WHAT = "{name} is not an architecture of Debian's"

    @property
    def remedy(self) -> str:
        return f"one of {', '.join(debian_names())}"


class CreationContext(Value):
    """The means to make environments.

    Attributes:
        controls: the directory of facts from control archives.
        standing: nobody enters the tree (builtin_fhs.Parts).
        confined: of such a tree: this host can confine its tools.
    """

    store: Store
    supply: Supply
    controls: bytes
    means: CompositionTools
    standing: bool = False
    confined: bool = False


class CreatedTree(Value):
    """A tree and the packages in it."""

    tree: StorePath
    parts: tuple[Part, ...]


def base_set() -> tuple[str, ...]:
    """Return the names of the packages that every environment has."""
    return _base().packages


def exposed_directories() -> tuple[Expose, ...]:
    """Return the rules about directories whose programs appear among the commands."""
    return _rules().exposed


def _base() -> Base:
    return _rules().base


def _rules() -> TriggerRules:
    with open(_RULES, "rb") as stream:
        return read_rules(stream.read())


def members_of(
    settings: Settings, catalogues: Mapping[str, PackageCatalogue], *, whole: bool = True
) -> tuple[EnvironmentPackage, ...]:
    """Return the packages that an environment will have. Raises MissingPackages, UnknownArchitecture.

    Without `whole` those are left out that are missing.
    """
    base = _base()
    native, *others = catalogues
    for name in catalogues:
        if name not in debian_names():
            raise UnknownArchitecture(name)
    names = [*base.packages, *(base.locales if settings.locales else ())]
    wanted = [(os.fsencode(name), native) for name in names]
    wanted += [(name.encode(), other) for other in others for name in base.foreign]
    wanted += [_named(name, native) for name in settings.packages]
    return closure(wanted, native, catalogues, whole=whole)


def _named(name: str, native: str) -> tuple[bytes, str]:
    """Return name and architecture of a package: `libfoo:i386` is libfoo of i386."""
    stem, colon, architecture = name.partition(":")
    return os.fsencode(stem), architecture if colon else native


def pins_of(members: Sequence[EnvironmentPackage], snapshots: Mapping[str, str]) -> tuple[Pin, ...]:
    """Return the packages as pins, in the order in which they are composed.

    `snapshots` has each suite's state.
    """
    return tuple(_in_order([pin_of(member.package, snapshots) for member in members]))


def make(context: CreationContext, pins: Sequence[Pin], settings: Settings) -> CreatedTree:
    """Make the tree valid; the caller must add a root for it before its `store.working` ends.

    Raises:
        ConflictingPackages: packages exclude one another.
        SourceFailed, HostLacks: a package cannot be fetched.
        TriggerFailed: a tool of the tree failed.
    """
    store = context.store
    pins = _in_order(pins)
    with store.working() as work:
        lot = _lot(store, context.supply, pins)
        valid = work.need(set(lot.trees.values()))
        lacking = [pin for pin in pins if lot.trees[pin.sha256] not in valid]
        here = _at_hand(context, lacking, pins)
        controls = [_control(context.controls, pin, here) for pin in pins]
        found = clashes(controls)
        if found:
            raise ConflictingPackages(tuple(found))
        parts = _parts(lot, pins, controls, settings)
        parts = replace(parts, standing=context.standing, confined=context.standing and context.confined)
        composing = builtin_fhs.composing(parts, store.layout.logical)
        goal = derivations.seal(composing, "fhs", lot.modulos, store.layout.logical)
        if goal.outputs[OUT] not in work.need([goal.outputs[OUT]]):
            sealed = [*(one for some in lot.sealed.values() for one in some), goal]
            work.add_texts([(name_of(one.path) + SUFFIX, one.content, one.references) for one in sealed])
            supply = context.supply
            tasks = [UnpackTask(lot.sealed[p.sha256][-1], here[p.sha256], p.sha256) for p in lacking]
            unpack_all(work, tasks, supply.jobs, supply.listener, supply.read)
            builders = {builtin_fhs.BUILDER: compose.builder(context.means)}
            manner = RealiseOptions(supply.opener, 1, supply.listener, builders, made=sealed)
            realise(store, [goal.path], manner)
    return CreatedTree(goal.outputs[OUT], tuple(map(_part, pins)))


def controls_of(controls: bytes, pins: Sequence[Pin], supply: Supply) -> list[Control]:
    """Return the facts of packages' control archives; packages whose facts are not cached are fetched."""
    unread = [pin for pin in pins if not _is_read(controls, pin)]
    here = fetched(unread, supply) if unread else {}
    return [_control(controls, pin, here) for pin in pins]


class _Lot(Value):
    """The derivations of packages, by their .deb's hash; `trees` are the outputs."""

    sealed: Mapping[bytes, Sequence[Sealed]]
    trees: Mapping[bytes, StorePath]
    modulos: Modulos


def to_fetch(store: Store, supply: Supply, pins: Sequence[Pin]) -> list[Pin]:
    """Return the packages that are not unpacked in the store."""
    trees = _lot(store, supply, pins).trees
    return [pin for pin in pins if not store.is_valid(trees[pin.sha256])]


def _lot(store: Store, supply: Supply, pins: Sequence[Pin]) -> _Lot:
    modulos: Modulos = {}
    sealed = {
        pin.sha256: package_recipes(
            pin,
            source_of(supply, pin).addresses(package_of(pin)),
            modulos,
            store.layout.logical,
        )
        for pin in pins
    }
    return _Lot(sealed, {sha256: some[-1].outputs[OUT] for sha256, some in sealed.items()}, modulos)


def _in_order(pins: Sequence[Pin]) -> list[Pin]:
    """Return the pins sorted, so that the order of the request does not change the tree; i386 comes last."""
    return sorted(pins, key=lambda pin: (pin.architecture == b"i386", pin.name, pin.sha256))


def _at_hand(context: CreationContext, lacking: Sequence[Pin], pins: Sequence[Pin]) -> dict[bytes, bytes]:
    """Fetch the packages that are not unpacked or whose control archive was not read.

    Return .deb hash -> path.
    """
    unread = [pin for pin in pins if not _is_read(context.controls, pin)]
    wanted = {pin.sha256: pin for pin in [*lacking, *unread]}
    return fetched(list(wanted.values()), context.supply) if wanted else {}


def _place(directory: bytes, pin: Pin) -> bytes:
    return os.path.join(directory, pin.sha256)


def _is_read(directory: bytes, pin: Pin) -> bool:
    return _scripts(directory, pin) is not None


def _scripts(directory: bytes, pin: Pin) -> tuple[bytes, bytes, bytes] | None:
    """Return a package's control file, postinst and preinst from the cache; None if it has not all."""
    try:
        with open(_place(directory, pin), "rb") as stream:
            parts = stream.read().split(_SEPARATOR, 2)
    except OSError:
        return None
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None


def _control(directory: bytes, pin: Pin, here: Mapping[bytes, bytes]) -> Control:
    """Return a package's facts, from the cache or from its .deb, which are then cached."""
    known = _scripts(directory, pin)
    if known is not None:
        return read_control(*known)
    with open(here[pin.sha256], "rb", buffering=0) as stream:
        deb = Deb(stream)
    parts = [text.replace(_SEPARATOR, b"") for text in (deb.control, deb.postinst, deb.preinst)]
    with contextlib.suppress(OSError):  # a cache that cannot be written is read again
        make_directories(directory)
        write_atomically(_place(directory, pin), _SEPARATOR.join(parts))
    return read_control(*parts)


def _parts(
    lot: _Lot, pins: Sequence[Pin], controls: Sequence[Control], settings: Settings
) -> builtin_fhs.Parts:
    """Return the inputs of the tree's derivation."""
    ingredients = {pin.sha256: made_by(lot.sealed[pin.sha256][-1]) for pin in pins}
    by_name: dict[bytes, list[Pin]] = {}
    for pin in pins:
        by_name.setdefault(pin.name, []).append(pin)
    replaces = [
        (ingredients[pin.sha256], ingredients[other.sha256])
        for pin, control in zip(pins, controls, strict=True)
        for relation in control.replaces
        for other in by_name.get(relation.name, ())
        if other.name != pin.name and relation.admits(other.version)
    ]
    links: list[tuple[bytes, bytes]] = []
    for one in winners([one for control in controls for one in control.alternatives]).values():
        for link, name, path in ((one.link, one.name, one.path), *one.slaves):
            links += [(b"etc/alternatives/" + name, path), (link.lstrip(b"/"), b"/etc/alternatives/" + name)]
    links += [
        (path.lstrip(b"/"), template) for control in controls for path, template in control.configuration
    ]
    diverted = [
        (one.path, one.to, ingredients[pin.sha256] if pin is not None else None)
        for control in controls
        for one in control.diversions
        for pin in by_name.get(one.package, [None])
    ]
    architectures = dict.fromkeys(name.decode() for name in (p.architecture for p in pins) if name != b"all")
    ordered = sorted(architectures, key=lambda name: list(settings.architectures).index(name))
    with open(_RULES, "rb") as stream:
        rules = stream.read()
    return builtin_fhs.Parts(
        tuple(ingredients.values()),
        tuple(dict.fromkeys(replaces)),
        tuple(dict.fromkeys(links)),
        tuple(os.fsencode(name) for name in settings.locales),
        tuple(map(triplet_of, ordered)),
        rules,
        tuple(dict.fromkeys(diverted)),
        sysusers_text(dict.fromkeys(one for control in controls for one in control.accounts)),
        tuple(dict.fromkeys(one for control in controls for one in control.directories)),
    )


def _part(pin: Pin) -> Part:
    return Part(
        os.fsdecode(pin.name),
        os.fsdecode(pin.version),
        os.fsdecode(pin.architecture),
        pin.suite,
        pin.source,
        pin.sha256.decode("ascii"),
    )
