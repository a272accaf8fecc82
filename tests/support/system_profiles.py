"""Systems in a directory made on the spot, by descriptions without packages."""

import os
from pathlib import Path

from denizen.app.profiles.install_request import InstallRequest
from denizen.app.system.system_access import SystemAccess, system_at
from denizen.app.system.system_switch import SystemChange, rolled_back_to, switched
from denizen.disk import make_directories
from tests.support.command_context import context_of

REQUEST = InstallRequest(offline=True)
_BOOT = """
[boot]
kernel = { source = "kernel" }
options = ["quiet"]
"""
# Two descriptions, and what a reader finds in /etc where `prepare_system` put files before.
FIRST_FILES = """
[etc.motd]
text = "one"
[etc."app/app.conf"]
text = "answer"
mode = "0600"
[etc.gone]
text = "gone"
"""
SECOND_FILES = """
[etc.motd]
text = "two"
[etc.hosts]
text = "ours"
[etc."new/deep/file"]
text = "deep"
"""
FIRST, SECOND = FIRST_FILES + _BOOT, SECOND_FILES + _BOOT
SEEN_FIRST = {"motd": "one", "app/app.conf": "answer", "gone": "gone", "hosts": "theirs"}
SEEN_SECOND = {"motd": "two", "hosts": "ours", "new/deep/file": "deep", "gone": "kept"}


class SystemHome:
    """A target, and descriptions beside it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.target = directory / "target"
        self.etc = self.target / "etc"
        self.second = directory / "second.toml"

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

    def switch_to_second(self) -> SystemChange:
        """Switch to the description that `prepare_system` wrote, without a system call of the test's own."""
        return switched(self.access, str(self.second), REQUEST)

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


def prepare_system(directory: Path) -> None:
    """Make a system of two generations, the first of which is active."""
    home = SystemHome(directory)
    (directory / "kernel").write_text("kernel")
    home.second.write_text(SECOND)
    make_directories(os.fsencode(home.etc))
    (home.target / "boot").mkdir(0o755)
    (home.etc / "hosts").write_text("theirs")
    (home.etc / "gone").write_text("kept")
    home.switch(FIRST)
    home.switch(FIRST.replace('"one"', '"between"'))
    home.rollback(1)
