import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from denizen.formats import ed25519

# RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc): public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493
KEY, MESSAGE, SIGNATURE = (bytes.fromhex(part) for part in VECTORS[1])


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_published_signatures_hold(key: str, message: str, signature: str) -> None:
    assert ed25519.verify(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_another_implementation_signs_holds(seed: bytes, message: bytes) -> None:
    secret = Ed25519PrivateKey.from_private_bytes(seed)
    public = secret.public_key().public_bytes_raw()
    assert ed25519.verify(public, message, secret.sign(message))


@settings(max_examples=50)
@given(st.integers(0, 97 * 8 - 1))
def test_one_changed_bit_anywhere_breaks_it(bit: int) -> None:
    everything = bytearray(KEY + SIGNATURE + MESSAGE)
    everything[bit // 8] ^= 1 << bit % 8
    assert not ed25519.verify(bytes(everything[:32]), bytes(everything[96:]), bytes(everything[32:96]))


def test_a_signature_has_one_spelling() -> None:
    s = int.from_bytes(SIGNATURE[32:], "little") + ORDER
    assert not ed25519.verify(KEY, MESSAGE, SIGNATURE[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize(
    "key",
    [
        (1).to_bytes(32, "little"),  # the neutral element: anyone can sign for it
        (0).to_bytes(32, "little"),  # of order 4
        (2**255 - 20).to_bytes(32, "little"),  # of order 2
        (1 | 1 << 255).to_bytes(32, "little"),  # the neutral element with a sign it cannot have
        (2**255 - 18).to_bytes(32, "little"),  # the neutral element, spelled beyond the field
        b"\xff" * 32,
        b"\x02" + bytes(31),  # y = 2 is on no point of the curve
    ],
)
def test_a_key_that_is_no_point_or_of_small_order_verifies_nothing(key: bytes) -> None:
    # With S = 0 and R the neutral element, s*B - h*A is neutral for every key of order 1.
    for signature in (SIGNATURE, (1).to_bytes(32, "little") + bytes(32)):
        assert not ed25519.verify(key, MESSAGE, signature)


@pytest.mark.parametrize(("key", "signature"), [(KEY[:-1], SIGNATURE), (KEY, SIGNATURE[:-1]), (b"", b"")])
def test_wrong_sizes_verify_nothing(key: bytes, signature: bytes) -> None:
    assert not ed25519.verify(key, MESSAGE, signature)
