"""Environment variables that name files of packages to what no namespace and no library inside shows them.

They are given by `denizen-enter` where the caller has not set them (`default`), and only where the host lacks
the files. Which variable names which file is in resolve/rules.toml (`variables` of `[[resource]]`).
"""

from __future__ import annotations

import posixpath

from denizen.elf.classify import is_go
from denizen.launch.resources.static_program_paths import variables_read
from denizen.launch.strategies.child_interpreters import is_musl
from denizen.launch.strategies.shown_resources import shown_files
from denizen.resolve.rule_packs import load_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from denizen.launch.decisions.decision import Decision
    from denizen.launch.resources.fixed_paths import FixedPathResource
    from denizen.launch.strategies.base import ProgramStart

# time/tzfile.c: glibc reads zones by calls inside itself, which the library inside a program does not see.
_OF_GLIBC = (b"TZDIR", b"/usr/share/zoneinfo")
_DEFAULT = b"default"
# The configuration names directories of fonts by their usual paths, where nothing is.
FONTS_CONF = b"/etc/fonts/fonts.conf"
_FONTS = b"/usr/share/fonts/"


def words_for_static(start: ProgramStart, base: Decision) -> tuple[bytes, ...]:
    """Return the operations of `denizen-enter` for a static program. Raises OSError, LoaderAbsent."""
    image, rules = start.program.image, start.findings.looks_for
    if image is None or not rules or not base.objects:
        return ()
    return _words(start, base, variables_read(image, rules))


def words_beside_inside(start: ProgramStart, base: Decision) -> tuple[bytes, ...]:
    """Return the operations of `denizen-enter` for a program with the library inside.

    That does not see the calls of glibc inside itself, nor those that a Go program makes without a C
    library. Raises OSError, LoaderAbsent.
    """
    image = start.program.image
    if image is None:
        return ()
    of_libc = () if is_musl(start.program.interpreter) else (_OF_GLIBC,)
    own = variables_read(image, load_rules().resources) if is_go(image) else ()
    return _words(start, base, dict.fromkeys((*of_libc, *own)))


def variables_in(decision: Decision) -> tuple[bytes, ...]:
    """Return the variables, as NAME=VALUE, that a decision gives to a program where they are not set."""
    words = decision.command
    return tuple(words[at + 1] for at, word in enumerate(words[:-1]) if word == _DEFAULT)


def _words(start: ProgramStart, base: Decision, wanted: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    shown = shown_files(start.program, start.files, base)
    found = file_variables(wanted, shown, start.files.text)
    return tuple(word for one in found for word in (_DEFAULT, one))


def file_variables(
    wanted: Iterable[tuple[bytes, bytes]],
    shown: Sequence[FixedPathResource],
    placed: Callable[[bytes], bytes],
) -> tuple[bytes, ...]:
    """Return NAME=VALUE for each variable whose file a package has.

    Args:
        wanted: pairs of a variable's name and the path that it names in place of the usual one.
        shown: the packages' files with the paths at which a namespace would show them.
        placed: makes a file with a content, and returns its path.
    """
    found = []
    for name, path in wanted:
        source = _source(path, shown)
        if source and path == FONTS_CONF:
            fonts = [one.source for one in shown if one.target.startswith(_FONTS)]
            source = placed(fonts_conf(source, fonts))
        if source:
            found.append(b"%b=%b" % (name, source))
    return tuple(found)


def _source(path: bytes, shown: Sequence[FixedPathResource]) -> bytes:
    """Return where the file that would be shown at a path is; b"" for none."""
    for one in shown:
        if path == one.target or (one.directory and path.startswith(one.target + b"/")):
            return posixpath.normpath(posixpath.join(one.source, path[len(one.target) :].lstrip(b"/")))
    return b""


def fonts_conf(usual: bytes, directories: Sequence[bytes]) -> bytes:
    """Return a configuration of fontconfig: the usual one, with these directories of fonts besides."""
    lines = [b"<dir>%b</dir>" % _escaped(one) for one in directories]
    lines.append(b'<include ignore_missing="yes">%b</include>' % _escaped(usual))
    return b'<?xml version="1.0"?>\n<fontconfig>\n%b\n</fontconfig>\n' % b"\n".join(lines)


def _escaped(path: bytes) -> bytes:
    return path.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
