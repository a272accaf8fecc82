"""The decision format: what is written is read back, and damage is always seen."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.launch.decisions import MAX_SIZE
from denizen.launch.decisions.decision import Decision, DecisionLibrary, Edit
from denizen.launch.decisions.decision_codec import DamagedDecision, Unencodable, decode, encode
from denizen.launch.decisions.decision_needs import needs_of
from denizen.launch.decisions.program_identity import (
    Identity,
    machine_word,
    sum_words,
)
from denizen.value import replace

_NUMBER = st.integers(0, (1 << 64) - 1)
_TIME = st.integers(-(1 << 63), (1 << 63) - 1)
_TEXT = st.binary(max_size=12).map(lambda text: text.replace(b"\0", b"."))
_PATH = _TEXT.map(lambda text: b"/" + text)
_EDIT = st.binary(min_size=1, max_size=8).flatmap(
    lambda old: st.builds(
        Edit,
        address=_NUMBER,
        old=st.just(old),
        new=st.binary(min_size=len(old), max_size=len(old)),
        program=st.booleans(),
    )
)
_DECISION = st.builds(
    Decision,
    identity=st.builds(Identity, device=_NUMBER, inode=_NUMBER, size=_NUMBER, mtime_ns=_TIME, ctime_ns=_TIME),
    headers=st.binary(min_size=16, max_size=16),
    machine=st.integers(0, (1 << 32) - 1),
    ldso=_PATH,
    build_id=st.binary(max_size=64),
    search=st.one_of(st.just(b""), _PATH),
    program=_TEXT,
    libraries=st.lists(
        st.builds(DecisionLibrary, path=_PATH, name=_TEXT, pinned=st.booleans(), renamed=st.booleans()),
        max_size=4,
    ).map(tuple),
    objects=st.lists(_PATH, max_size=4).map(tuple),
    command=st.lists(_PATH, max_size=3).map(tuple),
    edits=st.lists(_EDIT, max_size=3).map(tuple),
    r_debug=_NUMBER,
    host=st.booleans(),
    by_name=st.booleans(),
    shown=st.one_of(st.just(b""), _PATH),
    resources=st.one_of(st.just(b""), _PATH),
    opened=st.one_of(st.just(b""), _PATH),
    generation=st.integers(0, (1 << 32) - 1),
)
_SAMPLE = Decision(
    identity=Identity(1, 2, 3, 4, 5),
    headers=bytes(range(16)),
    machine=machine_word(64, 62),
    ldso=b"/s/ld.so",
    build_id=b"\xab\xcd",
    search=b"/s/flat",
    program=b"/bin/x",
    libraries=(
        DecisionLibrary(b"/s/libc.so.6", b"libc.so.6"),
        DecisionLibrary(b"/s/libm.so.6", b"libm.so.6", pinned=True),
    ),
    objects=(b"/s",),
    command=(b"/usr/bin/bwrap", b"--"),
    edits=(Edit(0x10, b"ab", b"\0\0"), Edit(0x18, b"c", b"d", optional=True)),
    r_debug=0x36000,
)


@given(_DECISION)
def test_what_is_written_is_read_back(decision: Decision) -> None:
    assert decode(encode(decision)) == decision


@given(st.integers(0, len(encode(_SAMPLE)) * 8 - 1))
def test_one_changed_bit_is_always_seen(bit: int) -> None:
    content = bytearray(encode(_SAMPLE))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DamagedDecision):
        decode(bytes(content))


@given(st.integers(0, len(encode(_SAMPLE)) - 1))
def test_a_truncated_file_is_refused(length: int) -> None:
    with pytest.raises(DamagedDecision):
        decode(encode(_SAMPLE)[:length])


@given(
    st.integers(0, len(encode(_SAMPLE)) // 4 - 1),
    st.one_of(st.integers(0, 0xFFFFFFFF), st.integers(0, len(encode(_SAMPLE)) + 8)),
)
def test_a_hostile_field_under_a_right_sum_never_escapes(word: int, number: int) -> None:
    content = bytearray(encode(_SAMPLE))
    content[word * 4 : word * 4 + 4] = number.to_bytes(4, "little")
    with suppress(DamagedDecision):  # any other exception fails the test
        decode(_resigned(bytes(content)))


@given(st.binary(max_size=600))
def test_no_bytes_make_the_reader_fail_in_another_way(content: bytes) -> None:
    with pytest.raises(DamagedDecision):
        decode(content)


def test_equal_strings_are_stored_once() -> None:
    libraries = tuple(DecisionLibrary(b"/s/libc.so.6", b"libc.so.6") for _ in range(100))
    content = encode(replace(_SAMPLE, libraries=libraries))
    assert content.count(b"/s/libc.so.6") == 1


def test_a_path_that_is_not_absolute_is_not_written() -> None:
    with pytest.raises(Unencodable, match="not an absolute path"):
        encode(replace(_SAMPLE, ldso=b"ld.so"))


def test_a_name_with_a_nul_is_not_written() -> None:
    with pytest.raises(Unencodable, match="NUL"):
        encode(replace(_SAMPLE, program=b"/bin/x\0y"))


def test_an_edit_may_not_change_the_length() -> None:
    with pytest.raises(Unencodable, match="length"):
        encode(replace(_SAMPLE, edits=(Edit(0, b"ab", b"c"),)))


def test_a_decision_the_loader_would_not_read_is_not_written() -> None:
    with pytest.raises(Unencodable, match="bytes"):
        encode(replace(_SAMPLE, program=b"/" + b"x" * MAX_SIZE))


def _resigned(content: bytes) -> bytes:
    blank = content[:24] + bytes(16) + content[40:]
    return content[:24] + sum_words(blank) + content[40:]


@given(_DECISION)
def test_what_a_decision_needs_is_read_as_by_its_codec(decision: Decision) -> None:
    files = [decision.ldso, *(one.path for one in decision.libraries)]
    assert needs_of(encode(decision)) == (
        decision.generation,
        list(decision.objects),
        files,
        decision.search,
    )


def test_a_damaged_decision_needs_nothing_that_could_be_there() -> None:
    content = encode(_SAMPLE)
    damaged = [content[:size] for size in range(0, len(content), 4)]
    damaged += [content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :] for at in range(len(content))]
    assert [needs_of(one) for one in damaged] == [None] * len(damaged)
    # With the right sum, a table that leads out of the file.
    header = content[:200] + b"\xf0\xff\xff\xff" + content[204:]
    unsigned = header[:24] + bytes(16) + header[40:]
    assert needs_of(unsigned[:24] + sum_words(unsigned) + unsigned[40:]) is None
