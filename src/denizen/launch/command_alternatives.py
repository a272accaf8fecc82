"""Packages of commands whose names only update-alternatives(1) makes: java, vi, awk."""

from __future__ import annotations

import posixpath

from denizen.packaged_toml import packaged_toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_TABLES = posixpath.join(posixpath.dirname(__file__), "command_alternatives.toml")


def packages_for_user(name: str) -> Sequence[str]:
    """Return the packages that a user may mean by a command's name, the preferred first; none for others.

    Where nothing is said of users it is what a program means.
    """
    program = _table("program").get(name)
    found: Sequence[str] = _table("user").get(name) or ((program,) if program else ())
    return found


def package_for_program(name: bytes) -> bytes:
    """Return the package that a program means by a command's name; b"" for other commands."""
    found: str = _table("program").get(name.decode("utf-8", "replace"), "")
    return found.encode()


def _table(who: str) -> Mapping[str, Any]:
    table: Mapping[str, Any] = packaged_toml(_TABLES)[who]
    return table
