"""The plan for /etc: which files are taken over, kept, given up and restored (pure)."""

from __future__ import annotations

from denizen.errors import BadInput, display
from denizen.value import Enum, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN = 12


class PlaceKind(Enum):
    """The kinds of things that can be at the place of a file of /etc."""

    ABSENT = "absent"
    OURS = "ours"
    FILE = "file"
    LINK = "link"
    OTHER = "other"
    # A directory above it is a link or a file.
    UNREACHABLE = "unreachable"


class EtcConflict(BadInput):
    """The error that things are in /etc which files of a generation cannot take the place of."""

    places: tuple[tuple[str, PlaceKind], ...]
    REMEDY = "move them away, or leave the files out of the description"

    @property
    def what(self) -> str:
        one, *more = self.places
        return f"/etc/{display(one[0])} cannot be made" + (f", nor {len(more)} others" if more else "")

    @property
    def why(self) -> str:
        return "\n".join(f"/etc/{display(path)}: {_REASONS[kind]}" for path, kind in self.places[:_SHOWN])


_REASONS = {
    PlaceKind.OTHER: "a directory or a special file is there",
    PlaceKind.UNREACHABLE: "a directory above it is a link or a file, which is not followed",
}


class EtcPlan(Value):
    """The changes to the links of /etc; all paths are below it, and sorted.

    Attributes:
        added: become links.
        kept: of these, files that are there, and are put aside.
        removed: links that are given up.
        restored: of these, the ones whose file was put aside, and comes back.
        foreign: to be given up, but something else took the place of the link: it stays.
        remade: nothing of it changes but its content.
    """

    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()


def plan_etc(
    before: Sequence[str],
    wanted: Sequence[str],
    observed: Mapping[str, PlaceKind],
    aside: frozenset[str],
    changed: frozenset[str],
) -> EtcPlan:
    """Return the plan from the files in force to the wanted ones.

    Args:
        before: the paths in force.
        wanted: the paths of the new generation.
        observed: what is at each of both.
        aside: paths of which a former file was put aside.
        changed: paths in both whose content, mode or owner differs.

    Raises:
        EtcConflict: something is at a place that cannot be put aside.
    """
    bad = [
        (path, observed[path])
        for path in wanted
        if observed[path] in (PlaceKind.OTHER, PlaceKind.UNREACHABLE)
    ]
    if bad:
        raise EtcConflict(tuple(bad))
    added = [path for path in wanted if observed[path] is not PlaceKind.OURS]
    gone = sorted(set(before) - set(wanted))
    removed = [path for path in gone if observed[path] is PlaceKind.OURS]
    return EtcPlan(
        tuple(sorted(added)),
        tuple(sorted(path for path in added if observed[path] in (PlaceKind.FILE, PlaceKind.LINK))),
        tuple(removed),
        tuple(path for path in removed if path in aside),
        tuple(path for path in gone if observed[path] in (PlaceKind.FILE, PlaceKind.LINK)),
        tuple(sorted(path for path in changed if path not in added)),
    )
