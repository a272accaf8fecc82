r"""Derivations, and the writer of the `.drv` files that hold them (pure).

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
sorted as bytes, nothing twice. aterm_parser.py reads them.
"""

from __future__ import annotations

from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Each special byte and its letter behind a backslash; the backslash itself is handled separately.
SPECIAL = ((b'"', b'"'), (b"\n", b"n"), (b"\r", b"r"), (b"\t", b"t"))
_ESCAPED = b'\\"\n\r\t'


class DerivationOutput(Value):
    """An output of a derivation.

    Attributes:
        path: in full; b"" where it is not known before building.
        algorithm: b"" or the method and algorithm of a hash known beforehand (b"r:sha256").
        digest: that hash in hex, b"" where unknown.
    """

    path: bytes
    algorithm: bytes = b""
    digest: bytes = b""


class Derivation(Value):
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
    for plain, letter in SPECIAL:
        text = text.replace(plain, b"\\" + letter)
    return b'"%b"' % text


def _list(items: list[bytes]) -> bytes:
    return b"[%b]" % b",".join(items)


def _strings(items: list[bytes] | tuple[bytes, ...]) -> bytes:
    return _list([_quote(item) for item in items])
