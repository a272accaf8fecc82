"""A private apt: state, cache and configuration below a directory, so that the machine's are untouched."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

APT_FILE_CONFIGURATION = Path("/etc/apt/apt.conf.d/50apt-file.conf")
_DIRECTORIES = ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "cache/archives/partial")


class Apt:
    """Runs apt's programs over one archive; `apt-file` too where its configuration is installed."""

    def __init__(
        self, root: Path, uri: str, suites: Sequence[str], architectures: Sequence[str], keyring: Path
    ) -> None:
        self.root = root
        for directory in _DIRECTORIES:
            (root / directory).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        (root / "etc/sources.list").write_text(
            "".join(f"deb [signed-by={keyring}] {uri} {suite} main\n" for suite in suites)
        )
        (root / "apt.conf").write_text(_configuration(root, architectures))
        if APT_FILE_CONFIGURATION.exists():
            content = APT_FILE_CONFIGURATION.read_bytes()
            (root / "etc/apt.conf.d" / APT_FILE_CONFIGURATION.name).write_bytes(content)

    @property
    def environment(self) -> dict[str, str]:
        """Under which apt's programs see this one's files."""
        return {**os.environ, "APT_CONFIG": str(self.root / "apt.conf"), "LC_ALL": "C"}

    def run(self, *command: str, ok: Sequence[int] = (0,)) -> str:
        """The output of one of apt's programs; a status that is not among `ok` is an error."""
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in ok:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
        return done.stdout


def _configuration(root: Path, architectures: Sequence[str]) -> str:
    names = " ".join(f'"{architecture}";' for architecture in architectures)
    return f"""\
Dir "{root}";
Dir::State "{root}";
Dir::State::lists "{root}/lists";
Dir::State::status "{root}/status";
Dir::Cache "{root}/cache";
Dir::Etc "{root}/etc";
Dir::Etc::parts "{root}/etc/apt.conf.d";
Dir::Etc::sourcelist "{root}/etc/sources.list";
Dir::Etc::sourceparts "-";
APT::Architecture "{architectures[0]}";
APT::Architectures {{ {names} }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
"""
