"""Search for packages by words, in names and synopses, the best first (pure)."""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Packages that are parts of others, and seldom what a search is for.
_PARTS = (
    b"-dev", b"-doc", b"-dbg", b"-dbgsym", b"-data", b"-common", b"-examples", b"-tests",
)  # fmt: skip
_PART_SECTIONS = frozenset(
    {
        b"libs", b"libdevel", b"debug", b"oldlibs", b"doc", b"localization", b"introspection",
        # Modules of a language.
        b"python", b"perl", b"php", b"ruby", b"java", b"javascript", b"lisp", b"rust", b"golang", b"ocaml",
        b"haskell", b"gnu-r", b"zope",
    }
)  # fmt: skip


class FoundPackage(Value):
    """A package that a search found.

    Attributes:
        summary: its synopsis.
        dependents: the number of packages that depend on it.
        holds: it has a command of the name that was searched for.
    """

    name: bytes
    version: bytes
    suite: str
    section: bytes
    dependents: int
    summary: bytes
    holds: bool = False


# (what, smaller is better), in order.
ORDER: tuple[tuple[str, Callable[[FoundPackage, Sequence[bytes]], int]], ...] = (
    ("its name is what was asked for", lambda one, words: one.name != b"-".join(words)),
    ("it has a command of that name", lambda one, _: not one.holds),
    ("a program rather than a part of one", lambda one, _: _is_part(one)),
    ("all words are in its name", lambda one, words: not all(word in one.name for word in words)),
    ("its name begins with the first word", lambda one, words: not one.name.startswith(words[0])),
    ("its synopsis has them as words", lambda one, words: not _as_words(one, words)),
    ("more packages depend on it", lambda one, _: -(one.dependents.bit_length())),
    ("a shorter name", lambda one, _: len(one.name)),
)


def matching(rows: Iterable[FoundPackage], words: Sequence[bytes]) -> list[FoundPackage]:
    """Return the packages that have every word in name or synopsis, or the command, the best first."""
    wanted = [word.lower() for word in words]
    found = [one for one in rows if one.holds or _matches(one, wanted)]
    return sorted(found, key=lambda one: (*(rule(one, wanted) for _, rule in ORDER), one.name))


def _matches(one: FoundPackage, words: Sequence[bytes]) -> bool:
    text = one.summary.lower()
    return all(word in one.name or word in text for word in words)


def _as_words(one: FoundPackage, words: Sequence[bytes]) -> bool:
    letters = bytes(code if chr(code).isalnum() or code > 127 else 32 for code in one.summary.lower())
    return set(words) <= set(letters.split())


def _is_part(one: FoundPackage) -> bool:
    section = one.section.rpartition(b"/")[2]
    return section in _PART_SECTIONS or one.name.endswith(_PARTS)
