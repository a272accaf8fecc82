"""`denizen.toml`: the file in which a project describes its environment (pure).

    [fhs]
    packages = ["python3", "gcc", "libc6:i386"]
    suite = "trixie"                          # the sources' own base suite where it is left out
    architectures = ["i386"]                  # besides the native one
    locales = ["de_DE.UTF-8"]
    binds = ["./assets:/usr/local/assets"]    # SOURCE[:TARGET]; a relative source is the project's
    profile = "alias ll='ls -l'"              # read by interactive shells

    [fhs.env]
    EDITOR = "vi"

`denizen.lock` beside it (`project_lock`) has a lock as docs/formats/lock.md has it, made for the [fhs] table:
a lock of another table is none.
"""

from __future__ import annotations

import json
import posixpath

from denizen.fhs.generations import Settings
from denizen.fhs.mounts import BindMount
from denizen.fhs.project_lock import LockSection, lock_sections, with_section
from denizen.formats.project_tables import FHS, project_table
from denizen.formats.toml_file import BadTomlFile, unknown_keys
from denizen.sha256 import hex_digest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FILE = "denizen.toml"
LOCK = "denizen.lock"
# Shown if there is no usable file; it can be copied as it is.
EXAMPLE = """\
[fhs]
packages = ["python3", "gcc"]
suite = "trixie"
locales = ["de_DE.UTF-8"]
binds = ["./assets:/usr/local/assets"]

[fhs.env]
EDITOR = "vi"
"""
_LISTS = ("packages", "architectures", "locales", "binds")
_TEXTS = ("suite", "profile")


class BadProject(BadTomlFile):
    """The error that a denizen.toml cannot be used, with all reasons."""

    SUCH_AS = "a denizen.toml such as this; packages alone will do"
    EXAMPLE = EXAMPLE


def read(text: bytes, path: str, native: str) -> Settings:
    """Return the settings in a project file; `path` is the file's. Raises BadProject."""
    table = project_table(FHS, text, path, BadProject)
    if table is None:
        raise BadProject(path, ("it has no table [fhs]",))
    problems = list(_problems(table))
    if problems:
        raise BadProject(path, tuple(problems))
    return _settings(table, posixpath.dirname(path), native)


def _problems(table: Mapping[str, Any]) -> list[str]:
    found = list(unknown_keys(table, (*_LISTS, *_TEXTS, "env")))
    for key in _LISTS:
        items = table.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            found.append(f"{key} is a list of texts")
    found += [f"{key} is a text" for key in _TEXTS if not isinstance(table.get(key, ""), str)]
    env = table.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(text, str) for text in env.values()):
        found.append("env is a table of texts")
    if not found:
        found += [f"{bind!r} is not SOURCE[:TARGET] with an absolute target" for bind in _bad_binds(table)]
    return found


def _bad_binds(table: Mapping[str, Any]) -> list[str]:
    binds: list[str] = table.get("binds", [])
    return [bind for bind in binds if not (bind.partition(":")[2] or bind).startswith("/")]


def _settings(table: Mapping[str, Any], directory: str, native: str) -> Settings:
    def texts(key: str) -> list[str]:
        return list(dict.fromkeys(table.get(key, ())))

    return Settings(
        packages=tuple(sorted(texts("packages"))),
        suites=(table["suite"],) if table.get("suite") else (),
        architectures=tuple(dict.fromkeys((native, *texts("architectures")))),
        locales=tuple(sorted(texts("locales"))),
        bindings=tuple(_binding(bind, directory) for bind in texts("binds")),
        environment=tuple(sorted(table.get("env", {}).items())),
        profile=table.get("profile", ""),
    )


def _binding(text: str, directory: str) -> BindMount:
    source, _, target = text.partition(":")
    full = posixpath.normpath(posixpath.join(directory, source))
    return BindMount(full.encode("utf-8", "surrogateescape"), (target or source).encode())


def digest(settings: Settings) -> bytes:
    """Return a hash of the settings that determine the choice of packages."""
    words = [settings.packages, settings.suites, settings.architectures, bool(settings.locales)]
    return hex_digest_of(json.dumps(words).encode()).encode("ascii")


def locked(settings: Settings, lock: bytes, content: bytes = b"") -> bytes:
    """Return the content of denizen.lock, for a lock as `resolve.lock` writes it.

    `content` is what it was; the sections of other tables are kept.
    """
    return with_section(content, b"fhs", LockSection(digest(settings), lock))


def unlocked(settings: Settings, content: bytes) -> bytes | None:
    """Return the lock in a denizen.lock; None if it was made for other settings."""
    section = lock_sections(content).get(b"fhs")
    return section.body if section is not None and section.digest == digest(settings) else None
