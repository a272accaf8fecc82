"""What a switch refuses, before anything is done."""

import os

import pytest

from denizen.app.system.system_access import NoTarget, system_at
from denizen.app.system.system_build import NoSuchOrigin
from denizen.app.system.system_switch import ActivationFailed
from denizen.store.errors import DiskFailed
from denizen.system.activation import NoSuchOwner
from denizen.system.etc_plan import EtcConflict
from denizen.system.etc_views import NotOursToSwitch
from denizen.system.spec_reader import BadSystemSpec
from denizen.trust import Untrusted
from tests.support.command_context import context_of
from tests.support.system_profiles import SystemHome

FILES = """
[etc.motd]
text = "one"
[etc."app/app.conf"]
text = "answer"
"""


def test_a_directory_in_the_way_is_told_before_anything_is_done(home: SystemHome) -> None:
    (home.etc / "motd" / "d").mkdir(parents=True)
    (home.etc / "app").symlink_to("..")
    with pytest.raises(EtcConflict) as failure:
        home.switch(FILES)
    assert [path for path, _ in failure.value.places] == ["app/app.conf", "motd"]
    assert not (home.etc / ".denizen").exists()


def test_links_of_the_target_lead_nowhere_outside(home: SystemHome) -> None:
    outside = home.directory / "outside"
    outside.mkdir()
    (home.etc / "app").symlink_to(outside)
    with pytest.raises(EtcConflict):
        home.switch(FILES)
    (home.target / "boot").symlink_to(outside)
    (home.directory / "k").write_text("kernel")
    with pytest.raises(ActivationFailed):
        home.switch('[boot]\nkernel = { source = "k" }\n')
    assert not os.listdir(outside)


def test_etc_that_is_a_link_is_refused(home: SystemHome) -> None:
    home.etc.rename(home.target / "real")
    home.etc.symlink_to("real")
    with pytest.raises(DiskFailed):
        home.switch(FILES)


def test_another_programs_static_is_left_alone(home: SystemHome) -> None:
    (home.etc / "static").symlink_to("/nix/store/x/etc")
    with pytest.raises(NotOursToSwitch):
        home.switch(FILES)
    assert os.readlink(home.etc / "static") == "/nix/store/x/etc"


def test_a_target_that_others_may_write_to_is_refused(home: SystemHome) -> None:
    home.target.chmod(0o777)
    with pytest.raises(Untrusted):
        home.switch(FILES)
    with pytest.raises(NoTarget):
        system_at(context_of({"HOME": "/"}, None).session, str(home.directory / "nowhere"))


def test_a_source_is_beside_the_description_and_no_link(home: SystemHome) -> None:
    (home.directory / "secret").symlink_to("/etc/hostname")
    for source, said in (("secret", "links are not followed"), ("nowhere", "no such file")):
        with pytest.raises(NoSuchOrigin, match=said):
            home.switch(f'[etc.x]\nsource = "{source}"\n')
    (home.directory / "tool").write_text("#!/bin/sh\n")
    (home.directory / "tool").chmod(0o755)
    home.switch('[etc.x]\nsource = "tool"\n')
    assert os.access(home.etc / "x", os.X_OK)


def test_an_owner_that_nobody_makes_is_told_before_anything_is_done(home: SystemHome) -> None:
    with pytest.raises(NoSuchOwner, match="cannot belong to nobody-here"):
        home.switch('[etc.x]\ntext = ""\nuser = "nobody-here"\n')
    assert not (home.etc / ".denizen").exists()


def test_denizens_own_texts_are_not_described_twice(home: SystemHome) -> None:
    with pytest.raises(BadSystemSpec, match="denizen's own"):
        home.switch('[environment]\nA = "b"\n[etc."profile.d/denizen-system.sh"]\ntext = ""\n')
