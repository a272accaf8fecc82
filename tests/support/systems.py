"""Systems in a directory made on the spot, by descriptions without packages."""

import os
from pathlib import Path

from denizen.app.profiles.install_request import InstallRequest
from denizen.app.system.system_access import SystemAccess, system_at
from denizen.app.system.system_switch import SystemChange, rolled_back_to, switched
from tests.support.command_context import context_of

REQUEST = InstallRequest(offline=True)


class SystemHome:
    """A target, and descriptions beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.target = directory / "target"
        self.etc = self.target / "etc"
        self.etc.mkdir(parents=True)

    @property
    def access(self) -> SystemAccess:
        session = context_of({"HOME": str(self.directory)}, str(self.directory / "root")).session
        return system_at(session, str(self.target))

    def spec(self, text: str) -> str:
        """The path of a description."""
        path = self.directory / "system.toml"
        path.write_text(text)
        return str(path)

    def switch(self, text: str, *, as_default: bool = True) -> SystemChange:
        return switched(self.access, self.spec(text), REQUEST, as_default=as_default)

    def rollback(self, number: int | None = None) -> SystemChange:
        return rolled_back_to(self.access, number)

    def seen(self) -> dict[str, str]:
        """What a reader finds at each place of /etc, links followed; not what is being made to be renamed."""
        found = {}
        for top, directories, names in os.walk(self.etc):
            if Path(top) == self.etc:
                directories[:] = [name for name in directories if name not in (".denizen", "static")]
            for name in names:
                path = Path(top, name)
                if path.exists() and name != ".pwd.lock" and not name.endswith(".denizen-new"):
                    found[str(path.relative_to(self.etc))] = path.read_text()
        return found
