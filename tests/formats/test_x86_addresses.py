import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats.x86_addresses import with_addresses, with_distances

_OPCODES = {
    "call": "e8",
    "jmp": "e9",
    "je": "0f 84",
    "call through a pointer": "ff 15",
    "jmp through a pointer": "ff 25",
    "lea": "48 8d 3d",
    "mov to r8": "4c 8b 05",
    "movsd": "0f 10 05",
    "vmovsd": "c5 fb 10 05",
    "vfmadd": "c4 e2 f1 98 05",
}
_BYTES = st.lists(st.sampled_from(b"\xe8\x0f\x85\xff\x15\x48\x8b\x05\xc5\xc4\x10\x00\x7f"), max_size=60)


@pytest.mark.parametrize("name", _OPCODES)
def test_the_same_target_has_the_same_bytes_wherever_it_is_named(name: str) -> None:
    opcode = bytes.fromhex(_OPCODES[name])
    size, target = len(opcode) + 4, 0x123456
    code = b"".join(opcode + (target - at * size).to_bytes(4, "little", signed=True) for at in range(1, 50))
    assert with_addresses(code) == (opcode + b"\x12\x34\x56\0") * 49


@pytest.mark.parametrize(
    "code", ["e8 01 02 03 04", "48 8d 47 00 00 00 00", "90 90 01 00 00 00", "e8 00 00 00"]
)
def test_what_is_far_away_or_no_distance_stays(code: str) -> None:
    assert with_addresses(bytes.fromhex(code)) == bytes.fromhex(code)


@given(st.binary(max_size=200) | _BYTES.map(bytes))
def test_the_reverse_gives_back_any_bytes(content: bytes) -> None:
    assert with_distances(with_addresses(content)) == content
