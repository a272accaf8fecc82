"""Environment variables that name files of packages, for programs to which no namespace can show them (pure).

Which variable names which file is in resolve/rules.toml (`variables` of `[[resource]]`). `denizen-enter` sets
them where the caller has not (`default`).
"""

from __future__ import annotations

import posixpath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from denizen.launch.resources.fixed_paths import FixedPathResource

# The configuration names directories of fonts by their usual paths, where nothing is.
FONTS_CONF = b"/etc/fonts/fonts.conf"
_FONTS = b"/usr/share/fonts/"


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
