"""denizen.toml and its lock."""

import pytest

from denizen.fhs.generations import Settings
from denizen.fhs.mounts import BindMount
from denizen.fhs.project_environment import BadProject, digest, locked, read, unlocked

FULL = b"""
[fhs]
packages = ["python3", "gcc", "gcc"]
suite = "trixie"
architectures = ["i386"]
locales = ["de_DE.UTF-8"]
binds = ["./assets:/usr/local/assets", "/srv/data"]
profile = "alias ll='ls -l'"
[fhs.env]
EDITOR = "vi"
"""


def test_all_keys_are_read() -> None:
    assert read(FULL, "/home/me/app/denizen.toml", "amd64") == Settings(
        packages=("gcc", "python3"),
        suites=("trixie",),
        architectures=("amd64", "i386"),
        locales=("de_DE.UTF-8",),
        bindings=(
            BindMount(b"/home/me/app/assets", b"/usr/local/assets"),
            BindMount(b"/srv/data", b"/srv/data"),
        ),
        environment=(("EDITOR", "vi"),),
        profile="alias ll='ls -l'",
    )


def test_everything_that_is_wrong_is_told_at_once() -> None:
    text = b'[fhs]\npackages = "gcc"\nsiute = "x"\nprofile = 3\n[fhs.env]\nA = 1\n'
    with pytest.raises(BadProject) as caught:
        read(text, "/x/denizen.toml", "amd64")
    assert sorted(caught.value.problems) == [
        "env is a table of texts",
        "packages is a list of texts",
        "profile is a text",
        "there is no key 'siute'; is suite meant?",
    ]


@pytest.mark.parametrize(
    "text", [b"", b"[other]\n", b"[fhs", b"\xff", b"fhs = 3\n", b'[fhs]\nbinds = ["./x"]\n']
)
def test_what_is_none_is_refused(text: bytes) -> None:
    with pytest.raises(BadProject):
        read(text, "/x/denizen.toml", "amd64")


def test_a_lock_holds_for_the_table_it_was_made_for() -> None:
    settings = read(FULL, "/x/denizen.toml", "amd64")
    content = locked(settings, b"the lock\n")
    assert unlocked(settings, content) == b"the lock\n"
    assert unlocked(read(FULL.replace(b"gcc", b"clang"), "/x/denizen.toml", "amd64"), content) is None
    assert unlocked(settings, b"") is None


def test_what_chooses_no_packages_leaves_the_lock_in_force() -> None:
    settings = read(FULL, "/x/denizen.toml", "amd64")
    assert digest(settings) == digest(read(FULL.replace(b"vi", b"ed"), "/y/denizen.toml", "amd64"))
