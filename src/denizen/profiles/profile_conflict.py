"""ProfileConflict, the error that two installed things have different files at one path.

It is imported where it is raised, as the errors of profiles are (profiles/profile_errors.py).
"""

from __future__ import annotations

from denizen.errors import BadInput, display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from denizen.build.union_plan import Conflict
    from denizen.profiles.profile_manifest import ProfileManifest

_SHOWN = 12


class ProfileConflict(BadInput):
    """The error that two elements of equal priority have different files at the same path.

    Attributes:
        clashes: (path, the installed element, the new one); the paths of two elements together.
        priority: of both.
        asked: the words by which the new one of the first clash is installed.
    """

    clashes: tuple[tuple[bytes, str, str], ...]
    priority: int
    asked: str

    @property
    def what(self) -> str:
        pairs = dict.fromkeys((old, new) for _, old, new in self.clashes)
        old, new = next(iter(pairs))
        more = f", and {len(pairs) - 1} other pairs" if len(pairs) > 1 else ""
        return f"{display(new)} conflicts with {display(old)}, which is installed{more}"

    @property
    def why(self) -> str:
        shown = [
            f"{display(path)}: of {display(old)}, and of {display(new)}" for path, old, new in self.clashes
        ]
        left = len(shown) - _SHOWN
        return "\n".join(shown[:_SHOWN] + ([f"and {left} more"] if left > 0 else []))

    @property
    def remedy(self) -> str:
        _, old, new = self.clashes[0]
        less = max(self.priority - 1, 0)
        return (
            f"denizen install --priority {less} {shell_word(self.asked)} takes the files of "
            f"{display(new)}; --priority {self.priority + 1}, those of {display(old)}; "
            f"or denizen remove {shell_word(old)}"
        )


def profile_conflict(
    manifest: ProfileManifest, clashes: tuple[tuple[bytes, str, str], ...]
) -> ProfileConflict:
    """Return the error for clashes: (path, old element, new element)."""
    new = manifest.element(clashes[0][2])
    assert new is not None
    return ProfileConflict(clashes, new.priority, new.asked)


def in_words(conflict: Conflict, manifest: ProfileManifest, new: Collection[str]) -> ProfileConflict:
    """Return the error for a conflict of a union; `new` has the names of what is being installed."""
    owners = {part.path: one for one in manifest.elements for part in one.parts}
    rows = []
    for path, first, second in conflict.clashes:
        pair = sorted((owners[first], owners[second]), key=lambda one: (one.name in new, one.name))
        rows.append((path, pair[0].name, pair[1].name))
    return profile_conflict(manifest, tuple(rows))
