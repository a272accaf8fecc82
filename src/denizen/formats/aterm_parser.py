"""The parser of `.drv` files, which hold derivations (pure).

aterm.py has the grammar. A file that Nix wrote has one spelling only, and only that one is accepted, so that
printing what was parsed gives the file again. Depth is that of the grammar; the size is bounded by
`MAX_SIZE`.
"""

from __future__ import annotations

from itertools import pairwise

from denizen.errors import BadInput, display
from denizen.formats.aterm import SPECIAL, Derivation, DerivationOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

# The largest .drv files in nixpkgs are under 2 MB.
MAX_SIZE = 64 * 1024 * 1024
_RAW = (b"\n", b"\r", b"\t")
_BACKSLASH = ord("\\")


class BadDerivationFile(BadInput):
    """The bytes are not a `.drv` file."""

    offset: int
    reason: str
    WHAT = "the derivation file is malformed at byte {offset}"
    WHY = "{reason:text}"


def parse(content: bytes) -> Derivation:
    """Return the derivation in the content of a `.drv` file.

    Raises:
        BadDerivationFile: it is not one, or not spelled as Nix would.
    """
    if len(content) > MAX_SIZE:
        raise BadDerivationFile(MAX_SIZE, f"it is larger than {MAX_SIZE} bytes")
    return _Parser(content).derivation()


class _Parser:
    """A cursor over the file; each method reads one rule of the grammar."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def derivation(self) -> Derivation:
        if self._content.startswith(b"DrvWithVersion("):
            raise self._bad(
                "it is in the form of dynamic derivations, experimental in Nix, which is not read"
            )
        self._want(b"Derive(")
        outputs = self._pairs(self._output)
        self._want(b",")
        inputs = self._pairs(lambda: self._after_comma(lambda: self._set(self._string)))
        sources = self._after_comma(lambda: self._set(self._string))
        system = self._after_comma(self._string)
        builder = self._after_comma(self._string)
        arguments = self._after_comma(lambda: tuple(self._list(self._string)))
        self._want(b",")
        environment = self._pairs(lambda: self._after_comma(self._string))
        self._want(b")")
        if self._at != len(self._content):
            raise self._bad("bytes follow the end")
        return Derivation(outputs, inputs, sources, system, builder, arguments, environment)

    def _output(self) -> DerivationOutput:
        return DerivationOutput(*(self._after_comma(self._string) for _ in range(3)))

    def _pairs(self, value: Callable[[], T]) -> dict[bytes, T]:
        """Parse a list of parenthesised (name, value) pairs, which must be sorted by name."""

        def pair() -> tuple[bytes, T]:
            self._want(b"(")
            found = self._string(), value()
            self._want(b")")
            return found

        pairs = self._list(pair)
        self._check_sorted([name for name, _ in pairs])
        return dict(pairs)

    def _set(self, item: Callable[[], bytes]) -> tuple[bytes, ...]:
        items = self._list(item)
        self._check_sorted(items)
        return tuple(items)

    def _list(self, item: Callable[[], T]) -> list[T]:
        self._want(b"[")
        items: list[T] = []
        while not self._skip(b"]"):
            if items:
                self._want(b",")
            items.append(item())
        return items

    def _after_comma(self, item: Callable[[], T]) -> T:
        self._want(b",")
        return item()

    def _string(self) -> bytes:
        start = self._at + 1
        end = self._content.find(b'"', start) if self._content.startswith(b'"', self._at) else -1
        while end >= 0 and self._is_escaped(start, end):
            end = self._content.find(b'"', end + 1)
        if end < 0:
            raise self._bad("a string was expected, or one does not end")
        self._at = end + 1
        text = self._content[start:end]
        if any(raw in text for raw in _RAW):
            raise self._bad("a line break or tab that is not escaped")
        return self._unescaped(text) if b"\\" in text else text

    def _is_escaped(self, start: int, place: int) -> bool:
        """Tell whether an odd number of backslashes precedes `place` in the string that begins at `start`."""
        first = place
        while first > start and self._content[first - 1] == _BACKSLASH:
            first -= 1
        return (place - first) % 2 == 1

    def _unescaped(self, text: bytes) -> bytes:
        # Between escaped backslashes every backslash is the first byte of another escape.
        parts = text.split(b"\\\\")
        for index, part in enumerate(parts):
            if b"\\" not in part:
                continue
            plain = part
            for special, letter in SPECIAL:
                plain = plain.replace(b"\\" + letter, special)
            if b"\\" in plain:
                raise self._bad("a backslash that begins no escape")
            parts[index] = plain
        return b"\\".join(parts)

    def _check_sorted(self, items: list[bytes]) -> None:
        for one, other in pairwise(items):
            if one >= other:
                raise self._bad(f"'{display(other[:200])}' is not sorted behind what precedes it")

    def _skip(self, token: bytes) -> bool:
        if not self._content.startswith(token, self._at):
            return False
        self._at += len(token)
        return True

    def _want(self, token: bytes) -> None:
        if not self._skip(token):
            raise self._bad(f"'{token.decode('ascii')}' was expected")

    def _bad(self, reason: str) -> BadDerivationFile:
        return BadDerivationFile(self._at, reason)
