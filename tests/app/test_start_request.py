"""The request for a start, and where decisions made by it are kept."""

from denizen.app.start_request import RunRequest


def test_what_was_decided_under_the_strategys_old_word_is_found() -> None:
    """The directories that the word `program` gave, before it became `direct`."""
    assert RunRequest(strategy="direct").variant == b"334721c4fab5907d"
    assert RunRequest(strategy="direct", hermetic=True).variant == b"e65c83e96308a72d"


def test_other_strategies_share_what_is_decided() -> None:
    assert RunRequest(strategy="namespace").variant == RunRequest().variant == b""


def test_what_stays_offline_is_decided_apart_and_its_children_too() -> None:
    """What is only decided without a network is for starts with one."""
    decided, stays = RunRequest(offline=True), RunRequest(offline=True, stays_offline=True)
    assert (decided.variant, decided.words) == (b"", ())
    assert stays.variant != b""
    assert stays.followers.variant == stays.variant
    assert stays.words == stays.followers.words == ("--offline",)
