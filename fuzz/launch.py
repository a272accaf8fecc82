"""Decision files: mutated as they are, and again under a right sum, which damage alone never has."""

from collections.abc import Sequence
from contextlib import suppress

from denizen.errors import BadInput
from denizen.launch.decisions.decision import Decision, DecisionLibrary, Edit
from denizen.launch.decisions.decision_codec import MAGIC, MAX_ROWS, decode, encode
from denizen.launch.decisions.decision_needs import needs_of
from denizen.launch.decisions.program_identity import Identity, machine_word, sum_words

DECISION_TOKENS = (MAGIC, b"/", b"\0" * 8, b"\xff" * 4, b"\xff" * 8, (232).to_bytes(4, "little"))
_SMALL = Decision(
    identity=Identity(1, 2, 3, 4, 5),
    headers=bytes(16),
    machine=machine_word(64, 62),
    ldso=b"/s/ld.so",
    build_id=bytes(20),
    search=b"/s/lib",
    libraries=(DecisionLibrary(b"/s/libc.so.6", b"libc.so.6"),),
    objects=(b"/s",),
    command=(b"/bin/bwrap",),
    edits=(Edit(16, b"ab", b"cd"),),
)


def read_decision(data: bytes) -> None:
    """Both the bytes and the same bytes as a writer would have summed them. Raises BadInput."""
    size = len(data) // 8 * 8
    if size >= 40:
        blank = data[:16] + size.to_bytes(4, "little") + data[20:24] + bytes(16) + data[40:size]
        with suppress(BadInput):
            decode(blank[:24] + sum_words(blank) + blank[40:])
    needs = needs_of(data)
    decision = decode(data)
    assert needs is not None
    assert needs[:2] == (decision.generation, list(decision.objects))


def decisions() -> Sequence[bytes]:
    return [encode(_SMALL)]


def large_decisions() -> Sequence[bytes]:
    """As many rows as there may be, all naming one string."""
    library = DecisionLibrary(b"/s/" + b"x" * 4000, b"libx.so")
    return [
        encode(Decision(_SMALL.identity, bytes(16), 0, b"/s/ld.so", libraries=(library,) * (MAX_ROWS // 2)))
    ]
