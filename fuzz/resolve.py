"""Lock files: mutated as they are, and again under a right digest, which damage alone never has."""

import hashlib
from collections.abc import Sequence
from contextlib import suppress

from denizen.errors import BadInput
from denizen.resolve.lock import parse, write
from denizen.resolve.resolution import (
    ChoiceRule,
    FromHost,
    Pin,
    ProblemKind,
    ProviderChoice,
    Resolution,
    ResolutionProblem,
)

LOCK_TOKENS = (
    b"[[package]]\n", b"[[library]]\n", b"[", b"]", b'"', b"\\", b"\\u0000", b" = ", b"\n", b"../", b"/",
    b'sha256 = "', b"size = -1", b"[interpreter]\n", b"\xed\xb0\x80", b"a.b = 1\n",
)  # fmt: skip
_HEAD = b'version = 1\ndigest = "'
_SMALL = 10_000
_HASH = b"a" * 64


def read_lock(data: bytes) -> None:
    """Both the bytes and the same bytes as a writer would have signed them. Raises BadInput.

    What was read is written and read again, where that does not hide the time reading takes.
    """
    body = data.split(b"\n", 2)[-1]
    with suppress(BadInput):
        parse(data)
    found = parse(_HEAD + hashlib.sha256(body).hexdigest().encode() + b'"\n' + body)
    if len(data) < _SMALL:
        assert parse(write(found)) == found


def locks() -> Sequence[bytes]:
    pin = Pin(b"liba1", b"1:2-3", b"amd64", "debian", "trixie", "12", b"pool/liba1.deb", 10, _HASH, 4)
    choice = ProviderChoice(b"liba.so.1", _HASH, b"usr/lib/liba.so.1", ChoiceRule.ONLY, b"program")
    beside = ProviderChoice(b"libb.so", b"", b"../lib/libb.so.1", ChoiceRule.BESIDE, b"program", (), "qt")
    problem = ResolutionProblem(ProblemKind.LIBRARY, b"libz.so.9", b"program", 'no "one"\n', (b"libz.so.1",))
    full = Resolution(
        "amd64", "trixie", (2, 38), (b"/lib64/ld.so", _HASH, b"usr/lib/ld.so"), (pin,), (choice, beside),
        (b"liba.so.1",), (FromHost(b"libcuda.so.1", b"program", "the driver's"),), (), (problem,),
    )  # fmt: skip
    return [write(one) for one in (Resolution(""), full)]


def large_locks() -> Sequence[bytes]:
    """Many rows, one long string, deep nesting."""
    many = tuple(ResolutionProblem(ProblemKind.SYMBOL, b"%06d" % number, b"p", "x") for number in range(700))
    long = (ResolutionProblem(ProblemKind.SYMBOL, b"a" * 200_000, b"p", "x"),)
    return [
        *[write(Resolution("amd64", problems=problems)) for problems in (many, long)],
        _HEAD + b'"\n' + b"a = " + b"[" * 200_000,
    ]
