"""Files that a static program looks for and this host lacks, by the paths among its constants (pure).

Nothing of denizen's is in such a program, so no miss of its can be answered while it runs: what it may look
for is shown before it starts, or named by an environment variable that it reads. Strings of Go and Rust run
into each other, so a path counts wherever it occurs in the file.
"""

from __future__ import annotations

from denizen.bytesio import find_text
from denizen.fileview import FileKind
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from denizen.elf import Image
    from denizen.fileview import FileView
    from denizen.resolve.rule_packs import Resource


class LookedForFiles(Value):
    """Files that a static program looks for and this host lacks, with what is done about it.

    Attributes:
        path: the place where they usually are.
        packages: what has them.
        reason: what goes wrong without them.
        is_mounted: they are shown at that place.
        variables: the environment variables that name them instead.
    """

    path: bytes
    packages: tuple[bytes, ...]
    reason: str
    is_mounted: bool
    variables: tuple[bytes, ...]


def provision(image: Image, rules: Sequence[Resource], *, is_mounted: bool) -> tuple[LookedForFiles, ...]:
    """Return what is done about the files of each rule, where a namespace shows them and where none does."""
    return tuple(
        LookedForFiles(
            rule.there[0],
            rule.packages,
            rule.reason,
            is_mounted,
            () if is_mounted else tuple(name for name, _ in variables_read(image, (rule,))),
        )
        for rule in rules
    )


def looked_for(view: FileView, image: Image, rules: Sequence[Resource]) -> tuple[Resource, ...]:
    """Return the rules whose paths the program has among its constants, and whose files the host lacks."""
    lacking = [one for one in rules if one.mentions and one.there and not _any_filled(view, one.there)]
    if not lacking:
        return ()
    paths = _paths(image, [text for one in lacking for text in one.mentions])
    return tuple(one for one in lacking if any(text in paths for text in one.mentions))


def variables_read(image: Image, rules: Iterable[Resource]) -> tuple[tuple[bytes, bytes], ...]:
    """Return the variables of the rules, with their paths, that the program has among its constants."""
    pairs = [pair for rule in rules for pair in rule.variables]
    return tuple((name, path) for name, path in pairs if find_text(image.buffer, name) >= 0)


def _paths(image: Image, texts: Sequence[bytes]) -> bytes:
    """Return all places of the file where one of the texts may begin, separated by zeros.

    The file is searched once for each top directory, not for each text.
    """
    longest = max(map(len, texts))
    found = []
    for head in {b"/%b/" % text.split(b"/")[1] for text in texts}:
        at = -1
        while (at := find_text(image.buffer, head, at + 1)) >= 0:
            found.append(bytes(image.buffer[at : at + longest]))
    return b"\0".join(found)


def _any_filled(view: FileView, paths: Iterable[bytes]) -> bool:
    return any(_is_filled(view, path) for path in paths)


def _is_filled(view: FileView, path: bytes) -> bool:
    """Tell whether there is a file that is not empty, or a directory with something in it."""
    try:
        facts = view.stat(path)
        return bool(view.listdir(path)) if facts.kind is FileKind.DIRECTORY else facts.size > 0
    except OSError:
        return False
