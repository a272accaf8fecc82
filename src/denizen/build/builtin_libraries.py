"""`builtin:libraries`: one flat directory of links to libraries (pure).

Variable: `libraries`, a line each: the name it is asked by (its soname) and the library's full path in the
store. It becomes `<soname> -> ../<hash>-package/usr/lib/.../libfoo.so.1.2`: relative, so that the store
can be moved, and to the file itself, so that the dynamic linker follows one link and never leaves the
store through an absolute one inside a package. Why one directory: docs/design.md.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import Variables, recipe, table
from denizen.build.derivation import BadDerivation
from denizen.errors import BadInput, display
from denizen.fileview import FileKind
from denizen.formats import storepath
from denizen.formats.file_tree import Directory, Symlink, is_name
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.build.builtin_derivations import Ingredient
    from denizen.fileview import FileView
    from denizen.formats.aterm import Derivation
    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath

BUILDER = b"builtin:libraries"


class MissingLibraries(BadInput):
    """Packages lack files that a derivation links to.

    Attributes:
        missing: each name with the path that is no file.
    """

    missing: tuple[tuple[bytes, bytes], ...]

    @property
    def what(self) -> str:
        return f"{len(self.missing)} libraries are not where they should be"

    @property
    def why(self) -> str:
        return "\n".join(f"{display(name)}: there is no file {display(path)}" for name, path in self.missing)


@value
class LinkedLibrary:
    """A library and the name it is asked by; `inside` is its path in the package, without a slash before."""

    soname: bytes
    package: StorePath
    inside: bytes


def linking(libraries: Sequence[tuple[bytes, Ingredient, bytes]], store_dir: bytes) -> Derivation:
    """The recipe, for (soname, package, path in it)."""
    rows = sorted((soname, b"%b/%b" % (one.path.inside(store_dir), path)) for soname, one, path in libraries)
    return recipe(BUILDER, {b"libraries": table(rows)}, [one for _, one, _ in libraries], store_dir)


def read(variables: Variables) -> list[LinkedLibrary]:
    """The links to make, sorted by name.

    Raises:
        BadDerivation: a name that is none, or is there twice.
        BadStorePath: a library that is not in the store.
    """
    found: dict[bytes, LinkedLibrary] = {}
    for soname, path in variables.rows(b"libraries", 2):
        if not is_name(soname) or soname in found:
            raise BadDerivation(variables.name, f"'{display(soname)}' is no name, or is there twice")
        package, inside = storepath.containing(path, variables.store_dir)
        found[soname] = LinkedLibrary(soname, package, inside.lstrip(b"/"))
    return [found[soname] for soname in sorted(found)]


def plan(libraries: Sequence[LinkedLibrary], view_of: Callable[[StorePath], FileView]) -> Iterator[Entry]:
    """The directory of links, in a NAR's order; `view_of` shows a package's own tree as /.

    Raises:
        MissingLibraries: with every one that is not there.
    """
    yield Directory(b"")
    missing: list[tuple[bytes, bytes]] = []
    for library in libraries:
        real = _file(view_of(library.package), library.inside)
        base = library.package.base.encode("ascii")
        if real is None:
            missing.append((library.soname, b"%b/%b" % (base, library.inside)))
        else:
            yield Symlink(library.soname, b"../%b%b" % (base, real))
    if missing:
        raise MissingLibraries(tuple(missing))


def _file(view: FileView, inside: bytes) -> bytes | None:
    """The path of the file itself, links followed inside the package; None where there is none."""
    try:
        real = view.realpath(b"/" + inside)
        return real if view.stat(real).kind is FileKind.FILE else None
    except OSError:
        return None
