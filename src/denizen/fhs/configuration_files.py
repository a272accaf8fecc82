"""Configuration files that a package's postinst installs by ucf(1) from templates of the package (pure).

    ucf [OPTION]... TEMPLATE FILE

R has its Renviron so, PHP its php.ini: what the package itself holds is the template, below /usr. The script
is read and never run; a command counts whose words `maintainer_script` knows. A script that writes the
template into a temporary file first, to set a default in it (r-base-core: the size of paper), names the file
to `cat` or `cp`: what it changes in the copy is left out.
"""

from __future__ import annotations

from denizen.fhs.maintainer_script import commands_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMAND = b"ucf"
_COPYING = (b"cat", b"cp")
# Options with a word of their own, and the one that removes.
_WITH_VALUE = frozenset({b"--sum-file", b"--src-dir", b"--state-dir"})
_REMOVING = frozenset({b"--purge", b"-p"})


def configuration_files_in(postinst: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (file, template), as absolute paths."""
    if _COMMAND not in postinst:
        return
    copied = {
        word
        for tool in _COPYING
        for words in commands_of(postinst, tool)
        for word in words[1:]
        if _is_path(word)
    }
    for words in commands_of(postinst, _COMMAND, gaps=True):
        operands = _operands(words[1:])
        if len(operands) == 2 and _is_path(operands[1]):
            template = operands[0] or _template_of(operands[1], copied)
            if _is_path(template) and template != operands[1]:
                yield operands[1], template


def _operands(words: tuple[bytes, ...]) -> list[bytes]:
    """Return the words that are no options; none of a command that removes."""
    found: list[bytes] = []
    before = b""
    for word in words:
        if word in _REMOVING:
            return []
        if before not in _WITH_VALUE and not word.startswith(b"-"):
            found.append(word)
        before = word
    return found


def _template_of(path: bytes, copied: set[bytes]) -> bytes:
    """Return the one file of those copied that has the name of `path`, or that with an ending; else b""."""
    name = path.rpartition(b"/")[2]
    fitting = [one for one in copied if one != path and one.rpartition(b"/")[2].startswith(name)]
    return fitting[0] if len(fitting) == 1 else b""


def _is_path(word: bytes) -> bool:
    return word.startswith(b"/") and not word.endswith(b"/") and b".." not in word.split(b"/")
