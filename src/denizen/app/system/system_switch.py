"""Generations of a system: activated, made the one that boots, gone back to."""

from __future__ import annotations

import os

from denizen.app.system.system_access import generation_of, path_named, system_store
from denizen.errors import DenizenError
from denizen.store.errors import doing
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from denizen.app.profiles.install_request import InstallRequest
    from denizen.app.system.system_access import SystemAccess
    from denizen.formats.storepath import StorePath
    from denizen.store.local import Store
    from denizen.system.activation import ActivationPlan, Activator
    from denizen.system.boot_entries import BootPlan
    from denizen.system.boot_files import Bootable
    from denizen.system.system_manifest import SystemManifest
    from denizen.system.system_tree import SystemGeneration


class ActivationFailed(DenizenError):
    """The error that a generation could not be activated, and which one is active now.

    Attributes:
        failure: the step's own error.
        former: the words for what is active now.
    """

    failure: DenizenError
    former: str

    @property
    def what(self) -> str:
        return f"the generation is not activated: {self.failure.what}"

    @property
    def why(self) -> str:
        return "\n".join(filter(None, (self.failure.why, self.former)))

    @property
    def remedy(self) -> str:
        return self.failure.remedy


class SystemChange(Value):
    """The result of an activation.

    Attributes:
        number: of the generation; None for a plan (`dry-run`).
        plan: what was done, or would be.
    """

    number: int | None
    tree: bytes
    plan: ActivationPlan
    boot: BootPlan


def built(access: SystemAccess, spec_path: str, request: InstallRequest) -> bytes:
    """Build the generation of a description; return the path of its tree. Raises as `build_system`.

    It is no generation of the system yet, and `gc` may free it.
    """
    from denizen.app.system.system_build import build_system

    with system_store(access) as store, store.working() as work:
        return store.place_of(build_system(access, store, work, spec_path, request))


def planned(access: SystemAccess, spec_path: str, request: InstallRequest) -> SystemChange:
    """Build a description, and return what `switch` would do; nothing outside of the store is changed.

    Raises as `switched`.
    """
    from denizen.app.system.system_build import build_system
    from denizen.system.system_tree import read_generation

    with system_store(access) as store, store.working() as work:
        path = build_system(access, store, work, spec_path, request)
        switching = SystemSwitch(access, store)
        new = read_generation(store, path)
        number = switching.number_of(path)
        if number is None:
            number = max(access.profile.numbers(), default=0) + 1
        plan = switching.activator.plan(new, switching.active_manifest())
        return SystemChange(None, new.tree, plan, switching.boot_plan(number, {number: new}))


def switched(
    access: SystemAccess, spec_path: str, request: InstallRequest, *, as_default: bool = True
) -> SystemChange:
    """Build a description, activate it, and make it the generation that boots, unless `as_default` is false.

    Raises:
        ActivationFailed: a step failed; the generation that was active is active again.
        EtcConflict, AccountConflict, NoSuchOwner: nothing was done. And the errors of building.
    """
    from denizen.app.system.system_build import build_system

    with system_store(access) as store, store.working() as work:
        path = build_system(access, store, work, spec_path, request)
        with access.profile.locked():
            return SystemSwitch(access, store).to(path, as_default=as_default)


def rolled_back_to(access: SystemAccess, number: int | None) -> SystemChange:
    """Activate the generation before the default one, or `number`, and make it the default.

    Raises NoSuchGeneration, NoEarlierGeneration, and as `switched`.
    """
    from denizen.app.profiles.profile_generations import NoEarlierGeneration
    from denizen.formats import storepath

    with system_store(access) as store, store.working(), access.profile.locked():
        current = access.profile.required()
        earlier = [one for one in access.profile.numbers() if one < current]
        if number is None and not earlier:
            raise NoEarlierGeneration(current)
        wanted = earlier[-1] if number is None else number
        tree = access.profile.generation(wanted).tree
        path = storepath.from_base(os.path.basename(tree))
        return SystemSwitch(access, store).to(path, number=wanted)


class _Before(Value):
    """The state that a switch that fails goes back to: the active generation, and the one that boots."""

    active: SystemGeneration | None
    booting: int | None


class SystemSwitch:
    """The steps of a switch; the caller holds the lock of the profile where something is changed."""

    def __init__(self, access: SystemAccess, store: Store) -> None:
        from denizen.system.activation import Activator

        self._access, self._store = access, store
        self.activator: Activator = Activator(access.target)

    def to(self, path: StorePath, *, number: int | None = None, as_default: bool = True) -> SystemChange:
        """Activate the generation at a path, made one of the system if it has no `number`; return the change.

        With `as_default` it boots from now on. Raises ActivationFailed; the former one is active again then.
        """
        from denizen.system.system_tree import read_generation

        profile, layout = self._access.profile, self._store.layout
        new = read_generation(self._store, path)
        self.activator.recover()
        former = self._active_generation()
        plan = self.activator.plan(new, former.manifest if former is not None else None)
        if number is None:
            number = self.number_of(path)
        is_new = number is None
        if number is None:
            # A root before its files are shown by /etc: they are in use from then on.
            number = profile.add(layout, path)
        booting = profile.current()
        default = number if as_default else booting
        try:
            with self._doing("activate a generation of"):
                self.activator.carry_out(plan)
                boot = self.write_boot(default)
                if as_default:
                    profile.switch(number)
        except DenizenError as failure:
            raise self._undone(
                failure, _Before(former, booting), new, number if is_new else None
            ) from failure
        self._forget_leftovers()
        return SystemChange(number, new.tree, plan, boot)

    def _doing(self, step: str) -> AbstractContextManager[None]:
        """Turn every failed system call of a step into an error by which the former generation comes back."""
        return doing(step, self._access.target.root.place)

    def number_of(self, path: StorePath) -> int | None:
        """Return the default generation, or the newest one, if it has this tree; else None.

        An older one is not taken: a rollback goes to what was in force before, and numbers tell the order.
        """
        profile = self._access.profile
        for number in (profile.current(), max(profile.numbers(), default=None)):
            if number is not None and os.path.basename(profile.generation(number).tree) == path.base.encode():
                return number
        return None

    def active_manifest(self) -> SystemManifest | None:
        """Return the manifest of the active generation; None where it is not in the store any more."""
        former = self._active_generation()
        return former.manifest if former is not None else None

    def boot_plan(
        self, default: int | None, more: dict[int, SystemGeneration], leaving: frozenset[int] = frozenset()
    ) -> BootPlan:
        """Return what is to be written in /boot for all generations and `more` but those `leaving`."""
        from denizen.system.boot_files import boot_plan

        found = self._bootable(more, leaving)
        return boot_plan(self._access.target.root, found, default)

    def write_boot(self, default: int | None, leaving: frozenset[int] = frozenset()) -> BootPlan:
        """Write the entries of /boot. Raises DiskFailed, NoKernel."""
        from denizen.system.boot_files import boot_plan, write_boot

        target, found = self._access.target, self._bootable({}, leaving)
        plan = boot_plan(target.root, found, default)
        write_boot(target.root, self._store, found, plan, target.inside)
        return plan

    def _bootable(self, more: dict[int, SystemGeneration], leaving: frozenset[int]) -> tuple[Bootable, ...]:
        from denizen.system.boot_files import bootable

        found = dict(more)
        for number in self._access.profile.numbers():
            if number in leaving or number in found:
                continue
            try:
                found[number] = generation_of(self._access, self._store, number)
            except DenizenError as problem:
                self._access.session.reporter.say(f"generation {number} gets no boot entry: {problem}")
        return bootable(sorted(found.items(), key=lambda pair: pair[0]), self._access.target.inside)

    def _active_generation(self) -> SystemGeneration | None:
        from denizen.system.system_tree import read_generation

        path = path_named(self.activator.active())
        return read_generation(self._store, path) if path is not None and self._store.is_valid(path) else None

    def _forget_leftovers(self) -> None:
        """Remove what a kill may have left; the generation is in force, so that a failure is but told."""
        try:
            self._access.profile.forget_leftovers(self._store.layout)
        except DenizenError as problem:
            self._access.session.reporter.say(f"left for the next switch: {problem}")

    def _undone(
        self,
        failure: DenizenError,
        before: _Before,
        new: SystemGeneration,
        number: int | None,
    ) -> DenizenError:
        """Activate the former generation again, and let it boot; return the error that says so."""
        profile, former = self._access.profile, before.active
        try:
            with self._doing("go back to the former generation of"):
                self.activator.recover()
                self.activator.carry_out(self.activator.plan(former, new.manifest))
                # The link may be switched already: the directory's sync failed, after the rename.
                profile.restore(before.booting)
                if number is not None:
                    profile.delete(self._store.layout, [number])
                self.write_boot(profile.current())
        except DenizenError as second:
            return ActivationFailed(failure, f"the former generation could not be activated again: {second}")
        words = f"generation {former.path.base}" if former is not None else "no generation, as before"
        return ActivationFailed(failure, f"active again: {words}")
