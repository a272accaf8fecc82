"""`builtin:libraries`: one flat directory of links to libraries (pure).

Variable: `libraries`, one line per library: its soname and its full path in the store. The output has a
link `<soname> -> ../<hash>-package/usr/lib/.../libfoo.so.1.2` for each: relative, so that the store
can be moved, and to the file itself, so that the dynamic linker follows one link and never leaves the
store through an absolute one inside a package. Why one directory: docs/design.md.
"""

from __future__ import annotations

from denizen.build.builtin_derivations import recipe, table
from denizen.build.derivation import BadDerivation
from denizen.errors import BadInput, display
from denizen.fileview import FileKind
from denizen.formats import storepath
from denizen.formats.entry_name import is_entry_name
from denizen.formats.file_tree import Directory, Symlink
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from denizen.build.builtin_derivations import Ingredient
    from denizen.build.builtin_variables import Variables
    from denizen.fileview import FileView
    from denizen.formats.aterm import Derivation
    from denizen.formats.file_tree import Entry
    from denizen.formats.storepath import StorePath

BUILDER = b"builtin:libraries"


class MissingLibraries(BadInput):
    """Packages lack files that a derivation links to.

    Attributes:
        missing: each soname with the path that is not a file.
    """

    missing: tuple[tuple[bytes, bytes], ...]

    @property
    def what(self) -> str:
        return f"{len(self.missing)} libraries are not where they should be"

    @property
    def why(self) -> str:
        return "\n".join(f"{display(name)}: there is no file {display(path)}" for name, path in self.missing)


class LinkedLibrary(Value):
    """A library, its soname, and its package.

    `inside` is its path in the package, without a leading slash.
    """

    soname: bytes
    package: StorePath
    inside: bytes


def linking(libraries: Sequence[tuple[bytes, Ingredient, bytes]], store_dir: bytes) -> Derivation:
    """Return the recipe for libraries given as (soname, package, path in the package)."""
    rows = sorted((soname, b"%b/%b" % (one.path.inside(store_dir), path)) for soname, one, path in libraries)
    return recipe(BUILDER, {b"libraries": table(rows)}, [one for _, one, _ in libraries], store_dir)


def read(variables: Variables) -> list[LinkedLibrary]:
    """Return the links to make, sorted by soname.

    Raises:
        BadDerivation: a soname is not a file name, or occurs twice.
        BadStorePath: a library is not in the store.
    """
    found: dict[bytes, LinkedLibrary] = {}
    for soname, path in variables.rows(b"libraries", 2):
        if not is_entry_name(soname) or soname in found:
            raise BadDerivation(variables.name, f"'{display(soname)}' is no name, or is there twice")
        package, inside = storepath.containing(path, variables.store_dir)
        found[soname] = LinkedLibrary(soname, package, inside.lstrip(b"/"))
    return [found[soname] for soname in sorted(found)]


def plan(libraries: Sequence[LinkedLibrary], view_of: Callable[[StorePath], FileView]) -> Iterator[Entry]:
    """Yield the directory of links in a NAR's order; `view_of` returns a view of a package's own tree as /.

    Raises:
        MissingLibraries: at the end, with every library that is absent.
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
    """Return the path of the file itself, links followed inside the package; None where there is none."""
    try:
        real = view.realpath(b"/" + inside)
        return real if view.stat(real).kind is FileKind.FILE else None
    except OSError:
        return None
