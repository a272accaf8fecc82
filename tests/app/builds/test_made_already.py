"""The quick answer to `denizen realise`, and where there is none."""

import os
from pathlib import Path

import pytest

from denizen.app.builds.made_already import made_already
from denizen.app.session import Session
from tests.support.derivations import BuildStore


class Quiet:
    """A reporter that says nothing."""

    @property
    def is_verbose(self) -> bool:
        return False


@pytest.fixture
def shop(tmp_path: Path) -> BuildStore:
    (tmp_path / "data").mkdir(mode=0o755)
    return BuildStore(tmp_path / "data")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session({}, str(tmp_path), Quiet())  # type: ignore[arg-type]  # nothing is said


def test_what_a_derivation_made_is_answered_without_a_database(shop: BuildStore, session: Session) -> None:
    one = shop.fetched("x", b"content")
    file = os.fsdecode(shop.store.place_of(one.path))
    assert made_already(session, [file]) is None
    shop.realise(one)
    place = os.fsencode(shop.place(one))
    assert made_already(session, [file]) == {one.path.base: {"out": place}}
    shop.store.close()
    (shop.directory / "store/.denizen/db").unlink()
    assert made_already(session, [file]) == {one.path.base: {"out": place}}


def test_what_was_removed_is_not_there(shop: BuildStore, session: Session) -> None:
    one = shop.fetched("x", b"content")
    shop.realise(one)
    shop.place(one).unlink()
    assert made_already(session, [os.fsdecode(shop.store.place_of(one.path))]) is None


def test_what_another_derivation_made_is_examined_as_ever(shop: BuildStore, session: Session) -> None:
    first = shop.fetched("x", b"content")
    second = shop.fetched("x", b"content", url="https://example.test/elsewhere")
    assert first.outputs == second.outputs
    shop.realise(first)
    assert made_already(session, [os.fsdecode(shop.store.place_of(second.path))]) is None


def test_files_elsewhere_are_not_answered(session: Session, shop: BuildStore, tmp_path: Path) -> None:
    one = shop.fetched("x", b"content")
    shop.realise(one)
    copy = tmp_path / one.path.base
    copy.write_bytes(one.content)
    assert made_already(session, [str(copy)]) is None
