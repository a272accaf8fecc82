"""Packages of Debian as elements of a profile: chosen, unpacked, their commands exposed."""

from __future__ import annotations

import os

from denizen.app.profiles.element_errors import NothingExported
from denizen.app.profiles.install_request import ExposedProgram, PreparedElement
from denizen.errors import BadInput, display, shell_word
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from denizen.app.profiles.install_request import Preparation
    from denizen.app.session import Session
    from denizen.fhs.package_closure import EnvironmentPackage
    from denizen.formats.storepath import StorePath
    from denizen.index.locate import Index
    from denizen.index.provider import Provider
    from denizen.profiles.builtin_commands import InstalledProgram
    from denizen.profiles.environment_need import ExportingPackage
    from denizen.profiles.package_plan import PackagePlan
    from denizen.profiles.profile_manifest import ElementPart
    from denizen.profiles.rewritten_text import RewrittenText
    from denizen.resolve.installation.install import Supply
    from denizen.resolve.resolution import Pin
    from denizen.sources.fetch_policy import FetchPolicy


class NoSuchPackage(BadInput):
    """The error that no package has a name.

    Attributes:
        holders: packages that have a command of that name.
        near: names of packages that resemble it.
    """

    name: str
    holders: tuple[str, ...]
    near: tuple[str, ...]
    WHAT = "there is no package {name}"

    @property
    def why(self) -> str:
        if self.holders:
            return f"the command {display(self.name)} is in {', '.join(map(display, self.holders))}"
        return f"perhaps {', '.join(map(display, self.near))}" if self.near else ""

    @property
    def remedy(self) -> str:
        if self.holders:
            return f"denizen install {shell_word(self.holders[0])}"
        file = shell_word(f"./{self.name}")
        return f"denizen search {shell_word(self.name)}; denizen install {file} for a file"


class NoSuchVersion(BadInput):
    """The error that a package has no such version in the suites."""

    name: str
    version: str
    known: tuple[str, ...]
    WHAT = "there is no version {version} of {name}"

    @property
    def why(self) -> str:
        return f"there are: {', '.join(map(display, self.known))}"


class ChosenPackage(Value):
    """A package with all that it depends on.

    Attributes:
        package: the package itself.
        closure: the package and what it depends on, in the order in which they are asked for.
    """

    package: Provider
    closure: tuple[EnvironmentPackage, ...]

    @property
    def exporting(self) -> tuple[Provider, ...]:
        """The packages whose commands are exported, itself first.

        A source package is often cut in parts of which the named one holds little (python3 and
        python3-minimal). Of a package that only depends on others (build-essential, default-jre-headless) it
        is these too.
        """
        own = self.package
        source = own.source_package or own.package
        same = [
            one.package
            for one in self.closure
            if (one.package.source_package or one.package.package) == source
        ]
        return tuple(dict.fromkeys([own, *same]))

    @property
    def direct(self) -> tuple[Provider, ...]:
        """The packages that it depends on itself."""
        return tuple(one.package for one in self.closure if one.asker == self.package.package)


class DebianChooser:
    """The choice of packages from the index of the base suites, or of the suites asked for."""

    def __init__(self, session: Session, suites: tuple[str, ...], policy: FetchPolicy) -> None:
        from denizen.app.environments.fhs_create import catalogues_of
        from denizen.app.supply.own_architecture import own_architecture
        from denizen.fhs.generations import Settings

        self.architecture = own_architecture()
        self._session = session
        settings = Settings((), suites, (self.architecture,))
        self._catalogues = catalogues_of(session, settings, policy)
        self.suites = suites

    @property
    def index(self) -> Index:
        """The index of this machine's architecture."""
        return self._catalogues[self.architecture]

    def chosen(self, word: str) -> ChosenPackage:
        """Return the package of a name, `NAME` or `NAME=VERSION`, with what it depends on.

        Raises:
            NoSuchPackage, NoSuchVersion, MissingPackages: it is not there, or what it needs is not.
        """
        from denizen.fhs.package_closure import closure

        package = self.package(word)
        members = closure([(package.package, self.architecture)], self.architecture, self._catalogues)
        named = [one.package for one in members if one.package.package == package.package]
        if named and named[0] != package:
            from denizen.value import replace

            members = tuple(replace(m, package=package) if m.package == named[0] else m for m in members)
        return ChosenPackage(package, members)

    def package(self, word: str) -> Provider:
        """Return the package of a name. Raises NoSuchPackage, NoSuchVersion."""
        name, equals, version = word.partition("=")
        found = self.index.packages(os.fsencode(name))
        if not found:
            holders = [place.package.decode() for place in self._commands(name)]
            near = [one.decode("utf-8", "replace") for one in self.index.near_packages(os.fsencode(name))]
            raise NoSuchPackage(name, tuple(dict.fromkeys(holders)), tuple(near))
        if equals:
            fitting = [one for one in found if one.version == os.fsencode(version)]
            if not fitting:
                known = dict.fromkeys(one.version.decode("utf-8", "replace") for one in found)
                raise NoSuchVersion(name, version, tuple(known))
            return fitting[0]
        return found[0]

    def environment(self, chosen: ChosenPackage, interpreters: Sequence[bytes]) -> tuple[Pin, ...]:
        """Return the packages of an environment for a package.

        They are what it depends on, the base set, and what is essential: a package need not say that its
        scripts want perl (Policy 3.5). Of the interpreters of its scripts that are packages (perl) all comes,
        where perl-base is enough for the system: it is recommended, and apt-get would bring it.
        """
        from denizen.fhs.generations import Settings
        from denizen.fhs.tree_creation import members_of, pins_of

        name = chosen.package.package.decode()
        essential = tuple(one.decode() for one in self.index.essential())
        named = tuple(one.decode() for one in interpreters if self.index.packages(one))
        settings = Settings((name, *named, *essential), self.suites, (self.architecture,))
        members = [one.package for one in members_of(settings, self._catalogues)]
        own = chosen.package
        members = [own if one.package == own.package else one for one in members]
        return pins_of([_as_member(one) for one in members], {})

    def _commands(self, name: str) -> list[Provider]:
        try:
            places = self.index.commands(os.fsencode(name))
        except BadInput:
            return []
        return [one for place in places for one in self.index.packages(place.package)[:1]]


def _as_member(package: Provider) -> EnvironmentPackage:
    from denizen.fhs.package_closure import EnvironmentPackage

    return EnvironmentPackage(package, None)


def prepared_package(at: Preparation, chooser: DebianChooser, word: str) -> PreparedElement:
    """Return the element for a package; its objects are in the store, kept while the work lasts.

    Raises:
        NothingExported: it has neither commands nor data. And the errors of choosing and fetching.
    """
    preparing = _PackagePreparation(at)
    return preparing.element(preparing.plan(chooser, chooser.chosen(word)))


def planned_package(at: Preparation, plan: PackagePlan) -> PreparedElement:
    """Return the element for a plan, with exactly its packages. Raises as `prepared_package`."""
    return _PackagePreparation(at).element(plan)


def with_environment(at: Preparation, plan: PackagePlan, names: Sequence[bytes]) -> PackagePlan | None:
    """Return the plan with these commands in an environment too; None where they are in one already."""
    from denizen.value import replace

    inside = {*plan.recipe.inside, *(name.decode("utf-8", "surrogateescape") for name in names)}
    if inside == set(plan.recipe.inside):
        return None
    environment = plan.recipe.environment
    if not environment:
        chooser = DebianChooser(at.session, plan.recipe.suites, at.request.policy)
        environment = chooser.environment(chooser.chosen(plan.name), ())
    recipe = replace(plan.recipe, environment=environment, inside=tuple(sorted(inside)))
    return replace(plan, recipe=recipe)


class _UnpackedPackage(Value):
    """A package in the store, with what it exports."""

    pin: Pin
    path: StorePath
    exporting: ExportingPackage


class _PackagePreparation:
    """The steps from a chosen package to a plan, and from a plan to an element."""

    def __init__(self, at: Preparation) -> None:
        from denizen.app.supply.package_supply import supply_of

        self._at = at
        self._supply: Supply = supply_of(at.session, at.request.policy)
        self._made: dict[bytes, _UnpackedPackage] = {}

    def plan(self, chooser: DebianChooser, chosen: ChosenPackage) -> PackagePlan:
        """Return the plan for a package, which is unpacked for it."""
        from denizen.profiles.command_recipe import CommandRecipe
        from denizen.profiles.environment_need import beyond_libraries, environment_reasons, interpreters_of
        from denizen.profiles.package_plan import PackagePlan
        from denizen.resolve.resolution import pin_of

        packages = chosen.exporting if beyond_libraries(chosen.closure) else (chosen.package,)
        unpacked = [self._unpacked(pin_of(one, {})) for one in packages]
        if not unpacked[0].exporting.commands:
            direct = [self._unpacked(pin_of(one, {})) for one in chosen.direct if one not in packages]
            unpacked += [one for one in direct if one.exporting.commands]
        exporting = [one.exporting for one in unpacked]
        reasons = environment_reasons(exporting, chosen.closure)
        recipe = CommandRecipe(
            chooser.suites,
            tuple(sorted(one.package.sha256.decode() for one in chosen.closure)),
            chooser.environment(chosen, interpreters_of(exporting)) if reasons else (),
            tuple(name.decode("utf-8", "surrogateescape") for name in sorted(reasons)),
        )
        pins = tuple(pin_of(one.package, {}) for one in own_first(chosen))
        name = display(chosen.package.package)
        return PackagePlan(name, pins, tuple(one.pin for one in unpacked), recipe)

    def element(self, plan: PackagePlan) -> PreparedElement:
        """Return the element for a plan."""
        from denizen.profiles.package_exports import data_in
        from denizen.profiles.profile_manifest import ElementKind, ElementPart, ProfileElement

        unpacked = [self._unpacked(pin) for pin in plan.exporting]
        commands = _commands(unpacked)
        parts = [
            ElementPart(one.path, inside.decode(), outside.decode(), 1)
            for one in unpacked
            for inside, outside in data_in(one.exporting.view)
        ]
        if not commands and not parts:
            raise NothingExported(plan.name)
        place = self._exposed(plan, unpacked, commands, parts) if commands else None
        version = display(plan.pins[0].version)
        element = ProfileElement(
            self._at.request.name or plan.name,
            ElementKind.DEBIAN,
            plan.name,
            version,
            sum(pin.installed_size for pin in plan.exporting) * 1024,
            tuple(parts),
            tuple(display(one.name) for one in commands),
            plan.pins,
            plan.recipe.suites,
        )
        return PreparedElement(element, place, plan)

    def _exposed(
        self,
        plan: PackagePlan,
        unpacked: Sequence[_UnpackedPackage],
        commands: tuple[InstalledProgram, ...],
        parts: list[ElementPart],
    ) -> StorePath:
        """Make the object of commands, and add what of it appears in the profile to `parts`."""
        from denizen.app.profiles.command_object import expose
        from denizen.profiles.profile_manifest import ElementPart

        texts = _texts(unpacked, commands)
        version = _store_text(display(plan.pins[0].version))
        name = f"{_store_text(plan.name)}-{version}-commands"
        place = expose(self._at, ExposedProgram(name, commands, texts, plan.recipe))
        parts.append(ElementPart(place, "bin", "bin"))
        if texts:
            parts.append(ElementPart(place, "share", "share"))
        return place

    def _unpacked(self, pin: Pin) -> _UnpackedPackage:
        from denizen.disk_view import RootedView
        from denizen.fhs.tree_creation import controls_of, exposed_directories
        from denizen.profiles.environment_need import ExportingPackage
        from denizen.profiles.package_exports import commands_in
        from denizen.resolve.installation.install import unpacked

        if pin.sha256 not in self._made:
            controls = self._at.session.paths.cache + b"/controls"
            (control,) = controls_of(controls, [pin], self._supply)
            path = unpacked(self._at.store, self._at.work, pin, self._supply)
            view = RootedView(self._at.store.place_of(path))
            exporting = ExportingPackage(view, commands_in(view, control.alternatives, exposed_directories()))
            self._made[pin.sha256] = _UnpackedPackage(pin, path, exporting)
        return self._made[pin.sha256]


def own_first(chosen: ChosenPackage) -> list[EnvironmentPackage]:
    """Return the closure of a package, itself first."""
    return sorted(chosen.closure, key=lambda one: one.package != chosen.package)


def _commands(unpacked: Sequence[_UnpackedPackage]) -> tuple[InstalledProgram, ...]:
    from denizen.profiles.builtin_commands import InstalledProgram

    found: dict[bytes, InstalledProgram] = {}
    for one in unpacked:
        for command in one.exporting.commands:
            found.setdefault(command.name, InstalledProgram(command.name, one.path, command.inside))
    return tuple(found[name] for name in sorted(found))


def _texts(
    unpacked: Sequence[_UnpackedPackage], commands: Sequence[InstalledProgram]
) -> tuple[RewrittenText, ...]:
    from denizen.profiles.builtin_commands import commands_text
    from denizen.profiles.desktop_files import names_programs
    from denizen.profiles.package_exports import texts_in
    from denizen.profiles.rewritten_text import RewrittenText

    names = commands_text(commands)
    return tuple(
        RewrittenText(one.path, inside, outside)
        for one in unpacked
        for inside, outside in texts_in(one.exporting.view)
        if names_programs(bytes(one.exporting.view.read(b"/" + inside)), names)
    )


def _store_text(text: str) -> str:
    """Return a text with the characters that a store path's name may have."""
    allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._?="
    return "".join(letter if letter in allowed else "-" for letter in text)[:90].lstrip(".")
