"""The phases of a build, in the order in which they run (pure).

The derivation hands them to builder.bash and develop_shell.bash in the variable `phases`. What each does by
itself is in builder.bash, in functions named like `cmake_configure` or `unpack_default`.
"""

from __future__ import annotations

# By the names of nixpkgs' stdenv. `check` is left out where the recipe has no check.
PHASES = ("unpack", "patch", "configure", "build", "check", "install", "fixup")
# Shell text that runs before and after a phase.
HOOKS = tuple(f"{when}-{phase}" for phase in PHASES for when in ("pre", "post"))
