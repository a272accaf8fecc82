"""The outside that a builder sees: with a fixed output it has the network and the caller's variables.

The content of such an output is known beforehand, so whatever it reads cannot change what it makes (Nix,
libstore/build, DerivationType::isSandboxed).
"""

from __future__ import annotations

from denizen.build.derivation import DerivationKind, kind_of
from denizen.build.runner.structured_attributes import words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from denizen.build.build_task import Build
    from denizen.build.runner.build_settings import BuildSettings


def has_network(passed: Mapping[bytes, bytes] | None) -> bool:
    """Tell whether the builder with these `passed_variables` may use the network."""
    return passed is not None


def passed_variables(
    task: Build, settings: BuildSettings, attributes: Mapping[str, Any] | None
) -> dict[bytes, bytes] | None:
    """Return the caller's variables that a fixed output may read; None for other outputs."""
    derivation = task.sealed.derivation
    if kind_of(derivation, task.name) is not DerivationKind.FIXED:
        return None
    environ = settings.environ or {}
    return {
        name: environ.get(name, b"") for name in words_of(derivation, task.name, attributes, b"impureEnvVars")
    }
