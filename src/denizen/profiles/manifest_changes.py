"""Changes of a profile: from one manifest to the next, and the difference of two (pure).

A change is applied to the manifest that is current at the moment of the switch, not to the one that was read
when the command began: of two processes at once, none undoes what the other installed.
"""

from __future__ import annotations

from denizen.profiles.profile_manifest import ProfileManifest, manifest_of
from denizen.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from denizen.profiles.profile_manifest import ProfileElement


class ElementChange(Value):
    """One line of a difference: `before` is None for what came, `after` for what went."""

    name: str
    before: ProfileElement | None
    after: ProfileElement | None

    @property
    def kind(self) -> str:
        """The kind of change: added, removed, upgraded, downgraded, or changed."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        if self.before.version == self.after.version:
            return "changed"
        from denizen.formats.debversion import version_key

        old, new = (version_key(one.version.encode()) for one in (self.before, self.after))
        return "upgraded" if old < new else "downgraded"


def with_elements(manifest: ProfileManifest, elements: Iterable[ProfileElement]) -> ProfileManifest:
    """Return the manifest with these elements, in place of those of the same names."""
    return manifest_of({one.name: one for one in (*manifest.elements, *elements)})


def without_elements(manifest: ProfileManifest, names: Sequence[str]) -> ProfileManifest:
    """Return the manifest without the elements of these names. Raises NotInProfile."""
    check_installed(manifest, names)
    return ProfileManifest(tuple(one for one in manifest.elements if one.name not in names))


def with_pinned(manifest: ProfileManifest, names: Sequence[str], *, pinned: bool) -> ProfileManifest:
    """Return the manifest with the elements of these names pinned, or not any more. Raises NotInProfile."""
    check_installed(manifest, names)
    return ProfileManifest(
        tuple(replace(one, pinned=pinned) if one.name in names else one for one in manifest.elements)
    )


def check_installed(manifest: ProfileManifest, names: Sequence[str]) -> None:
    """Raise NotInProfile if one of the names is not an element's."""
    known = [one.name for one in manifest.elements]
    lacking = tuple(name for name in names if name not in known)
    if lacking:
        from difflib import get_close_matches

        near = [match for name in lacking for match in get_close_matches(name, known, n=3)]
        holders = [one.name for one in manifest.elements if set(lacking) & set(one.commands)]
        from denizen.profiles.profile_errors import NotInProfile

        raise NotInProfile(lacking, tuple(dict.fromkeys([*holders, *near])))


def difference(before: ProfileManifest, after: ProfileManifest) -> tuple[ElementChange, ...]:
    """Return the elements that differ, sorted by name."""
    old, new = ({one.name: one for one in manifest.elements} for manifest in (before, after))
    return tuple(
        ElementChange(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )
