import pytest

from denizen.profiles.project_profile import EXAMPLE, BadProfileTable, read_project_profile


def test_packages_are_sorted_and_named_once() -> None:
    text = b'[profile]\npackages = ["zip", "cowsay", "zip"]\nsuite = "trixie"\nname = "work"\n'
    found = read_project_profile(text, "denizen.toml")
    assert (found.packages, found.suites, found.name) == (("cowsay", "zip"), ("trixie",), "work")


def test_the_digest_changes_with_the_packages_and_not_with_their_order() -> None:
    one = read_project_profile(b'[profile]\npackages = ["a", "b"]', "x")
    two = read_project_profile(b'[profile]\npackages = ["b", "a"]\nname = "other"', "x")
    three = read_project_profile(b'[profile]\npackages = ["a"]', "x")
    assert one.digest == two.digest != three.digest


def test_the_example_is_usable() -> None:
    assert read_project_profile(EXAMPLE.encode(), "x").packages == ("jq", "ripgrep")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no table"),
        (b"[profile", "Expected"),
        (b"[profile]\npackages = 'zip'", "list of texts"),
        (b"[profile]\npackages = ['']", "list of texts"),
        (b"[profile]\nsuite = 3\nextra = 1", "there is no key 'extra'; there are packages, suite, name"),
        (b"profile = 3", "no table"),
        (b"\xff", "utf-8"),
    ],
)
def test_all_that_is_wrong_is_told(text: bytes, said: str) -> None:
    with pytest.raises(BadProfileTable) as failure:
        read_project_profile(text, "denizen.toml")
    assert said in failure.value.why
