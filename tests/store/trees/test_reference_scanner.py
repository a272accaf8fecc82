from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.store.trees import hyperscan_search
from denizen.store.trees.hyperscan_search import Matching, hyperscan_matcher
from denizen.store.trees.reference_scanner import ALPHABET, FEW, HASH_LENGTH, Scanner, runs_in

if TYPE_CHECKING:
    from denizen.store.trees.reference_scanner import Matcher

_RANDOM = random.Random(7)


def _hash() -> bytes:
    return bytes(_RANDOM.choices(ALPHABET, k=HASH_LENGTH))


HASHES = [_hash() for _ in range(6)]
MATCHERS = [runs_in, *([matcher] if (matcher := hyperscan_matcher()) else [])]


def _found(
    data: bytes, sought: list[bytes], sizes: list[int], matcher: Matcher = runs_in
) -> frozenset[bytes]:
    scanner = Scanner(sought, matcher)
    at = 0
    while at < len(data):
        size = sizes[at % len(sizes)]
        scanner.feed(data[at : at + size])
        at += size
    return scanner.found


def _naive(data: bytes, sought: list[bytes]) -> frozenset[bytes]:
    return frozenset(candidate for candidate in sought if candidate in data)


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize("size", range(1, 100))
def test_a_hash_is_found_at_every_chunk_size(matcher: Matcher, size: int) -> None:
    data = b"x/" + HASHES[0] + b"-name\0" + HASHES[1] + HASHES[2] + b"E" + HASHES[3][:31] + b"!"
    assert _found(data, HASHES, [size], matcher) == frozenset(HASHES[:3])


def test_hyperscan_is_imported_for_what_comes_after_the_first_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def accelerated_runs(data: bytes) -> list[bytes]:
        seen.append(data)
        return list(runs_in(data))

    monkeypatch.setattr(hyperscan_search, "PATIENCE", 200)
    monkeypatch.setattr(hyperscan_search, "hyperscan_matcher", lambda: accelerated_runs)
    matching = Matching()
    pieces = [b"E" * 68 + some for some in HASHES[:4]]
    assert [list(matching(piece)) for piece in pieces] == [[some] for some in HASHES[:4]]
    assert seen == pieces[1:]


@pytest.mark.parametrize("matcher", MATCHERS)
def test_a_hash_is_found_at_every_split_into_two(matcher: Matcher) -> None:
    data = b"E" * 40 + HASHES[0] + b"-" * 40
    for split in range(len(data) + 1):
        scanner = Scanner(HASHES, matcher)
        scanner.feed(data[:split])
        scanner.feed(data[split:])
        assert scanner.found == {HASHES[0]}, split


def test_a_hash_is_found_at_every_split_into_three() -> None:
    data = b"E" + HASHES[0] + b"E"
    for first in range(len(data)):
        for second in range(first, len(data)):
            scanner = Scanner(HASHES)
            for piece in (data[:first], data[first:second], data[second:]):
                scanner.feed(piece)
            assert scanner.found == {HASHES[0]}, (first, second)


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize("offset", range(40))
def test_a_hash_is_found_at_every_alignment_and_glued_to_anything(matcher: Matcher, offset: int) -> None:
    for around in (b"a", b"E", b"\0"):
        data = around * offset + HASHES[0] + around * (40 - offset)
        assert _found(data, HASHES, [len(data)], matcher) == {HASHES[0]}


def test_a_hash_in_a_long_run_is_found_wherever_it_lies() -> None:
    for offset in range(4990, 5010):
        data = b"0" * offset + HASHES[0] + b"0" * 5000
        assert Scanner(HASHES).found == frozenset()
        assert _found(data, HASHES, [len(data)]) == {HASHES[0]}


def test_nothing_is_found_that_is_not_sought() -> None:
    assert _found(HASHES[0] * 3, HASHES[1:], [50]) == frozenset()


def test_without_candidates_nothing_is_looked_at() -> None:
    scanner = Scanner(())
    scanner.feed(b"a" * 100)
    assert scanner.found == frozenset()


pieces = st.lists(
    st.one_of(
        st.sampled_from(HASHES),
        st.sampled_from(HASHES).map(lambda h: h[:-1]),
        st.binary(max_size=50),
        st.integers(0, 80).map(lambda n: b"0" * n),
    ),
    max_size=12,
)


@given(pieces, st.lists(st.integers(1, 90), min_size=1, max_size=5))
def test_exactly_what_a_plain_search_finds_is_found(parts: list[bytes], sizes: list[int]) -> None:
    data = b"".join(parts)
    for matcher in MATCHERS:
        assert _found(data, HASHES, sizes, matcher) == _naive(data, HASHES)
    for count in range(FEW + 2):
        assert _found(data, HASHES[:count], sizes) == _naive(data, HASHES[:count])


def test_no_run_is_looked_at_where_few_hashes_are_sought() -> None:
    looked: list[bytes] = []

    def matcher(data: bytes) -> list[bytes]:
        looked.append(data)
        return [data]

    for count in (1, FEW):
        assert _found(b"E" + HASHES[0], HASHES[:count], [10], matcher) == {HASHES[0]}
    assert not looked
    assert _found(HASHES[0], HASHES[: FEW + 1], [32], matcher) == {HASHES[0]}
    assert looked
