"""The tree of a generation: a union of the parts of its elements, and the manifest, as one derivation."""

from __future__ import annotations

from denizen.build import derivation as derivations
from denizen.build.builtin_derivations import OUT, Ingredient
from denizen.build.builtin_union import UnionPart, uniting
from denizen.build.derivation import SUFFIX, name_of
from denizen.formats.storepath import for_text
from denizen.profiles import summary
from denizen.profiles.derived_files import derived_files
from denizen.profiles.profile_manifest import FILE, write_manifest
from denizen.store.errors import doing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from denizen.formats.storepath import StorePath
    from denizen.profiles.profile_manifest import ProfileElement, ProfileManifest
    from denizen.store.local import Store
    from denizen.store.object_staging import Work

NAME = "profile"
# An element's parts have this many ranks (manifest.ElementPart).
_RANKS = 10


def generation_tree(
    store: Store, work: Work, manifest: ProfileManifest, new: Collection[str] = ()
) -> StorePath:
    """Make the tree of a generation valid, kept while `work` lasts, and return its path.

    `new` has the names of elements that are being installed, for the words of a conflict.

    Raises:
        ProfileConflict: elements of equal priority differ in a file.
        NoSource: an object of the manifest is not in the store.
    """
    clashes = command_clashes(manifest, new)
    if clashes:
        from denizen.profiles.profile_conflict import profile_conflict

        raise profile_conflict(manifest, clashes)
    logical = store.layout.logical
    own = {FILE: write_manifest(manifest), summary.FILE: summary.write_summary(manifest.elements)}
    with doing("read the desktop entries of", store.layout.physical):
        own |= sorted(derived_files(store, manifest).items())
    texts = [_Text(name, own[name], manifest.objects if name == FILE else ()) for name in own]
    parts = [*_parts(manifest), *(one.part(logical) for one in texts)]
    sealed = derivations.seal(uniting(parts, logical), NAME, {}, logical)
    tree = sealed.outputs[OUT]
    if tree not in work.need([tree]):
        # 2 ms that a change does not pay whose tree is in the store, as after a removal.
        from denizen.build.realise import RealiseOptions, realise
        from denizen.build.union_plan import Conflict

        # In one batch, which is two syncs; the tree refers to them, so that they are valid while it is.
        own_recipe = (name_of(sealed.path) + SUFFIX, sealed.content, sealed.references)
        work.add_texts([*((one.base, one.content, one.references) for one in texts), own_recipe])
        try:
            realise(store, [sealed.path], RealiseOptions(_nothing))
        except Conflict as conflict:
            from denizen.profiles.profile_conflict import in_words

            raise in_words(conflict, manifest, new) from conflict
        work.need([tree])
    return tree


class _Text:
    """A file of a generation that is no element's: its path in the profile, and its content."""

    def __init__(self, path: str, content: bytes, references: tuple[StorePath, ...]) -> None:
        self.path, self.content, self.references = path, content, references

    @property
    def base(self) -> str:
        """Its file name, which its store object has too."""
        return self.path.rpartition("/")[2]

    def part(self, store_dir: bytes) -> UnionPart:
        """Return the part of the tree that it is."""
        path = for_text(self.base, self.content, self.references, store_dir)
        return UnionPart(Ingredient(path), 0, b"", self.path.encode())


def _parts(manifest: ProfileManifest) -> Iterator[UnionPart]:
    for one in manifest.elements:
        for part in one.parts:
            priority = one.priority * _RANKS + part.rank
            yield UnionPart(Ingredient(part.path), priority, part.inside.encode(), part.outside.encode())


def command_clashes(
    manifest: ProfileManifest, new: Collection[str] = ()
) -> tuple[tuple[bytes, str, str], ...]:
    """Return the commands that several elements of one priority have: (path, old element, new element).

    As files they are all the same: the loader, which looks up what lies beside it.
    """
    owners: dict[tuple[str, int], ProfileElement] = {}
    found = []
    for one in sorted(manifest.elements, key=lambda one: (one.name in new, one.name)):
        for command in one.commands:
            first = owners.setdefault((command, one.priority), one)
            if first is not one and _own_commands(first) != _own_commands(one):
                found.append((b"bin/" + command.encode("utf-8", "surrogateescape"), first.name, one.name))
    return tuple(found)


def _own_commands(element: ProfileElement) -> list[StorePath]:
    return [part.path for part in element.parts if part.outside == "bin"]


def _nothing(url: str) -> Iterator[bytes]:
    raise AssertionError(f"a union fetches nothing, and was asked for {url}")
