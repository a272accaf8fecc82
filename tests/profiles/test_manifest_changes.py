import pytest

from denizen.profiles.manifest_changes import difference, with_elements, with_pinned, without_elements
from denizen.profiles.profile_errors import NotInProfile
from denizen.profiles.profile_manifest import ProfileManifest
from tests.support.profile_elements import element

BOTH = with_elements(ProfileManifest(), [element("zip", commands=("zip", "zipnote")), element("unzip")])


def test_an_element_takes_the_place_of_that_of_its_name() -> None:
    after = with_elements(BOTH, [element("zip", version="2")])
    assert [(one.name, one.version) for one in after.elements] == [("unzip", "1"), ("zip", "2")]


def test_what_is_removed_is_gone_and_the_rest_stays() -> None:
    assert without_elements(BOTH, ["zip"]) == with_elements(ProfileManifest(), [element("unzip")])


def test_a_typo_names_what_was_meant() -> None:
    with pytest.raises(NotInProfile) as failure:
        without_elements(BOTH, ["unzp"])
    assert failure.value.near[0] == "unzip"


def test_a_command_names_the_element_that_has_it() -> None:
    with pytest.raises(NotInProfile) as failure:
        without_elements(BOTH, ["zipnote"])
    assert "zip" in failure.value.near
    assert "zip" in failure.value.why


def test_nothing_is_removed_where_one_of_the_names_is_wrong() -> None:
    with pytest.raises(NotInProfile, match="nonsense"):
        without_elements(BOTH, ["zip", "nonsense"])


def test_pinning_is_a_change_and_can_be_taken_back() -> None:
    pinned = with_pinned(BOTH, ["zip"], pinned=True)
    assert [one.pinned for one in pinned.elements] == [False, True]
    assert with_pinned(pinned, ["zip"], pinned=False) == BOTH


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [("1", "2", "upgraded"), ("1:0", "2", "downgraded"), ("1~rc1", "1", "upgraded")],
)
def test_versions_are_compared_as_debian_does(before: str, after: str, kind: str) -> None:
    old, new = (with_elements(BOTH, [element("zip", version=one)]) for one in (before, after))
    (change,) = difference(old, new)
    assert (change.name, change.kind) == ("zip", kind)


def test_what_came_and_what_went_is_told() -> None:
    after = with_elements(without_elements(BOTH, ["zip"]), [element("cowsay")])
    assert [(one.name, one.kind) for one in difference(BOTH, after)] == [
        ("cowsay", "added"),
        ("zip", "removed"),
    ]
