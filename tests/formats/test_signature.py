import builtins
from collections.abc import Callable

import pytest

from denizen.formats import signature
from denizen.formats.signature import BadKey, NoSigner


@pytest.fixture
def secret() -> signature.SecretKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    seed = bytes(range(32))
    return signature.SecretKey(
        "test-1", seed, Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    )


def test_what_is_signed_verifies_under_its_own_key_and_name_only(secret: signature.SecretKey) -> None:
    signed = secret.sign(b"message")
    public = secret.public_key
    assert public.verifies(b"message", signed)
    assert not public.verifies(b"another", signed)
    assert not public.verifies(b"message", signed.replace("test-1", "test-2"))
    assert not signature.PublicKey("test-1", bytes(32)).verifies(b"message", signed)


@pytest.mark.parametrize("text", ["", "test-1", "test-1:", "test-1:!!", "test-1:\N{SNOWMAN}", ":AA=="])
def test_malformed_signatures_verify_nothing(secret: signature.SecretKey, text: str) -> None:
    assert not secret.public_key.verifies(b"message", text)


@pytest.mark.parametrize("added", ["\n", " ", "!", "=", "AAAA"])
def test_a_signature_has_one_spelling(secret: signature.SecretKey, added: str) -> None:
    """Else a cache could hand out any number of texts that are all good, and records of them differ."""
    signed = secret.sign(b"message")
    at = len("test-1:") + 4
    assert not secret.public_key.verifies(b"message", signed[:at] + added + signed[at:])
    assert not secret.public_key.verifies(b"message", signed + added)


def test_keys_are_read_back(secret: signature.SecretKey) -> None:
    assert signature.parse_public(str(secret.public_key) + "\n") == secret.public_key


@pytest.mark.parametrize("text", ["", "AAAA", ":AAAA", "k:", "k:AAAA", "k:????", "k:" + "A" * 44])
@pytest.mark.parametrize("parse", [signature.parse_public, signature.parse_secret])
def test_what_is_not_a_key_is_refused_without_being_repeated(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(BadKey) as caught:
        parse(text)
    assert "AAAA" not in str(caught.value)


def test_a_secret_is_not_shown(secret: signature.SecretKey) -> None:
    assert repr(secret) == "SecretKey('test-1')"


def test_without_the_package_signing_says_what_to_install(
    secret: signature.SecretKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]  # passing on whatever it was given

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(NoSigner) as caught:
        secret.sign(b"message")
    assert caught.value.remedy == "pip install 'denizen[sign]'"
