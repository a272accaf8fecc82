"""The texts that a generation has in /etc from its description: sysusers.d, tmpfiles.d, environment (pure).

Specifications: sysusers.d(5), tmpfiles.d(5), environment.d(5).
"""

from __future__ import annotations

import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.system.spec import DirectorySpec, GroupSpec, SystemSpec, UserSpec

SYSUSERS, TMPFILES = "sysusers.d/denizen.conf", "tmpfiles.d/denizen.conf"
PROFILE, ENVIRONMENT = "profile.d/denizen-system.sh", "environment.d/50-denizen-system.conf"
_HEAD = "# Made by denizen system; the description is the place to change it.\n"


def declared_texts(spec: SystemSpec, software: str) -> dict[str, bytes]:
    """Return the content of each such file by its path; `software` is the packages' directory."""
    found = {
        SYSUSERS: "".join(_sysusers(spec.users, spec.groups)),
        TMPFILES: "".join(map(_tmpfiles_line, spec.directories)),
        PROFILE: "".join(_profile_lines(spec, software)),
        ENVIRONMENT: "".join(f"{key}={_quoted(text)}\n" for key, text in spec.environment),
    }
    return {path: (_HEAD + text).encode() for path, text in found.items() if text}


def _sysusers(users: Sequence[UserSpec], groups: Sequence[GroupSpec]) -> Iterator[str]:
    for group in groups:
        yield f"g {group.name} {_id(group.gid)}\n"
    for user in users:
        number = f"{_id(user.uid)}:{user.group}" if user.group else _id(user.uid)
        home, shell = _blankless(user.home), _blankless(user.shell)
        yield f'u {user.name} {number} "{user.description}" {home} {shell}\n'
    for user in users:
        yield from (f"m {user.name} {group}\n" for group in user.groups)


def _id(number: int | None) -> str:
    return "-" if number is None else str(number)


def _blankless(path: str) -> str:
    return f'"{path}"' if " " in path else path


def _tmpfiles_line(one: DirectorySpec) -> str:
    return f"d {one.path} {one.mode:04o} {one.user} {one.group} {one.age or '-'}\n"


def _profile_lines(spec: SystemSpec, software: str) -> Iterator[str]:
    if spec.packages:
        yield f'export PATH="{software}/bin${{PATH:+:$PATH}}"\n'
        yield f'export XDG_DATA_DIRS="{software}/share:${{XDG_DATA_DIRS:-/usr/local/share:/usr/share}}"\n'
    for key, text in spec.environment:
        yield f"export {key}={shlex.quote(text)}\n"


def _quoted(text: str) -> str:
    r"""Return a text as environment.d reads it: in double quotes, where $ and \\ are special."""
    for letter in '\\"$`':
        text = text.replace(letter, "\\" + letter)
    return f'"{text}"'
