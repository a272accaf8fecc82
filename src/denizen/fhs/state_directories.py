"""Directories below /var and /run that packages count on: which there are, and which a tree asks for (pure).

A package has them in its archive, declares them in tmpfiles.d, or its postinst makes them by commands whose
words `maintainer_script` knows:

    install -d [OPTION]... DIRECTORY...
    mkdir [OPTION]... DIRECTORY...
"""

from __future__ import annotations

import posixpath
import re

from denizen.fhs.maintainer_script import commands_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from denizen.fhs.trigger_rules import StatePlaces

# A plan has a word for each; more than any closure asks for.
MAX_DIRECTORIES = 256
_TOPS = (b"/var/", b"/run/")
_CONTROL = re.compile(rb"[\0-\x1f]")
# Options with a word of their own: of install(1), of mkdir(1).
_WITH_VALUE = frozenset({b"-m", b"-o", b"-g", b"-S", b"-t", b"--mode", b"--owner", b"--group"})
# Names of other places (hier(7)), by which these directories are named too.
_ALIASES = ((b"/var/run/", b"/run/"), (b"/var/lock/", b"/run/lock/"))


def state_directories_in(postinst: bytes) -> Iterator[bytes]:
    """Yield the directories that a postinst makes, as absolute paths."""
    for words in commands_of(postinst, b"install", gaps=True):
        if any(word == b"--directory" or word.startswith(b"-d") for word in words):
            yield from _operands(words[1:])
    for words in commands_of(postinst, b"mkdir", gaps=True):
        yield from _operands(words[1:])


def _operands(words: Iterable[bytes]) -> Iterator[bytes]:
    before = b""
    for word in words:
        if before not in _WITH_VALUE and word.startswith(_TOPS) and not _CONTROL.search(word):
            yield word
        before = word


def wanted_directories(paths: Iterable[bytes], places: StatePlaces) -> list[bytes]:
    """Return the directories among `paths` that an environment shows, sorted: each above those in it."""
    found = set()
    for path in paths:
        place = _normal(path)
        if _is_below(place, places.below) and not _is_below(place + b"/", places.without):
            found.add(place)
    return sorted(found)[:MAX_DIRECTORIES]


def _normal(path: bytes) -> bytes:
    place = posixpath.normpath(b"/" + path.lstrip(b"/"))
    for alias, real in _ALIASES:
        if place.startswith(alias):
            return real + place[len(alias) :]
    return place


def _is_below(path: bytes, places: Iterable[str]) -> bool:
    return any(path.startswith(b"/%b/" % place.encode()) for place in places)
