"""Real Nix with a root of its own: nothing outside a temporary directory is read or written."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.peers import require

PROGRAMS = ("nix", "nix-hash", "nix-instantiate", "nix-store")


@dataclass(frozen=True)
class PrivateNix:
    """A Nix whose store is called /nix/store and lies in `<root>/nix/store`."""

    root: Path
    configuration: str = ""

    def run(self, *command: str | Path, stdin: bytes = b"") -> bytes:
        """What the command prints; a failure is an assertion with what it said."""
        done = subprocess.run(
            [os.fspath(word) for word in command],
            input=stdin,
            capture_output=True,
            env=self.environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout

    def lines(self, *command: str | Path, stdin: bytes = b"") -> list[str]:
        return self.run(*command, stdin=stdin).decode().splitlines()

    def physical(self, path: str | bytes) -> Path:
        """Where a store path lies on disk."""
        return Path(os.fsdecode(os.fsencode(self.root) + os.fsencode(path)))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root / "home"),
            "NIX_REMOTE": f"local?root={self.root}",
            "NIX_CONF_DIR": str(self.root / "etc"),
            "NIX_CONFIG": "build-users-group =\nexperimental-features = nix-command\nsubstituters =\n"
            + self.configuration,
        }


def private_nix(root: Path, configuration: str = "") -> PrivateNix:
    require(*PROGRAMS)
    root.mkdir(parents=True, exist_ok=True)
    return PrivateNix(root, configuration)
