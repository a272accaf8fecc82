"""Commands that no package has as a file have their packages by one table, for users and for programs."""

import pytest

from denizen.launch.command_alternatives import package_for_program, packages_for_user


@pytest.mark.parametrize(
    ("name", "package"),
    [(b"java", b"default-jre-headless"), (b"which", b"debianutils"), (b"git", b""), (b"\xff", b"")],
)
def test_a_name_that_only_a_maintainer_script_makes_has_its_package(name: bytes, package: bytes) -> None:
    assert package_for_program(name) == package


def test_a_user_may_mean_several_packages_and_the_preferred_one_is_first() -> None:
    assert packages_for_user("vi")[0] == "vim"
    assert packages_for_user("git") == ()
    # What a program means by it, where nothing else is said of users.
    assert packages_for_user("php") == ("php-cli",)
