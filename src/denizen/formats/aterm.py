r"""Parser and writer of `.drv` files, which hold derivations (pure).

Specification: Nix, doc/manual/source/protocols/derivation-aterm.md; src/libstore/derivations.cc
(parseDerivation, Derivation::unparse):

    derivation = 'Derive(' outputs ',' inputs ',' strings ',' string ',' string ',' strings ','
                 environment ')'
    outputs    = list of '(' name ',' path ',' hash algorithm ',' hash ')'
    inputs     = list of '(' path of a .drv ',' list of its output names ')'
    strings    = list of string: the sources; after system and builder, the arguments
    environment = list of '(' name ',' value ')'
    list       = '[' [ item { ',' item } ] ']'
    string     = '"' any bytes, with '"' and '\' behind a '\' and \n, \r, \t for those three, '"'

There is no white space. Outputs, inputs, a derivation's sources and the environment are sets:
sorted as bytes, nothing twice. A file that Nix wrote has one spelling only, and only that one is
accepted, so that printing what was parsed gives the file again. Depth is that of the grammar; the size
is bounded by `MAX_SIZE`.
"""

from __future__ import annotations

from itertools import pairwise

from denizen.errors import BadInput, display
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    T = TypeVar("T")

# The largest .drv files in nixpkgs are under 2 MB.
MAX_SIZE = 64 * 1024 * 1024

# Each special byte and its letter behind a backslash; the backslash itself is handled separately.
_SPECIAL = ((b'"', b'"'), (b"\n", b"n"), (b"\r", b"r"), (b"\t", b"t"))
_RAW = (b"\n", b"\r", b"\t")
_ESCAPED = b'\\"\n\r\t'
_BACKSLASH = ord("\\")


class BadDerivationFile(BadInput):
    """The bytes are not a `.drv` file."""

    offset: int
    reason: str
    WHAT = "the derivation file is malformed at byte {offset}"
    WHY = "{reason:text}"


@value
class DerivationOutput:
    """An output of a derivation.

    Attributes:
        path: in full; b"" where it is not known before building.
        algorithm: b"" or the method and algorithm of a hash known beforehand (b"r:sha256").
        digest: that hash in hex, b"" where unknown.
    """

    path: bytes
    algorithm: bytes = b""
    digest: bytes = b""


@value
class Derivation:
    """A recipe, as written in its file; all text is bytes because any bytes may occur there.

    Attributes:
        outputs: by name.
        inputs: names of the outputs used of other derivations, by the full path of their `.drv`.
        sources: full paths of store objects it reads.
        system: the kind of machine it is built on.
        builder, arguments: the program to run and its arguments.
        environment: the builder's environment variables.
    """

    outputs: Mapping[bytes, DerivationOutput]
    inputs: Mapping[bytes, tuple[bytes, ...]]
    sources: tuple[bytes, ...]
    system: bytes
    builder: bytes
    arguments: tuple[bytes, ...]
    environment: Mapping[bytes, bytes]


def parse(content: bytes) -> Derivation:
    """Return the derivation in the content of a `.drv` file.

    Raises:
        BadDerivationFile: it is not one, or not spelled as Nix would.
    """
    if len(content) > MAX_SIZE:
        raise BadDerivationFile(MAX_SIZE, f"it is larger than {MAX_SIZE} bytes")
    return _Parser(content).derivation()


def render(derivation: Derivation) -> bytes:
    """Return the content of the `.drv` file of a derivation; sets are sorted."""
    outputs = [
        b"(%b)" % b",".join(map(_quote, (name, output.path, output.algorithm, output.digest)))
        for name, output in sorted(derivation.outputs.items())
    ]
    inputs = [
        b"(%b,%b)" % (_quote(path), _strings(sorted(names)))
        for path, names in sorted(derivation.inputs.items())
    ]
    environment = [
        b"(%b,%b)" % (_quote(name), _quote(value)) for name, value in sorted(derivation.environment.items())
    ]
    parts = (
        _list(outputs),
        _list(inputs),
        _strings(sorted(derivation.sources)),
        _quote(derivation.system),
        _quote(derivation.builder),
        _strings(derivation.arguments),
        _list(environment),
    )
    return b"Derive(%b)" % b",".join(parts)


def _quote(text: bytes) -> bytes:
    # Most texts have nothing to escape, which one pass tells in a fifth of the replacements' time.
    if len(text.translate(None, _ESCAPED)) == len(text):
        return b'"%b"' % text
    # str.replace for each special byte is 30 times as fast as a function called for each escape.
    text = text.replace(b"\\", b"\\\\")
    for plain, letter in _SPECIAL:
        text = text.replace(plain, b"\\" + letter)
    return b'"%b"' % text


def _list(items: list[bytes]) -> bytes:
    return b"[%b]" % b",".join(items)


def _strings(items: list[bytes] | tuple[bytes, ...]) -> bytes:
    return _list([_quote(item) for item in items])


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
            for special, letter in _SPECIAL:
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
