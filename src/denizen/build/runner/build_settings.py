"""BuildSettings, the settings of builds that run programs."""

from __future__ import annotations

from denizen.build.runner.build_limits import BuildLimits
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Features that derivations may ask for and that need nothing of the machine (Nix, libstore/globals.cc).
FEATURES = frozenset({b"benchmark", b"big-parallel", b"nixos-test"})


class SandboxPath(Value):
    """A path of this machine that a sandbox shows too.

    Attributes:
        target: its path in the sandbox.
        source: its path on this machine.
        optional: nothing is shown where the source does not exist.
    """

    target: bytes
    source: bytes
    optional: bool = False


def _unheard(_name: str, _piece: bytes) -> None:
    """Ignore what a builder says."""


class BuildSettings(Value):
    """The settings of builds that run programs.

    Attributes:
        enter: path of `denizen-enter`.
        machine: this machine (`uname -m`).
        sandbox: builders run in namespaces of their own.
        paths: paths of this machine that sandboxes show.
        cores: processors that one build may use (NIX_BUILD_CORES).
        limits: when a builder is stopped.
        keep_failed: the directory in which the directory of a failed build is kept; None to keep none.
        check: build once more what is valid, and compare.
        features: what derivations may ask for in requiredSystemFeatures.
        environ: the environment, for variables that fixed outputs may read (impureEnvVars).
        heard: is given the output of builders, with the derivation's name; called from several threads.
    """

    enter: bytes
    machine: str
    sandbox: bool = True
    paths: tuple[SandboxPath, ...] = ()
    cores: int = 1
    limits: BuildLimits = BuildLimits()
    keep_failed: bytes | None = None
    check: bool = False
    features: frozenset[bytes] = FEATURES
    environ: Mapping[bytes, bytes] | None = None
    heard: Callable[[str, bytes], None] = _unheard
