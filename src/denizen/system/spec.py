"""The description of a system, as values (pure); `spec_reader` reads it from a TOML file."""

from __future__ import annotations

from denizen.value import Enum, Value


class OnChange(Enum):
    """Ways to bring a unit up to date whose text changed; the values are words of the description."""

    RESTART = "restart"
    RELOAD = "reload"
    NOTHING = "nothing"


class Bootloader(Enum):
    """The formats of boot entries; the values are words of the description."""

    BLS = "bls"
    GRUB = "grub"


class FileOrigin(Value):
    """The origin of a file's content: one of its fields is set.

    Attributes:
        text: the content itself; None where it is elsewhere.
        source: a path beside the description, relative.
        package: a package, in which `path` is a pattern of the file's path.
    """

    text: str | None = None
    source: str = ""
    package: str = ""
    path: str = ""


class EtcSpec(Value):
    """A file of /etc.

    Attributes:
        path: below /etc.
        mode: of a copy; None for a link to the file in the store.
    """

    path: str
    origin: FileOrigin
    mode: int | None = None
    user: str = "root"
    group: str = "root"


class UserSpec(Value):
    """A user; `uid` None is chosen by the system. `groups` are further ones."""

    name: str
    uid: int | None = None
    group: str = ""
    description: str = ""
    home: str = "/"
    shell: str = "/usr/sbin/nologin"
    groups: tuple[str, ...] = ()


class GroupSpec(Value):
    """A group; `gid` None is chosen by the system."""

    name: str
    gid: int | None = None


class DirectorySpec(Value):
    """A directory; `age` is tmpfiles.d's, after which its files are cleaned up."""

    path: str
    mode: int = 0o755
    user: str = "root"
    group: str = "root"
    age: str = ""


class UnitSpec(Value):
    """A unit of systemd; `enable` makes the links that its [Install] section asks for."""

    name: str
    origin: FileOrigin
    enable: bool = False
    on_change: OnChange = OnChange.RESTART


class BootSpec(Value):
    """The way the system boots.

    Attributes:
        initrd: None for none, or for the archive of the generation's closure (`closure`).
        shell: the program that runs the scripts; None for the target's /bin/sh.
        init: the program that becomes the first process; "" for a shell.
    """

    kernel: FileOrigin
    initrd: FileOrigin | None
    closure: bool
    shell: FileOrigin | None
    init: str
    options: tuple[str, ...]
    loaders: tuple[Bootloader, ...]


class SystemSpec(Value):
    """A whole description; each tuple is sorted by name."""

    name: str = "system"
    packages: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    etc: tuple[EtcSpec, ...] = ()
    users: tuple[UserSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    directories: tuple[DirectorySpec, ...] = ()
    units: tuple[UnitSpec, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    boot: BootSpec | None = None
