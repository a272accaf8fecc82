"""Units of systemd: what of a file is read, the links that enable one, and what a change wants done (pure).

Specification: systemd.unit(5), "[Install] Section Options"; systemd.syntax(7) for the lines.
"""

from __future__ import annotations

import hashlib

from denizen.errors import display
from denizen.system import name_rules
from denizen.system.spec import OnChange
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from denizen.system.system_manifest import SystemUnit

DIRECTORY = "systemd/system"
_MAX_WANTED = 64
# What an [Install] section asks for: the key, and the directory's ending.
_LINKED = {b"WantedBy": ".wants", b"RequiredBy": ".requires", b"UpheldBy": ".upholds"}
# Units of these types only group others: nothing is to be restarted when their text changes.
_PASSIVE = (".target", ".slice", ".device", ".scope")


class UnitActions(Value):
    """The commands to a running systemd, in this order.

    Attributes:
        reload_manager: a file of a unit changed (daemon-reload).
    """

    stop: tuple[str, ...] = ()
    reload_manager: bool = False
    reload: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    start: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Tell whether there is nothing to do."""
        return not (self.stop or self.reload_manager or self.reload or self.restart or self.start)


def installed_links(name: str, text: bytes) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the links that enable a unit, by their path below /etc, and a sentence for each bad name.

    A unit without [Install] has none: it is enabled by what else names it.
    """
    links: dict[str, str] = {}
    problems = []
    for key, word in _install_words(text):
        if key == b"Alias":
            place, target = f"{DIRECTORY}/{word}", name
        else:
            place, target = f"{DIRECTORY}/{word}{_LINKED[key]}/{name}", f"../{name}"
        if name_rules.unit(word) or name_rules.etc_path(place) or len(links) >= _MAX_WANTED:
            problems.append(f"the unit {name} is to be {key.decode()} {display(word[:80])}")
        else:
            links[place] = target
    return links, tuple(problems)


def _install_words(text: bytes) -> list[tuple[bytes, str]]:
    found: list[tuple[bytes, str]] = []
    section = b""
    # A line that ends in a backslash goes on; comments begin with # or ;.
    for raw in text.replace(b"\\\n", b" ").split(b"\n"):
        line = raw.strip()
        if line.startswith(b"["):
            section = line
        key, equals, words = line.partition(b"=")
        key = key.strip()
        if section != b"[Install]" or not equals or (key not in _LINKED and key != b"Alias"):
            continue
        if not words.strip():
            found = [one for one in found if one[0] != key]  # an empty assignment resets the list
        found += [(key, word.decode("ascii", "replace")) for word in words.split()]
    return found


def is_drop_in(path: str, unit: str) -> bool:
    """Return whether a path below /etc is of a file that adds to the unit."""
    return path.startswith(f"{DIRECTORY}/{unit}.d/")


def unit_digest(text: bytes, drop_ins: Iterable[tuple[str, bytes]]) -> str:
    """Return the digest by which a change of a unit is known: SHA-256 over its text and its drop-ins.

    `drop_ins` are paths below /etc with contents, in the order of the description.
    """
    digest = hashlib.sha256(text)
    for path, content in drop_ins:
        digest.update(path.encode() + b"\0" + content)
    return digest.hexdigest()


def unit_actions(before: Sequence[SystemUnit], after: Sequence[SystemUnit]) -> UnitActions:
    """Return what a running systemd is to do when `after` takes the place of `before`."""
    old, new = ({one.name: one for one in units} for units in (before, after))
    gone = [name for name in old if name not in new or (old[name].enabled and not new[name].enabled)]
    changed = [one for name, one in new.items() if name in old and one.digest != old[name].digest]
    active = [one for one in changed if one.enabled and not one.name.endswith(_PASSIVE)]
    begun = [
        one.name for name, one in new.items() if one.enabled and (name not in old or not old[name].enabled)
    ]
    restart = [one.name for one in active if one.on_change is OnChange.RESTART and one.name not in begun]
    reload = [one.name for one in active if one.on_change is OnChange.RELOAD and one.name not in begun]
    return UnitActions(
        tuple(sorted(gone)),
        old.keys() != new.keys() or bool(changed) or bool(gone) or bool(begun),
        tuple(sorted(reload)),
        tuple(sorted(restart)),
        tuple(sorted(begun)),
    )
