import hashlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen import sha256
from denizen.sha256 import Sha256, digest_of


@given(st.lists(st.binary(max_size=40)))
def test_pieces_have_the_digest_of_their_whole(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    found = Sha256()
    for piece in pieces:
        found.update(memoryview(piece))
    assert found.digest() == hashlib.sha256(whole).digest() == digest_of(whole)


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_where_openssl_takes_over_nothing_is_lost(
    more: int, *, loaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sha256, "LITTLE", 1000)
    if not loaded:
        monkeypatch.delitem(sys.modules, "hashlib")
    found, buffer = Sha256(), bytearray(b"a" * 500)
    found.update(buffer)
    buffer[:] = b"b" * 500  # a caller fills its buffer again
    found.update(bytes(500 + more))
    before = found.digest()
    found.update(b"end")
    whole = b"a" * 500 + bytes(500 + more)
    assert (before, found.digest()) == (
        hashlib.sha256(whole).digest(),
        hashlib.sha256(whole + b"end").digest(),
    )


def test_openssl_that_is_loaded_already_digests_little_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sha256, "digest_of", None)
    found = Sha256()
    found.update(b"little")
    assert found.digest() == hashlib.sha256(b"little").digest()
