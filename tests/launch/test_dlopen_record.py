"""The directory of what came while a program ran: what is remembered, and for how long."""

from pathlib import Path

import pytest

from denizen.launch.decisions.program_identity import Identity
from denizen.launch.dlopen_record import (
    DlopenRequest,
    Opened,
    all_of,
    forget_all_denied,
    is_soname,
    place_of,
)

_IDENTITY = Identity(1, 2, 3, 4, 5)
_LIBRARIES = b"/store/0123456789abcdfghijklmnpqrsvwxyz-libraries"


@pytest.fixture
def decision_directory(tmp_path: Path) -> bytes:
    return bytes(tmp_path)


@pytest.fixture
def opened(decision_directory: bytes) -> Opened:
    made = Opened(place_of(decision_directory, _IDENTITY, _LIBRARIES))
    made.make()
    return made


@pytest.mark.parametrize("name", [b"libonig.so.5", b"lib++x.so", b"a-b_c.so.1.2", b"7z.so", b"_x.so"])
def test_names_of_libraries_may_be_asked_for(name: bytes) -> None:
    assert is_soname(name)


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b"..",
        b".so",
        b"-x.so",
        b"lib/x.so",
        b"../x.so",
        b"x y.so",
        b"libx",
        b"x\n.so",
        b"x.so\n",
        b"x" * 201 + b".so",
    ],
)
def test_nothing_else_may(name: bytes) -> None:
    assert not is_soname(name)


def test_each_set_of_libraries_has_a_place_of_its_own(decision_directory: bytes) -> None:
    other = b"/store/abcdfghijklmnpqrsvwxyz0123456789-libraries"
    assert place_of(decision_directory, _IDENTITY, _LIBRARIES) != place_of(
        decision_directory, _IDENTITY, other
    )


def test_links_are_shown_and_replaced(opened: Opened) -> None:
    opened.show({b"libx.so.1": b"/a"})
    opened.show({b"libx.so.1": b"/b", b"liby.so.1": b"/c"})
    assert opened.links() == {b"libx.so.1": b"/b", b"liby.so.1": b"/c"}


def test_only_what_is_there_is_had(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    opened.show({b"libx.so.1": bytes(tmp_path / "x"), b"liby.so.1": b"/gone"})
    assert (opened.has(b"libx.so.1"), opened.has(b"liby.so.1")) == (True, False)


def test_answers_are_remembered_in_order(opened: Opened) -> None:
    answers = (
        DlopenRequest(b"libx.so.1", (b"libx1=1.0", b"liby1=2.0"), 1234),
        DlopenRequest(b"liba.so.1", (), 0),
    )
    for one in answers:
        opened.record(one)
    assert opened.asked() == answers


def test_a_damaged_line_is_passed_over(opened: Opened) -> None:
    opened.record(DlopenRequest(b"libx.so.1", (), 1))
    with open(opened.directory + b"/.asked", "ab") as stream:
        stream.write(b"half\t1\n../x.so\t1\t\nlibx.so\tmany\t\n")
    assert [one.soname for one in opened.asked()] == [b"libx.so.1"]


def test_what_is_denied_is_denied_with_its_reason_until_the_index_changes(
    decision_directory: bytes, opened: Opened
) -> None:
    opened.deny(b"libx.so.1", "nobody has it")
    assert opened.denied() == {b"libx.so.1": "nobody has it"}
    opened.look_in([b"/index"])
    forget_all_denied(decision_directory, {})
    assert [one.denied() for one in all_of(decision_directory, _IDENTITY)] == [{}]


def test_a_path_is_denied_as_a_path(opened: Opened) -> None:
    opened.deny_path(b"/usr/lib/drivers/liba.so", "nobody has it")
    assert opened.denied() == {b"/usr/lib/drivers/liba.so": "nobody has it"}


def test_the_indexes_are_those_of_now(opened: Opened) -> None:
    opened.look_in([b"/one", b"/two"])
    opened.look_in([b"/three"])
    place = Path(opened.directory.decode()) / ".index"
    assert {one.name: str(one.readlink()) for one in place.iterdir()} == {"0": "/three"}


def test_the_list_goes_on_with_the_new_index_before_anything_is_asked_for(
    decision_directory: bytes, opened: Opened
) -> None:
    opened.look_in([b"/one", b"/two"])
    forget_all_denied(decision_directory, {b"/one": b"/new", b"/other": b"/elsewhere"})
    place = Path(opened.directory.decode())
    assert {one.name: str(one.readlink()) for one in (place / ".listed").iterdir()} == {
        "0": "/new",
        "1": "/two",
    }
    assert not list((place / ".index").iterdir())


def test_a_lock_is_seen(opened: Opened) -> None:
    assert not opened.is_locked
    opened.make(locked=True)
    assert opened.is_locked
