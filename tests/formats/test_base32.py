import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.formats import base32
from denizen.formats.base32 import BadBase32


@given(st.binary(max_size=70))
def test_bytes_survive_the_round_trip(content: bytes) -> None:
    text = base32.encode(content)
    assert len(text) == base32.digits_for(len(content))
    assert base32.decode(text) == content


def test_the_digest_of_abc_is_written_as_in_nix_own_tests() -> None:
    digest = bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    assert base32.encode(digest) == "1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s"


@given(st.text(alphabet=base32.ALPHABET, max_size=60))
def test_every_text_is_refused_or_the_one_spelling_of_its_value(text: str) -> None:
    try:
        content = base32.decode(text)
    except BadBase32:
        return
    assert base32.encode(content) == text


@pytest.mark.parametrize("text", ["e0", "00\x1b", "0", "zz", "000", "\N{ARABIC-INDIC DIGIT ONE}0"])
def test_what_no_bytes_give_is_refused(text: str) -> None:
    with pytest.raises(BadBase32):
        base32.decode(text)
