"""The commands of a maintainer script whose words can be known without running it (pure).

A script is read as text. Of a shell's language (POSIX 2.2, 2.6) this much is understood: words with quotes,
variables that have one value in the whole script (`ver=1.17`), loops over words (`for tool in a b`), and
variables that are assigned once, from a loop's (`file=$tool.ini`).
A word with anything else in it, as a substitution of a command or an argument of a function, is not known.
"""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from functools import lru_cache

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    # Words by the names of variables; None where more than one value is possible.
    Values: TypeAlias = "dict[bytes, tuple[bytes, ...] | None]"
    Word: TypeAlias = "tuple[_Part, ...]"
    # What a variable that is assigned once is assigned, by its name, where that is not one value.
    Formulas: TypeAlias = "dict[bytes, Word]"

# The largest of Debian have 40 KB.
MAX_SCRIPT = 1 << 16
_MOST_COMMANDS = 1 << 13
# A longer value than any variable has, and more loops in one another than any script.
_LONGEST = 1 << 12
_DEEPEST = 32
# Variables that are assigned from others in a row.
_LONGEST_ROW = 4
# How much is expanded, in bytes of text; a piece of a word counts for as many besides. The commands of
# openjdk's scripts, with their loops, take a tenth of it.
_MOST_EXPANDED = 1 << 20
_PIECE_COST = 1 << 6
_PIECE = re.compile(
    rb"(?P<blank>[ \t]+)"
    rb"|'(?P<single>[^']*)'"
    # Possessive: letters of a name are letters of the text too, and without an end each name would be tried
    # in every length (219 bytes took a minute).
    rb'|"(?P<double>(?:[^"\\$`]|\\.|\$[A-Za-z_]\w*+|\$\{[A-Za-z_]\w*+\})*+)"'
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
_VARIABLES = ("name", "braced")
_ASSIGNED = re.compile(rb"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_BEFORE_COMMANDS = frozenset({b"do", b"then", b"else", b"{", b"local", b"export", b"readonly"})


class _Part(Value):
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


class _Assigned(Value):
    """The variables of a script.

    Attributes:
        constants: their values; None for one that is not known.
        formulas: of those, what is assigned once.
    """

    constants: Values
    formulas: Formulas


class _Spent(Exception):  # ends an expansion; nobody is told of it
    """The signal that a script asks for more expansion than it may have."""


class _Allowance:
    """The rest of what may be expanded: a short script of loops in one another has no end."""

    def __init__(self) -> None:
        self._left = _MOST_EXPANDED

    def take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise _Spent


def commands_of(script: bytes, program: bytes, *, gaps: bool = False) -> Iterator[tuple[bytes, ...]]:
    """Yield the words of the commands that call a program, each up to the first word that is not known.

    With `gaps` all words are yielded, and b"" stands for one that is not known. A script that expands to more
    than any package's is read up to there.
    """
    if program not in script:
        return
    lines, assigned = _read(script)
    if assigned is not None:
        with suppress(_Spent):
            yield from _called(lines, assigned, program, gaps=gaps)


# Of a package's two scripts each is asked about several programs, and each reading takes as long.
@lru_cache(maxsize=2)
def _read(script: bytes) -> tuple[list[list[Word]], _Assigned | None]:
    """Return a script's commands and its variables; None where those expand to more than a script may."""
    lines = _commands(script[:MAX_SCRIPT])
    try:
        return lines, _assigned(lines, _Allowance())
    except _Spent:
        return lines, None


def _called(
    lines: Iterable[Sequence[Word]], assigned: _Assigned, program: bytes, *, gaps: bool
) -> Iterator[tuple[bytes, ...]]:
    constants = assigned.constants
    loops: list[tuple[bytes, tuple[bytes, ...] | None]] = []
    allowance = _Allowance()
    for line in lines:
        first = _literal(line[0])
        if first == b"for" and len(line) > 2 and _literal(line[2]) == b"in":
            values = _values_of(line[3:], constants, loops)
            loops.append((_literal(line[1]), _all_known(line[3:], values, allowance)))
        elif first in (b"while", b"until", b"for"):
            loops.append((b"", None))
        elif first == b"done" and loops:
            loops.pop()
        elif first == program or first.endswith(b"/" + program):
            whole = [_inlined(word, assigned.formulas, allowance) for word in line]
            yield from _repeated(whole, constants, loops, allowance, gaps=gaps)
        if len(loops) > _DEEPEST:
            return


def _values_of(
    words: Iterable[Word], constants: Values, loops: Sequence[tuple[bytes, tuple[bytes, ...] | None]]
) -> Values:
    """Return the values of the variables that some words use; a loop's variable has all its values."""
    used = {part.text for word in words for part in word if part.variable}
    inner = dict(loops) if used else {}
    return {name: inner[name] if name in inner else constants.get(name) for name in used}


def _repeated(
    line: Sequence[Word],
    constants: Values,
    loops: Sequence[tuple[bytes, tuple[bytes, ...] | None]],
    allowance: _Allowance,
    *,
    gaps: bool,
) -> Iterator[tuple[bytes, ...]]:
    """Yield a command once for each round of the loops whose variables it uses."""
    values = _values_of(line, constants, loops)
    rounds = {name: words for name, words in dict(loops).items() if name in values} if values else {}
    counted = [(name, words) for name, words in rounds.items() if words is not None]
    for chosen in itertools.product(*(words for _, words in counted)):
        allowance.take(_PIECE_COST * (1 + len(counted)))
        bound = {name: (word,) for (name, _), word in zip(counted, chosen, strict=True)}
        yield tuple(_known_words(line, {**values, **bound}, allowance, gaps=gaps))


def _commands(script: bytes) -> list[list[Word]]:
    """Return the simple commands of a script, each a list of words that is not empty."""
    lines = script.replace(b"\\\n", b" ").split(b"\n")
    return list(itertools.islice(itertools.chain.from_iterable(map(_split, lines)), _MOST_COMMANDS))


def _split(line: bytes) -> Iterator[list[Word]]:
    words: list[Word] = []
    parts: list[_Part] = []
    for piece in _PIECE.finditer(line):
        kind = piece.lastgroup
        if kind == "plain":  # most pieces of any script: a third of the time that all kinds take
            parts.append(_Part(piece[0]))
            continue
        if kind not in ("blank", "end"):
            if kind == "other" and piece[0] == b"#" and not parts:
                break
            parts += _parts(piece, kind)
            continue
        if parts:
            words.append(tuple(parts))
            parts = []
        if kind == "end":
            if begun := _begun(words):
                yield begun
            words = []
    if begun := _begun([*words, tuple(parts)] if parts else words):
        yield begun


def _begun(words: list[Word]) -> list[Word]:
    """Return a command without the words of the shell's grammar ahead of it."""
    first = 0
    while first < len(words) and _literal(words[first]) in _BEFORE_COMMANDS:
        first += 1
    return words[first:] if first else words


def _parts(piece: re.Match[bytes], kind: str | None) -> list[_Part]:
    if kind == "other":
        return [_UNKNOWN]
    if kind == "double":
        return [_part(inner, quoted=True) for inner in _INNER.finditer(piece["double"])] or [_Part(b"")]
    return [_Part(piece["single"]) if kind == "single" else _part(piece, quoted=False)]


def _part(piece: re.Match[bytes], *, quoted: bool) -> _Part:
    text = piece[piece.lastindex or 0]
    return _Part(text, variable=True, quoted=quoted) if piece.lastgroup in _VARIABLES else _Part(text)


def _literal(word: Word) -> bytes:
    """Return a word that has neither variables nor what is not known; else nothing."""
    for part in word:
        if part.variable or not part.known:
            return b""
    return b"".join([part.text for part in word])


def _assigned(lines: Iterable[Sequence[Word]], allowance: _Allowance) -> _Assigned:
    """Return the variables that are assigned, with their value where it is always the same."""
    values: Values = {}
    formulas: Formulas = {}
    for line in lines:
        for word in line:
            assigned = _ASSIGNED.fullmatch(word[0].text) if not word[0].variable and word[0].known else None
            if assigned is None:
                break
            # What is assigned is not split: it is as if it were quoted.
            rest = [_Part(part.text, part.variable, known=part.known) for part in word[1:]]
            formula = (_Part(assigned[2]), *rest)
            text = _expanded(formula, values, allowance)
            name = assigned[1]
            if text is None and name not in values and all(part.known for part in rest):
                formulas[name] = formula
            else:
                formulas.pop(name, None)
            values[name] = None if name in values and values[name] != text else text
    return _Assigned(values, formulas)


def _inlined(word: Word, formulas: Formulas, allowance: _Allowance, row: int = _LONGEST_ROW) -> Word:
    """Return a word with what variables are assigned in their place, where that is a loop's."""
    if not row or not any(part.variable and part.text in formulas for part in word):
        return word
    parts: list[_Part] = []
    for part in word:
        formula = formulas.get(part.text, (part,)) if part.variable else (part,)
        allowance.take(_PIECE_COST * len(formula))
        parts += formula
    return _inlined(tuple(parts), formulas, allowance, row - 1)


def _expanded(
    word: Word, values: Mapping[bytes, tuple[bytes, ...] | None], allowance: _Allowance
) -> tuple[bytes, ...] | None:
    """Return what a word becomes, which may be several; None if that is not known."""
    if len(word) == 1 and not word[0].variable:  # nearly every word: half the time of the loop
        text = word[0].text
        allowance.take(_PIECE_COST + len(text))
        return (text,) if word[0].known and len(text) <= _LONGEST else None
    fields = [b""]
    for part in word:
        bound = values.get(part.text) if part.variable else (part.text,)
        if bound is None or not part.known:
            return None
        text = b" ".join(bound)
        allowance.take(_PIECE_COST + len(text))
        if len(text) + len(fields[-1]) > _LONGEST:
            return None
        pieces = [text] if part.quoted else text.split() or [b""]
        allowance.take(_PIECE_COST * (len(pieces) - 1))
        fields[-1] += pieces[0]
        fields += pieces[1:]
    return tuple(fields)


def _all_known(words: Iterable[Word], values: Values, allowance: _Allowance) -> tuple[bytes, ...] | None:
    found: list[bytes] = []
    for word in words:
        fields = _expanded(word, values, allowance)
        if fields is None:
            return None
        found += fields
    return tuple(found)


def _known_words(
    words: Iterable[Word], values: Values, allowance: _Allowance, *, gaps: bool
) -> Iterator[bytes]:
    for word in words:
        fields = _expanded(word, values, allowance)
        if fields is None and not gaps:
            return
        yield from fields if fields is not None else (b"",)
