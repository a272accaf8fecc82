from hypothesis import given
from hypothesis import strategies as st

from denizen.nar import codec


def test_a_string_is_its_length_its_bytes_and_zeros_to_a_multiple_of_eight() -> None:
    assert codec.string(b"abc") == b"\x03\0\0\0\0\0\0\0abc\0\0\0\0\0"
    assert codec.string(b"") == bytes(8)
    assert codec.string(b"12345678") == b"\x08\0\0\0\0\0\0\x0012345678"


@given(st.binary(max_size=64))
def test_strings_are_aligned_and_carry_their_length(content: bytes) -> None:
    framed = codec.string(content)
    assert len(framed) % 8 == 0
    assert codec.unpack_length(framed[:8]) == len(content)
    assert framed[8:] == content + codec.padding(len(content))


def test_the_joined_tokens_are_those_of_the_grammar() -> None:
    # Written out from the grammar in wire's docstring, token by token.
    grammar = {
        "MAGIC": ["nix-archive-1"],
        "OPEN": ["("],
        "CLOSE": [")"],
        "TYPE": ["(", "type"],
        "REGULAR": ["regular"],
        "SYMLINK": ["symlink"],
        "DIRECTORY": ["directory"],
        "EXECUTABLE": ["executable", ""],
        "CONTENTS": ["contents"],
        "TARGET": ["target"],
        "ENTRY": ["entry"],
        "NAME": ["(", "name"],
        "NODE": ["node"],
    }
    for constant, words in grammar.items():
        assert getattr(codec, constant) == b"".join(codec.string(w.encode()) for w in words), constant
