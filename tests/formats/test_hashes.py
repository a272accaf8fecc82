import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denizen.errors import BadInput
from denizen.formats import hashes
from denizen.formats.hashes import SIZES, Hash, MalformedHash

any_hash = st.sampled_from(sorted(SIZES)).flatmap(
    lambda name: st.binary(min_size=SIZES[name], max_size=SIZES[name]).map(lambda digest: Hash(name, digest))
)
ABC = Hash("sha256", hashlib.sha256(b"abc").digest())


@given(any_hash)
def test_every_form_is_read_back(value: Hash) -> None:
    assert hashes.parse(str(value)) == value
    assert hashes.parse(value.nix) == value
    assert hashes.parse(value.sri) == value
    assert hashes.parse(value.hex, value.algorithm) == value
    assert hashes.parse(value.base32, value.algorithm) == value
    assert hashes.parse(value.sri.replace("-", ":", 1)) == value


def test_the_forms_are_the_published_ones() -> None:
    assert str(ABC) == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ABC.nix == "sha256:1b8m03r63zqhnjf7l5wnldhh7c134ap5vpj0850ymkq1iyzicy5s"
    assert ABC.sri == "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="


@pytest.mark.parametrize(
    "text",
    [
        "",
        ABC.hex,
        f"sha999:{ABC.hex}",
        f"sha256:{ABC.hex[:-1]}",
        f"sha256:{ABC.hex.upper()}",
        f"sha512:{ABC.hex}",
        f"sha256-{ABC.hex}",
        ABC.sri[:-1],
        ABC.sri.replace("0=", "1="),
        "sha256:" + "\x1b" * 64,
        "sha256:" + "\N{LATIN SMALL LETTER E WITH ACUTE}" * 44,
        "sha256-" + "=" * 44,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        hashes.parse(text)
    assert str(caught.value).isprintable()


def test_a_hash_of_another_algorithm_than_promised_is_refused() -> None:
    with pytest.raises(MalformedHash, match="md5 was expected"):
        hashes.parse(ABC.sri, "md5")
