"""One program on a root that has nothing, with an archive that has the base set of environments."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tests.support.debs import Item
from tests.support.fhs_environments import FhsHome
from tests.support.hosts import HOSTS, Host, HostDirectories, Outcome


class BareProgram:
    """The program, which is compiled here, and the host that it is on.

    Attributes:
        directories: the host's directories, as they are here.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        source: str,
        *packages: tuple[str, Sequence[Item]],
        flags: Sequence[str] = (),
        controls: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
        compiler: str = "gcc",
    ) -> None:
        """Make host, archive and program; `controls` are further fields of packages, by their names."""
        made = directory / "made"
        made.mkdir()
        home = FhsHome(made)
        for package, items in packages:
            home.add(package, items, **controls.get(package, {}))
        self.directories = HostDirectories(directory / "root", directory / "programs", directory / "work")
        # Two below: what lies beside a program or its directory counts as the program's own.
        here = self.directories.programs / "here" / "bin"
        for room in (self.directories.root, here, self.directories.work):
            room.mkdir(parents=True)
        shutil.copytree(home.debs, self.directories.programs / "debs")
        (directory / "program.c").write_text(source)
        subprocess.run([compiler, "-w", *flags, "-o", here / "program", directory / "program.c"], check=True)
        self.host: Host = HOSTS[name](self.directories)
        where = ["/programs/debs", "--directory", "--root", str(self.host.directories.root)]
        added = self.host.run([*self.host.python, "source", "add", "debian", *where])
        assert added.status == 0, added.err

    @property
    def path(self) -> str:
        """The program's path on that host."""
        return f"{self.host.directories.programs}/here/bin/program"

    @property
    def path_here(self) -> Path:
        """The program's path as it is here."""
        return self.directories.programs / "here" / "bin" / "program"

    def run(
        self,
        strategy: str,
        *words: str,
        options: Sequence[str] = (),
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        program: str = "program",
    ) -> Outcome:
        """Start the program, or the one beside it of that name, there by a strategy."""
        command = self.host.denizen("run", "--strategy", strategy, *options)
        path = f"{self.path.removesuffix('program')}{program}"
        return self.host.run([*command, path, *words], stdin=stdin, env=env)
