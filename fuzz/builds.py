"""What derivations say of their builds: structured attributes, checks, graphs."""

import contextlib
from collections.abc import Sequence

from denizen.build.runner import output_checks, references_graph, structured_attributes
from denizen.errors import BadInput
from denizen.formats.aterm import Derivation, DerivationOutput
from denizen.formats.storepath import NIX_STORE

_SMALL = 1 << 20


def read_attributes(data: bytes) -> None:
    """Read attributes, write them for JSON and for bash, and read checks and graphs from them."""
    derivation = Derivation({b"out": DerivationOutput(b"")}, {}, (), b"s", b"b", (), {b"__json": data})
    attributes = structured_attributes.attributes_of(derivation, "x")
    assert attributes is not None
    if len(data) > _SMALL:
        return
    structured_attributes.attribute_files(attributes, {"out": "/nix/store/x"})
    with contextlib.suppress(BadInput):
        output_checks.checks_of(derivation, attributes, "x")
    with contextlib.suppress(BadInput):
        references_graph.with_graphs(attributes, lambda paths: [{"n": len(paths)}], NIX_STORE)
    with contextlib.suppress(BadInput):
        references_graph.graph_requests(data, "x", NIX_STORE)


def attributes() -> Sequence[bytes]:
    return [
        b'{"a":[1,-2.5,1e300,true,null,"\\u00e9\\ud800"],"b":{"c":{"d":[]}},"it\'s":"x"}',
        b'{"outputChecks":{"out":{"maxSize":1,"allowedReferences":["out"]}},"exportReferencesGraph":{"g":["/x"]}}',
        b"g /nix/store/" + b"0" * 32 + b"-x",
    ]


def large_attributes() -> Sequence[bytes]:
    return [b"[" * 900_000, b'{"a":' * 150_000, b'{"a":"' + b"\\n" * 400_000 + b'"}', b"1" * 900_000]


ATTRIBUTE_TOKENS = (b"{", b"}", b"[", b"]", b'"', b"\\u", b"1e999", b"-", b"NaN", b"Infinity", b'"outputs":')
