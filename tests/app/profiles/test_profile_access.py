import os
from pathlib import Path

import pytest

from denizen.app.profiles.profile_access import changed, options_for, profile_of
from denizen.app.session import SYSTEM_ROOT
from denizen.profiles.profile_links import profile_at
from denizen.store.local import Store
from denizen.trust import Untrusted
from tests.support.command_context import context_of


@pytest.mark.parametrize(
    ("root", "name", "place"),
    [
        (SYSTEM_ROOT, None, "/var/lib/denizen/profiles/default"),
        (SYSTEM_ROOT, "per-user", "/var/lib/denizen/profiles/per-user"),
        (SYSTEM_ROOT, "/srv/tools", "/srv/tools"),
        (None, "./mine", os.path.abspath("mine")),
    ],
)
def test_profiles_of_the_system_are_where_all_users_look(
    root: str | None, name: str | None, place: str, tmp_path: Path
) -> None:
    session = context_of({"HOME": str(tmp_path)}, root).session
    assert os.fsdecode(profile_of(session, name).place) == place


@pytest.mark.parametrize(
    ("root", "name", "options"),
    [
        (None, None, []),
        (None, "profile", []),
        (None, "work", ["--profile", "work"]),
        (None, "/srv/my tools", ["--profile", "'/srv/my tools'"]),
        (SYSTEM_ROOT, None, ["--system"]),
        (SYSTEM_ROOT, "work", ["--system", "--profile", "work"]),
        ("/srv/a-root", None, ["--root", "/srv/a-root"]),
        ("/srv/my root", "work", ["--root", "'/srv/my root'", "--profile", "work"]),
        ("/srv/known", "work", ["--profile", "work"]),
    ],
)
def test_a_profile_is_named_by_options_that_mean_it(
    root: str | None, name: str | None, options: list[str], tmp_path: Path
) -> None:
    session = context_of({"HOME": str(tmp_path), "DENIZEN_ROOT": "/srv/known"}, root).session
    assert options_for(session, profile_of(session, name)) == options


def test_a_users_profile_is_in_the_users_state(tmp_path: Path) -> None:
    session = context_of({}, str(tmp_path)).session
    assert os.fsdecode(profile_of(session, None).place) == f"{tmp_path}/state/profiles/profile"


def test_a_profile_that_others_could_replace_is_not_changed(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with Store.create(os.fsencode(tmp_path / "store")) as store, store.working() as work:
        profile = profile_at(b"/nowhere", f"{shared}/mine")
        with pytest.raises(Untrusted, match="shared"):
            changed(profile, store, work, lambda before: before)
