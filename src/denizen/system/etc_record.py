"""The record of what denizen has in /etc, as lines of text that a shell can read too (pure).

    denizen etc 1
    generation <hash>-system
    path ssh/sshd_config.d/ours.conf     each file of /etc that is a link to /etc/static
    added …, removed …                   of an activation that has begun and not ended
    made ssh/sshd_config.d               directories that were made for these files

The place of things in /etc:

    X                    -> static/X, for each file X of the generation
    static               -> .denizen/views/N; its replacement by one rename is the moment of an activation
    .denizen/views/N/X      a link to the store, or a copy with a mode and an owner
    .denizen/views/N.record this record
    .denizen/kept/X         a file that was at X before

Limits: MAX_SIZE bytes, MAX_PATHS of a kind. Every path in it passes the rule for a description's paths.
"""

from __future__ import annotations

import re

from denizen.errors import BadInput
from denizen.formats import storepath
from denizen.system import name_rules
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SIZE = 8 << 20
MAX_PATHS = 20_000
_HEAD = b"denizen etc 1"
STATIC, OWN = b"static", b".denizen"
VIEWS, KEPT = OWN + b"/views", OWN + b"/kept"
RECORD = b".record"
_VIEW = re.compile(rb"\.denizen/views/([a-z0-9]{1,32})\Z")


class DamagedEtc(BadInput):
    """The error that what denizen noted about /etc cannot be read."""

    path: bytes
    problem: str
    WHAT = "{path} is not what denizen wrote there"
    WHY = "{problem:text}"


class EtcRecord(Value):
    """The files of one view of /etc.

    Attributes:
        generation: the store object's base name; "" for no generation.
        added: paths that are being taken over; the activation is undone if it does not go on.
        removed: paths that are being given up; the activation is finished by giving them up.
        made: directories that were made for the files, parents first.
    """

    generation: str = ""
    paths: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    made: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Tell whether no activation was interrupted."""
        return not (self.added or self.removed)


def view_of(target: bytes) -> bytes | None:
    """Return the name of the view that the link /etc/static leads to; None where it is not denizen's."""
    found = _VIEW.match(target)
    return found[1] if found else None


def write_record(record: EtcRecord) -> bytes:
    """Return a record as a file's bytes."""
    rows = [
        ("generation", (record.generation,) if record.generation else ()),
        ("path", record.paths),
        ("added", record.added),
        ("removed", record.removed),
        ("made", record.made),
    ]
    lines = [f"{key} {text}".encode("ascii") for key, texts in rows for text in texts]
    return b"".join(line + b"\n" for line in [_HEAD, *lines])


def read_record(text: bytes, path: bytes) -> EtcRecord:
    """Return the record in a file's bytes. Raises DamagedEtc."""
    head, *lines = text.split(b"\n")
    if head != _HEAD or len(text) > MAX_SIZE:
        raise DamagedEtc(path, f"it does not begin with '{_HEAD.decode()}'")
    found: dict[str, list[str]] = {key: [] for key in ("generation", "path", "added", "removed", "made")}
    for line in filter(None, lines):
        key, _, word = line.decode("ascii", "replace").partition(" ")
        if key not in found:
            raise DamagedEtc(path, f"it has the word {key[:40]!r}")
        found[key].append(word)
    problem = _problem(found)
    if problem:
        raise DamagedEtc(path, problem)
    generation, *rest = (tuple(one) for one in found.values())
    return EtcRecord("".join(generation), *rest)


def _problem(found: dict[str, list[str]]) -> str:
    for key in ("path", "added", "removed", "made"):
        if len(found[key]) > MAX_PATHS:
            return f"it has more than {MAX_PATHS} paths"
        for text in found[key]:
            # A directory is no file of a description, and passes the same rule but for one name.
            if name_rules.etc_path(text) and not (key == "made" and text == "systemd/system"):
                return f"{text[:60]!r} {name_rules.etc_path(text)}"
    if len(found["generation"]) > 1:
        return "it names two generations"
    if found["generation"]:
        try:
            storepath.from_base(found["generation"][0])
        except BadInput as bad:
            return str(bad)
    return ""


def directories_of(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the directories above paths below /etc, parents first."""
    found: set[str] = set()
    for path in paths:
        above = path
        while above := above.rpartition("/")[0]:
            found.add(above)
    return tuple(sorted(found))
