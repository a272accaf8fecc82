"""The commands of a maintainer script whose words can be known without running it (pure).

A script is read as text. Of a shell's language (POSIX 2.2, 2.6) this much is understood: words with quotes,
variables that have one value in the whole script (`ver=1.17`), and loops over words (`for tool in a b`).
A word with anything else in it, as a substitution of a command or an argument of a function, is not known.
"""

from __future__ import annotations

import itertools
import re

from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    # Words by the names of variables; None where more than one value is possible.
    Values: TypeAlias = "dict[bytes, tuple[bytes, ...] | None]"
    Word: TypeAlias = "tuple[_Part, ...]"

# The largest of Debian have 40 KB.
MAX_SCRIPT = 1 << 16
# More words than the commands of any package have, with their loops; and a longer value than any variable.
_MOST_WORDS = 100_000
_LONGEST = 1 << 12
_PIECE = re.compile(
    rb"(?P<blank>[ \t]+)"
    rb"|'(?P<single>[^']*)'"
    rb'|"(?P<double>(?:[^"\\$`]|\\.|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})*)"'
    rb"|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})"
    rb"|\\(?P<escaped>.)"
    rb"|(?P<end>[;&|<>()\n])"
    rb"|(?P<plain>[^\s'\"$\\;&|<>()`*?\[\]{}~#]+)"
    rb"|(?P<other>.)",
    re.DOTALL,
)
_INNER = re.compile(
    rb"\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})|\\(?P<escaped>.)|(?P<plain>[^\\$]+)",
    re.DOTALL,
)
_ASSIGNED = re.compile(rb"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_BEFORE_COMMANDS = frozenset({b"do", b"then", b"else", b"{", b"local", b"export", b"readonly"})


@value
class _Part:
    """A piece of a word.

    Attributes:
        text: the piece itself, or the variable's name.
        variable: it is a variable.
        quoted: the variable's value is one word.
        known: it can be known.
    """

    text: bytes
    variable: bool = False
    quoted: bool = True
    known: bool = True


_UNKNOWN = _Part(b"", known=False)


def commands_of(script: bytes, program: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yield the words of the commands that call a program, each up to the first word that is not known."""
    if program not in script:
        return
    lines = _commands(script[:MAX_SCRIPT])
    left = _MOST_WORDS
    for words in _called(lines, _constants(lines), program):
        left -= len(words)
        if left < 0:
            return
        yield words


def _called(
    lines: Iterable[Sequence[Word]], constants: Values, program: bytes
) -> Iterator[tuple[bytes, ...]]:
    loops: list[tuple[bytes, tuple[bytes, ...] | None]] = []
    for line in lines:
        first = _literal(line[0])
        if first == b"for" and len(line) > 2 and _literal(line[2]) == b"in":
            loops.append((_literal(line[1]), _all_known(line[3:], {**constants, **dict(loops)})))
        elif first in (b"while", b"until", b"for"):
            loops.append((b"", None))
        elif first == b"done" and loops:
            loops.pop()
        elif first == program or first.endswith(b"/" + program):
            yield from _repeated(line, constants, loops)


def _repeated(
    line: Sequence[Word], constants: Values, loops: Sequence[tuple[bytes, tuple[bytes, ...] | None]]
) -> Iterator[tuple[bytes, ...]]:
    """Yield a command once for each round of the loops whose variables it uses."""
    used = {part.text for word in line for part in word if part.variable}
    rounds = [(name, words) for name, words in dict(loops).items() if name in used]
    values = {**constants, **{name: None for name, _ in rounds}}
    counted = [(name, words) for name, words in rounds if words is not None]
    for chosen in itertools.product(*(words for _, words in counted)):
        bound = {name: (word,) for (name, _), word in zip(counted, chosen, strict=True)}
        yield tuple(_known_words(line, {**values, **bound}))


def _commands(script: bytes) -> list[list[Word]]:
    """Return the simple commands of a script, each a list of words that is not empty."""
    found: list[list[Word]] = []
    for line in script.replace(b"\\\n", b" ").split(b"\n"):
        found += _split(line)
    return found


def _split(line: bytes) -> Iterator[list[Word]]:
    words: list[Word] = []
    parts: list[_Part] = []
    for piece in _PIECE.finditer(line):
        ends = piece["blank"] is not None or piece["end"] is not None
        if piece["other"] == b"#" and not parts:
            break
        if not ends:
            parts += _parts(piece)
            continue
        if parts:
            words.append(tuple(parts))
            parts = []
        if piece["end"] is not None:
            yield from _begun(words)
            words = []
    yield from _begun([*words, tuple(parts)] if parts else words)


def _begun(words: list[Word]) -> Iterator[list[Word]]:
    """Yield a command without the words of the shell's grammar ahead of it, if anything is left."""
    while words and _literal(words[0]) in _BEFORE_COMMANDS:
        words = words[1:]
    if words:
        yield words


def _parts(piece: re.Match[bytes]) -> list[_Part]:
    if piece["double"] is not None:
        return [_part(inner, quoted=True) for inner in _INNER.finditer(piece["double"])] or [_Part(b"")]
    if piece["single"] is not None:
        return [_Part(piece["single"])]
    return [_UNKNOWN] if piece["other"] is not None else [_part(piece, quoted=False)]


def _part(piece: re.Match[bytes], *, quoted: bool) -> _Part:
    name = piece["name"] or piece["braced"]
    if name:
        return _Part(name, variable=True, quoted=quoted)
    return _Part(piece["escaped"] if piece["escaped"] is not None else piece["plain"])


def _literal(word: Word) -> bytes:
    """Return a word that has neither variables nor what is not known; else nothing."""
    return b"".join([part.text for part in word]) if all(p.known and not p.variable for p in word) else b""


def _constants(lines: Iterable[Sequence[Word]]) -> Values:
    """Return the variables that are assigned, with their value where it is always the same."""
    values: Values = {}
    for line in lines:
        for word in line:
            assigned = _ASSIGNED.fullmatch(word[0].text) if not word[0].variable and word[0].known else None
            if assigned is None:
                break
            # What is assigned is not split: it is as if it were quoted.
            rest = [_Part(part.text, part.variable, known=part.known) for part in word[1:]]
            text = _expanded((_Part(assigned[2]), *rest), values)
            name = assigned[1]
            values[name] = None if name in values and values[name] != text else text
    return values


def _expanded(word: Word, values: Mapping[bytes, tuple[bytes, ...] | None]) -> tuple[bytes, ...] | None:
    """Return what a word becomes, which may be several; None if that is not known."""
    fields = [b""]
    for part in word:
        bound = values.get(part.text) if part.variable else (part.text,)
        if bound is None or not part.known:
            return None
        text = b" ".join(bound)
        if len(text) + len(fields[-1]) > _LONGEST:
            return None
        pieces = [text] if part.quoted else text.split() or [b""]
        fields[-1] += pieces[0]
        fields += pieces[1:]
    return tuple(fields)


def _all_known(words: Iterable[Word], values: Values) -> tuple[bytes, ...] | None:
    found: list[bytes] = []
    for word in words:
        fields = _expanded(word, values)
        if fields is None:
            return None
        found += fields
    return tuple(found)


def _known_words(words: Iterable[Word], values: Values) -> Iterator[bytes]:
    for word in words:
        fields = _expanded(word, values)
        if fields is None:
            return
        yield from fields
