from typing import cast

import pytest

from denizen.sources.errors import BadSignature
from denizen.sources.keyring import Keyring
from denizen.sources.openpgp import (
    ChosenWhenAsked,
    GpgvVerifier,
    NoVerifier,
    SequoiaVerifier,
    Verifier,
    best_verifier,
    judge_status,
    require_one_message,
)
from tests.data import weak_digest
from tests.support.debian_archive import clear_signed, detached_signature, keyring
from tests.support.peers import require

TEXT = b"Origin: Debian\n- dashes and\n\ttrailing\nlines\n"
OURS = (Keyring("ours", keyring()),)
STRANGERS = (Keyring("strangers", keyring("stranger")),)


def _gpgv() -> Verifier:
    require("gpgv")
    return GpgvVerifier("gpgv")


@pytest.fixture(params=[_gpgv, SequoiaVerifier], ids=["gpgv", "sequoia"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    return cast("Verifier", request.param())


def test_the_signed_text_comes_back(verifier: Verifier) -> None:
    assert verifier.inline("x", clear_signed(TEXT), OURS).strip() == TEXT.strip()


def test_one_keyring_of_several_is_enough(verifier: Verifier) -> None:
    assert verifier.inline("x", clear_signed(TEXT), (*STRANGERS, *OURS)).strip() == TEXT.strip()


def test_a_detached_signature_is_as_good(verifier: Verifier) -> None:
    assert verifier.detached("x", TEXT, detached_signature(TEXT), OURS) == TEXT


@pytest.mark.parametrize(
    "message",
    [
        TEXT,
        b"",
        clear_signed(TEXT).replace(b"Debian", b"Debiam"),
        b"Origin: Evil\n" + clear_signed(TEXT),
        clear_signed(TEXT) + b"Origin: Evil\n",
        clear_signed(TEXT) + clear_signed(b"Origin: Evil\n", "stranger"),
        clear_signed(TEXT).partition(b"-----BEGIN PGP SIGNATURE")[0],
    ],
    ids=["unsigned", "empty", "altered", "before", "after", "two", "cut"],
)
def test_anything_but_one_whole_signed_message_is_refused(verifier: Verifier, message: bytes) -> None:
    with pytest.raises(BadSignature):
        verifier.inline("x", message, OURS)


def test_a_message_that_begins_twice_is_refused_before_a_verifier_sees_it() -> None:
    begin = b"-----BEGIN PGP SIGNED MESSAGE-----\n"
    message = begin + b"Hash: SHA512\n\n" + clear_signed(TEXT)
    with pytest.raises(BadSignature, match="more in it"):
        require_one_message("x", message, OURS)


def test_another_key_or_none_is_refused(verifier: Verifier) -> None:
    for keyrings in (STRANGERS, ()):
        with pytest.raises(BadSignature):
            verifier.inline("x", clear_signed(TEXT), keyrings)
        with pytest.raises(BadSignature):
            verifier.detached("x", TEXT, detached_signature(TEXT), keyrings)


def test_a_detached_signature_of_another_text_is_refused(verifier: Verifier) -> None:
    for signature in (detached_signature(b"other"), b"", b"garbage"):
        with pytest.raises(BadSignature):
            verifier.detached("x", TEXT, signature, OURS)


def test_a_signature_by_sha_1_is_refused(verifier: Verifier) -> None:
    signer = (Keyring("signer", weak_digest.KEY),)
    assert verifier.inline("x", weak_digest.BY_SHA512, signer).strip() == b"Origin: Debian"
    with pytest.raises(BadSignature):
        verifier.inline("x", weak_digest.BY_SHA1, signer)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["GOODSIG 1 x", "VALIDSIG 1"], ""),
        (["ERRSIG 1", "NO_PUBKEY 1", "GOODSIG 2 x", "VALIDSIG 2"], ""),
        (["GOODSIG 1 x", "BADSIG 2 y"], "the text was changed after it was signed"),
        # GnuPG gives VALIDSIG for these too.
        (["EXPKEYSIG 1 x", "VALIDSIG 1"], "the key has expired"),
        (["REVKEYSIG 1 x", "VALIDSIG 1"], "the key was revoked"),
        (["EXPSIG 1 x", "VALIDSIG 1"], "the signature has expired"),
        (["ERRSIG 1 22 10 01 5 9 -", "NO_PUBKEY 1"], "signed by a key that is in no keyring"),
        (["ERRSIG 1 22 2 01 5 5 -"], "signed by an algorithm that is not accepted, such as SHA-1"),
        ([], "there is no signature"),
    ],
)
def test_what_gpgv_says_is_judged(words: list[str], problem: str) -> None:
    status = "".join(f"[GNUPG:] {word}\n" for word in words) + "a text that says GOODSIG\n"
    assert judge_status(status.encode()) == problem


def test_without_gpgv_the_python_verifier_is_taken() -> None:
    assert isinstance(best_verifier("/nonexistent"), SequoiaVerifier)


def test_with_neither_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pysequoia", None)
    with pytest.raises(NoVerifier) as caught:
        best_verifier("/nonexistent")
    assert "pip install" in caught.value.remedy


def test_a_verifier_is_looked_for_when_the_first_signature_is_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pysequoia", None)
    chosen = ChosenWhenAsked("/nonexistent")
    with pytest.raises(NoVerifier):
        chosen.inline("x", b"", ())
    with pytest.raises(NoVerifier):
        chosen.detached("x", b"", b"", ())


def test_the_chosen_verifier_checks() -> None:
    chosen = ChosenWhenAsked(None)
    assert chosen.inline("x", clear_signed(TEXT), OURS).strip() == TEXT.strip()
    assert chosen.detached("x", TEXT, detached_signature(TEXT), OURS) == TEXT
