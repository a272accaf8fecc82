"""The section of the denizen.lock beside a recipe, or of a [develop] table: the packages to build with."""

from __future__ import annotations

import os

from denizen.disk import content_or_empty, write_atomically
from denizen.fhs.project_environment import FILE, LOCK, digest
from denizen.fhs.project_lock import LockSection, lock_sections, with_section
from denizen.formats.project_tables import DEVELOP
from denizen.recipes.findings_table import parse_findings, write_findings
from denizen.resolve.lock import MAX_SIZE, parse, write
from denizen.resolve.resolution import Resolution
from denizen.sha256 import hex_digest_of
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from denizen.fhs.generations import Settings
    from denizen.recipes.findings_table import RunFinding
    from denizen.resolve.resolution import Pin

# The section of what programs opened when they ran.
_OPENED = b"opened"


def locked_packages(recipe: str, settings: Settings) -> tuple[Pin, ...] | None:
    """Return the packages locked for a recipe's file; None if there is no lock for these settings.

    Raises BadLock.
    """
    section = lock_sections(_content(_place(recipe))).get(_table(recipe))
    if section is None or section.digest != digest(settings):
        return None
    return parse(section.body).packages


def lock_packages(recipe: str, settings: Settings, pins: Iterable[Pin]) -> None:
    """Write the packages into the denizen.lock beside a recipe's file, unless they are there already."""
    ordered = sorted(pins, key=lambda pin: (pin.name, pin.version, pin.architecture, pin.sha256))
    body = write(Resolution(settings.architectures[0], packages=tuple(ordered)))
    place = _place(recipe)
    old = _content(place)
    new = with_section(old, _table(recipe), LockSection(digest(settings), body))
    if new != old:
        with doing("write", os.fsencode(place)):
            write_atomically(place, new)


def locked_findings(recipe: str, name: str) -> tuple[RunFinding, ...]:
    """Return what programs opened that the recipe of a name in a file built. Raises BadFindings."""
    section = lock_sections(_content(_place(recipe))).get(_OPENED)
    if section is None or section.digest != _digest_of(name):
        return ()
    return parse_findings(section.body)


def lock_findings(recipe: str, name: str, findings: Iterable[RunFinding]) -> None:
    """Write what programs opened into the denizen.lock beside a recipe's file."""
    place = _place(recipe)
    section = LockSection(_digest_of(name), write_findings(findings))
    with doing("write", os.fsencode(place)):
        write_atomically(place, with_section(_content(place), _OPENED, section))


def _digest_of(name: str) -> bytes:
    return hex_digest_of(name.encode()).encode("ascii")


def _table(recipe: str) -> bytes:
    """Return the section's name: that of the table, of a denizen.toml."""
    return DEVELOP.encode() if os.path.basename(recipe) == FILE else b"recipe"


def _place(recipe: str) -> str:
    return os.path.join(os.path.dirname(recipe), LOCK)


def _content(place: str) -> bytes:
    return content_or_empty(place, MAX_SIZE + 1)
