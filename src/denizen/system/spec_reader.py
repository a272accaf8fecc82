r"""The reader of a system's description, a TOML file (pure); spec.py has its values.

name = "box"
packages = ["busybox-static"]          # as `denizen install` takes them
suite = "bookworm"                     # the sources' own base suite where it is left out

[etc."app/app.conf"]                   # a file of /etc: text, or source (a file beside this one)
text = "answer = 42\n"
mode = "0640"                          # with a mode, user or group it is a copy, else a link
group = "app"

[users.app]                            # as sysusers.d: made where there is none, never removed
uid = 900
home = "/var/lib/app"
groups = ["video"]

[groups.video]
gid = 44

[directories."/var/lib/app"]           # as a line `d` of tmpfiles.d
mode = "0750"
user = "app"

[units."app.service"]
text = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
enable = true
on-change = "restart"                  # reload, nothing

[environment]
EDITOR = "vi"

[boot]
kernel = { package = "linux-image-cloud-amd64", path = "boot/vmlinuz-*" }
initrd = "closure"                     # an archive of all that the generation needs; or a file as above
shell = { package = "busybox-static", path = "bin/busybox" }
options = ["console=ttyS0"]

Limits: MAX_SIZE bytes, MAX_ENTRIES in a table. Every name is checked: none leads out of the target.
"""

from __future__ import annotations

from denizen.errors import display
from denizen.formats.toml_file import BadTomlFile, parse_toml, unknown_keys
from denizen.system import name_rules
from denizen.system.spec import (
    Bootloader,
    BootSpec,
    DirectorySpec,
    EtcSpec,
    FileOrigin,
    GroupSpec,
    OnChange,
    SystemSpec,
    UnitSpec,
    UserSpec,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeVar

    _Named = TypeVar("_Named")

MAX_SIZE = 256 << 10
MAX_ENTRIES = 5_000
EXAMPLE = 'packages = ["ripgrep"]\n\n[etc."motd"]\ntext = "hello\\n"\n'


class BadSystemSpec(BadTomlFile):
    """The error that a file does not describe a system, with all reasons."""

    WHAT = "{path} does not describe a system"
    SUCH_AS = "a description such as this"
    EXAMPLE = EXAMPLE


def read_system_spec(text: bytes, path: str) -> SystemSpec:
    """Return the system that a file describes; `path` is the file's. Raises BadSystemSpec."""
    top = parse_toml(text, path, BadSystemSpec, MAX_SIZE)
    reader = _Reader()
    spec = reader.system(top)
    if not reader.problems:
        reader.problems += _contradictions(spec)
    if reader.problems:
        raise BadSystemSpec(path, tuple(reader.problems[:_SHOWN]))
    return spec


_SHOWN = 50
_SECTIONS = ("etc", "users", "groups", "directories", "units")


class _Reader:
    """The reading of tables; problems are collected, and a value that cannot be used is replaced."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def system(self, top: Mapping[str, Any]) -> SystemSpec:
        known = ("name", "packages", "suite", "environment", "boot", *_SECTIONS)
        self._unknown("", top, known)
        suite = self._text("", top, "suite", "", name_rules.suite)
        return SystemSpec(
            self._text("", top, "name", "system", name_rules.system),
            tuple(dict.fromkeys(self._texts("", top, "packages", name_rules.package))),
            (suite,) if suite else (),
            self._section(top, "etc", self._etc),
            self._section(top, "users", self._user),
            self._section(top, "groups", self._group),
            self._section(top, "directories", self._directory),
            self._section(top, "units", self._unit),
            self._environment(top),
            self._boot(top["boot"]) if "boot" in top else None,
        )

    def _etc(self, name: str, table: Mapping[str, Any]) -> EtcSpec:
        at = f'etc."{display(name)}"'
        self._check(at, name_rules.etc_path(name))
        self._unknown(at, table, ("text", "source", "package", "path", "mode", "user", "group"))
        is_copy = bool({"mode", "user", "group"} & table.keys())
        mode = self._mode(at, table, 0o644) if is_copy else None
        origin = self._origin(at, table)
        return EtcSpec(
            name, origin, mode, self._account(at, table, "user"), self._account(at, table, "group")
        )

    def _user(self, name: str, table: Mapping[str, Any]) -> UserSpec:
        at = f"users.{display(name)}"
        self._check(at, name_rules.account(name))
        self._unknown(at, table, ("uid", "group", "description", "home", "shell", "groups"))
        return UserSpec(
            name,
            self._number(at, table, "uid"),
            self._text(at, table, "group", "", name_rules.account),
            self._text(at, table, "description", "", name_rules.field),
            self._text(at, table, "home", "/", name_rules.absolute),
            self._text(at, table, "shell", "/usr/sbin/nologin", name_rules.absolute),
            tuple(sorted(set(self._texts(at, table, "groups", name_rules.account)))),
        )

    def _group(self, name: str, table: Mapping[str, Any]) -> GroupSpec:
        at = f"groups.{display(name)}"
        self._check(at, name_rules.account(name))
        self._unknown(at, table, ("gid",))
        return GroupSpec(name, self._number(at, table, "gid"))

    def _directory(self, name: str, table: Mapping[str, Any]) -> DirectorySpec:
        at = f'directories."{display(name)}"'
        self._check(at, name_rules.directory(name))
        self._unknown(at, table, ("mode", "user", "group", "age"))
        owner = self._account(at, table, "user"), self._account(at, table, "group")
        return DirectorySpec(
            name, self._mode(at, table, 0o755), *owner, self._text(at, table, "age", "", name_rules.age)
        )

    def _unit(self, name: str, table: Mapping[str, Any]) -> UnitSpec:
        at = f'units."{display(name)}"'
        self._check(at, name_rules.unit(name))
        self._unknown(at, table, ("text", "source", "package", "path", "enable", "on-change"))
        enable = table.get("enable", False)
        if not isinstance(enable, bool):
            self.problems.append(f"{at}: enable is true or false")
        return UnitSpec(
            name, self._origin(at, table), enable is True, self._word(at, table, "on-change", OnChange)
        )

    def _environment(self, top: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        table = self._table("environment", top.get("environment", {}))
        for key in table:
            self._check("environment", name_rules.variable(key))
        keys = sorted(table)
        return tuple((key, self._text("environment", table, key, "", name_rules.plain)) for key in keys)

    def _boot(self, found: object) -> BootSpec:
        table = self._table("boot", found)
        self._unknown("boot", table, ("kernel", "initrd", "shell", "init", "options", "loaders"))
        closure = table.get("initrd") == "closure"
        loaders = (
            self._texts("boot", table, "loaders", name_rules.plain) if "loaders" in table else ("bls", "grub")
        )
        known = {one.value: one for one in Bootloader}
        for word in loaders:
            if word not in known:
                self.problems.append(f"boot: {display(word)!r} is not one of {', '.join(known)}")
        return BootSpec(
            self._place("boot", table, "kernel") or FileOrigin(),
            None if closure else self._place("boot", table, "initrd", optional=True),
            closure,
            self._place("boot", table, "shell", optional=True),
            self._text("boot", table, "init", "", name_rules.absolute),
            self._texts("boot", table, "options", name_rules.kernel_option),
            tuple(known[word] for word in dict.fromkeys(loaders) if word in known),
        )

    def _place(
        self, at: str, table: Mapping[str, Any], key: str, *, optional: bool = False
    ) -> FileOrigin | None:
        if optional and key not in table:
            return None
        at = f"{at}: {key}"
        inner = self._table(at, table.get(key, {}))
        self._unknown(at, inner, ("source", "package", "path"))
        return self._origin(at, inner)

    def _origin(self, at: str, table: Mapping[str, Any]) -> FileOrigin:
        given = [key for key in ("text", "source", "package") if key in table]
        if len(given) != 1:
            self.problems.append(f"{at}: it wants one of text, source, and package with path")
            return FileOrigin("")
        if ("path" in table) != ("package" in table):
            self.problems.append(f"{at}: package and path go together")
        if given == ["text"]:
            return FileOrigin(self._text(at, table, "text", "", name_rules.content))
        if given == ["source"]:
            return FileOrigin(source=self._text(at, table, "source", "", name_rules.relative))
        package = self._text(at, table, "package", "", name_rules.package)
        return FileOrigin(package=package, path=self._text(at, table, "path", "", name_rules.relative))

    def _section(
        self, top: Mapping[str, Any], key: str, read: Callable[[str, Mapping[str, Any]], _Named]
    ) -> tuple[_Named, ...]:
        table = self._table(key, top.get(key, {}))
        if len(table) > MAX_ENTRIES:
            self.problems.append(f"{key}: more than {MAX_ENTRIES} entries")
            return ()
        return tuple(read(name, self._table(f"{key}.{display(name)}", table[name])) for name in sorted(table))

    def _table(self, at: str, found: object) -> Mapping[str, Any]:
        if isinstance(found, dict):
            return found
        self.problems.append(f"{at}: it is a table")
        return {}

    def _text(
        self, at: str, table: Mapping[str, Any], key: str, default: str, rule: Callable[[str], str]
    ) -> str:
        found = table.get(key, default)
        if not isinstance(found, str):
            self.problems.append(f"{at}: {display(key)} is a text".removeprefix(": "))
            return default
        if key in table:
            self._check(f"{at}: {display(key)}".removeprefix(": "), rule(found))
        return found

    def _texts(
        self, at: str, table: Mapping[str, Any], key: str, rule: Callable[[str], str]
    ) -> tuple[str, ...]:
        found = table.get(key, [])
        if (
            not isinstance(found, list)
            or len(found) > MAX_ENTRIES
            or not all(isinstance(one, str) for one in found)
        ):
            self.problems.append(f"{at}: {key} is a list of texts".removeprefix(": "))
            return ()
        for one in found:
            self._check(f"{at}: {key}".removeprefix(": "), rule(one))
        return tuple(found)

    def _account(self, at: str, table: Mapping[str, Any], key: str) -> str:
        return self._text(at, table, key, "root", name_rules.account)

    def _number(self, at: str, table: Mapping[str, Any], key: str) -> int | None:
        found = table.get(key)
        if found is None:
            return None
        # 65535 and 4294967295 stand for no user in system calls.
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found < (1 << 32) - 2:
            self.problems.append(f"{at}: {key} is a number below 2^32 - 2")
            return None
        if found == 65535:
            self.problems.append(f"{at}: {key} 65535 stands for no user")
        return found

    def _mode(self, at: str, table: Mapping[str, Any], default: int) -> int:
        text = table.get("mode")
        if text is None:
            return default
        problem = name_rules.mode(text) if isinstance(text, str) else "is a text of octal digits"
        self._check(f"{at}: mode", problem)
        return default if problem else int(text, 8)

    def _word(self, at: str, table: Mapping[str, Any], key: str, kind: type[OnChange]) -> OnChange:
        found = table.get(key, kind.RESTART.value)
        known = {one.value: one for one in kind}
        if not isinstance(found, str) or found not in known:
            self.problems.append(f"{at}: {key} is one of {', '.join(known)}")
            return kind.RESTART
        return known[found]

    def _unknown(self, at: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        where = f"{at}: " if at else ""
        self.problems += [where + problem for problem in unknown_keys(table, known)]

    def _check(self, at: str, problem: str) -> None:
        if problem:
            self.problems.append(f"{at} {problem}")


def _contradictions(spec: SystemSpec) -> Iterator[str]:
    """Yield what is wrong between entries: a path below another file, ids given twice."""
    taken = {one.path for one in spec.etc} | {f"systemd/system/{one.name}" for one in spec.units}
    for path in sorted(taken):
        above = path
        while above := above.rpartition("/")[0]:
            if above in taken:
                yield f'etc."{path}" is below the file etc."{above}"'
    for one in spec.units:
        if any(f"systemd/system/{one.name}" == file.path for file in spec.etc):
            yield f'etc."systemd/system/{one.name}" is the unit {one.name}'
    yield from _twice("uid", [(one.uid, one.name) for one in spec.users])
    yield from _twice("gid", [(one.gid, one.name) for one in spec.groups])


def _twice(what: str, pairs: list[tuple[int | None, str]]) -> Iterator[str]:
    owners: dict[int, str] = {}
    for number, name in pairs:
        if number is not None and owners.setdefault(number, name) != name:
            yield f"{owners[number]} and {name} have one {what}, {number}"
