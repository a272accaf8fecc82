"""Requirements of a derivation that may not be met here: system, features, a sandbox or none."""

from __future__ import annotations

from denizen.build.runner.errors import NotBuiltHere, SandboxForbidden
from denizen.build.runner.sandbox_plan import ROOT_VARIABLE
from denizen.build.runner.structured_attributes import words_of
from denizen.build.runner.syscall_filter import knows
from denizen.build.runner.variables import attribute
from denizen.errors import display
from denizen.machines import MACHINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from denizen.build.build_task import Build
    from denizen.build.runner.build_settings import BuildSettings


def _systems(machine: str) -> tuple[bytes, ...]:
    """Return Nix's names of the systems whose programs this machine (`uname -m`) starts, its own first."""
    found = [row for row in MACHINES if row.kernels and row.starts_on(machine) and knows(row.kernels[0])]
    found.sort(key=lambda row: machine not in row.kernels)
    return tuple(f"{row.kernels[0]}-linux".encode() for row in found)


def refuse_unmet(task: Build, settings: BuildSettings, attributes: Mapping[str, Any] | None) -> None:
    """Raise NotBuiltHere, SandboxForbidden unless this machine can build the derivation."""
    derivation = task.sealed.derivation
    systems = _systems(settings.machine)
    if derivation.system not in systems:
        here = ", ".join(map(display, systems)) or f"no builds ({settings.machine})"
        raise NotBuiltHere(task.name, f"it is for {display(derivation.system)}, and this machine does {here}")
    lacking = set(words_of(derivation, task.name, attributes, b"requiredSystemFeatures")) - settings.features
    if lacking:
        wanted = ", ".join(sorted(map(display, lacking)))
        raise NotBuiltHere(task.name, f"it asks for {wanted} (requiredSystemFeatures)")
    (_require_sandbox if settings.sandbox else _require_none)(task, settings)


def _require_none(task: Build, _: BuildSettings) -> None:
    """Raise NotBuiltHere unless the derivation can be built without a sandbox."""
    if task.store.layout.logical != task.store.layout.physical:
        raise NotBuiltHere(
            task.name, "the store was moved, and without a sandbox a builder sees it where it is"
        )
    if attribute(task.sealed.derivation, ROOT_VARIABLE):
        raise NotBuiltHere(
            task.name,
            "a tree of packages is its /usr, which only a sandbox shows; without one it would take this "
            "machine's compiler",
        )


def _require_sandbox(task: Build, settings: BuildSettings) -> None:
    """Raise NotBuiltHere, SandboxForbidden unless the derivation can be built in a sandbox."""
    if attribute(task.sealed.derivation, b"__noChroot") == b"1":
        raise NotBuiltHere(
            task.name, "it wants to be built without a sandbox (__noChroot): --no-sandbox does so"
        )
    if not knows(settings.machine):
        raise SandboxForbidden(task.name, f"denizen has no seccomp filter for {settings.machine}")
