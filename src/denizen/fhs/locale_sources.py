"""The source and the character set of a locale, by the list that glibc's package has."""

from __future__ import annotations

import os

from denizen.errors import BadInput


class NoSuchLocale(BadInput):
    """The error that glibc does not know a locale."""

    name: bytes
    near: tuple[str, ...]
    WHAT = "there is no locale {name}"

    @property
    def remedy(self) -> str:
        return f"near: {', '.join(self.near)}" if self.near else "a locale is written de_DE.UTF-8"


def locale_source(wanted: bytes, supported: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """Return the name in glibc's list, and its character set. Raises NoSuchLocale."""
    normal = wanted.replace(b".utf8", b".UTF-8").replace(b".utf-8", b".UTF-8")
    for name in (normal, normal + b".UTF-8"):
        if name in supported:
            return name, supported[name]
    from difflib import get_close_matches

    near = get_close_matches(os.fsdecode(normal), [os.fsdecode(name) for name in supported], n=5)
    raise NoSuchLocale(wanted, tuple(near))
