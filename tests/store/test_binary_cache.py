"""Trust in narinfos of a cache: signed by one of the caller's keys, for this claim and store directory."""

import hashlib

import pytest

from denizen.formats import narinfo
from denizen.formats.hashes import Hash
from denizen.formats.narinfo import NarInfo
from denizen.formats.signature import PublicKey, SecretKey
from denizen.formats.storepath import NIX_STORE, StorePath
from denizen.store.binary_cache import NotTrusted, check_signed
from denizen.value import replace

INFO = NarInfo(
    StorePath("0" * 32, "hello-2.12.1"), "nar/x.nar", Hash("sha256", hashlib.sha256(b"abc").digest()), 96
)


@pytest.fixture(scope="module")
def key() -> SecretKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = Ed25519PrivateKey.from_private_bytes(bytes(32))
    return SecretKey("cache-1", bytes(32), secret.public_key().public_bytes_raw())


def test_a_signature_by_a_trusted_key_is_found_among_others(key: SecretKey) -> None:
    signed = narinfo.sign(replace(INFO, signatures=("other-1:AAAA", "garbage")), key, NIX_STORE)
    stranger = PublicKey("stranger", key.public)
    assert check_signed(signed, [stranger, key.public_key], NIX_STORE) == key.public_key
    assert narinfo.sign(signed, key, NIX_STORE) == signed


@pytest.mark.parametrize(
    "change",
    [
        {"nar_size": 97},
        {"nar_hash": Hash("sha256", bytes(32))},
        {"references": (StorePath("1" * 32, "evil"),)},
        {"path": StorePath("0" * 32, "hello-2.12.2")},
    ],
)
def test_a_signature_moved_to_another_claim_is_forged(key: SecretKey, change: dict[str, object]) -> None:
    forged = replace(narinfo.sign(INFO, key, NIX_STORE), **change)
    with pytest.raises(NotTrusted, match="forged") as caught:
        check_signed(forged, [key.public_key], NIX_STORE)
    assert caught.value.forged == ("cache-1",)


def test_a_signature_counts_in_the_store_directory_it_was_made_for(key: SecretKey) -> None:
    with pytest.raises(NotTrusted):
        check_signed(narinfo.sign(INFO, key, NIX_STORE), [key.public_key], b"/home/me/store")


def test_what_nobody_trusted_signed_is_refused_with_the_names(key: SecretKey) -> None:
    with pytest.raises(NotTrusted, match="no signature"):
        check_signed(INFO, [key.public_key], NIX_STORE)
    with pytest.raises(NotTrusted, match="cache-1, whom you do not trust"):
        check_signed(narinfo.sign(INFO, key, NIX_STORE), [], NIX_STORE)
