"""Switches of a system in a directory: what a reader of /etc finds, before and after, and when killed."""

import os
import stat
import subprocess

import pytest

from denizen.app.profiles.profile_generations import NoEarlierGeneration
from denizen.app.system.system_access import system_store
from denizen.app.system.system_generations import GenerationInUse, deleted_generations, listed
from denizen.app.system.system_switch import (
    ActivationFailed,
    built,
    planned,
)
from denizen.store.collection import processes
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.collection.processes import ProcessCensus
from tests.support import system_profiles
from tests.support.kill_points import killed_at
from tests.support.system_profiles import FIRST_FILES, REQUEST, SECOND_FILES, SystemHome

FIRST = FIRST_FILES
SECOND = SECOND_FILES + '[etc.localtime]\ntext = "ours"\n'
SEEN_FIRST = {**system_profiles.SEEN_FIRST, "localtime": "zone"}
SEEN_SECOND = {**system_profiles.SEEN_SECOND, "localtime": "ours"}


def test_a_switch_shows_the_new_files_and_a_rollback_the_old_ones(home: SystemHome) -> None:
    first = home.switch(FIRST)
    assert first.plan.etc.kept == ("gone",)
    assert home.seen() == SEEN_FIRST
    conf = home.etc / "app" / "app.conf"
    assert conf.resolve().stat().st_mode & 0o777 == 0o600
    assert home.switch(SECOND).number == 2
    assert home.seen() == SEEN_SECOND
    assert not (home.etc / "app").exists()
    assert home.rollback().number == 1
    assert home.seen() == SEEN_FIRST
    assert (home.etc / "hosts").stat().st_mode & 0o777 == 0o640
    assert os.readlink(home.etc / "localtime") == "../zone"
    assert not (home.etc / "new").exists()
    with pytest.raises(NoEarlierGeneration):
        home.rollback()


def test_a_description_without_files_gives_everything_back(home: SystemHome) -> None:
    before = home.seen()
    home.switch(FIRST)
    home.switch("")
    assert home.seen() == before
    assert sorted(os.listdir(home.etc)) == ["gone", "hosts", "localtime"]


def test_one_description_is_one_object_and_a_second_switch_changes_nothing(home: SystemHome) -> None:
    one = home.switch(FIRST)
    view = os.readlink(home.etc / "static")
    assert built(home.access, home.spec(FIRST), REQUEST) == one.tree
    again = home.switch(FIRST)
    assert again.plan.is_nothing
    assert (again.number, again.tree) == (1, one.tree)
    assert os.readlink(home.etc / "static") == view


def test_what_was_changed_by_hand_is_put_right_again(home: SystemHome) -> None:
    home.switch(FIRST)
    (home.etc / "motd").unlink()
    (home.etc / "motd").write_text("mine")
    (home.etc / "app" / "app.conf").write_text("spoilt")
    plan = home.switch(FIRST).plan
    assert (plan.etc.added, plan.etc.kept, plan.etc.remade) == (("motd",), ("motd",), ("app/app.conf",))
    assert home.seen() == SEEN_FIRST
    home.switch("")
    assert (home.etc / "motd").read_text() == "mine"


def test_a_link_that_became_a_file_stays_where_the_description_drops_it(home: SystemHome) -> None:
    home.switch(FIRST)
    (home.etc / "motd").unlink()
    (home.etc / "motd").write_text("mine")
    assert home.switch("").plan.etc.foreign == ("motd",)
    assert (home.etc / "motd").read_text() == "mine"


def test_an_older_description_is_a_new_generation(home: SystemHome) -> None:
    numbers = [home.switch(text).number for text in (FIRST, SECOND, FIRST)]
    assert numbers == [1, 2, 3]
    assert home.rollback().number == 2


def test_a_test_is_active_and_does_not_boot(home: SystemHome) -> None:
    home.switch(FIRST)
    home.switch(SECOND, as_default=False)
    assert home.seen() == SEEN_SECOND
    rows = [(one.generation.number, one.is_default, one.is_active) for one in listed(home.access)]
    assert rows == [(1, True, False), (2, False, True)]
    for number, state in (("1", "the default one"), ("2", "active")):
        with pytest.raises(GenerationInUse) as refused:
            deleted_generations(home.access, [number])
        assert refused.value.state == state
        assert refused.value.remedy == "denizen system rollback N first"
    assert home.switch(SECOND).number == 2


def test_a_dry_run_changes_nothing_and_tells_the_plan(home: SystemHome) -> None:
    home.switch(FIRST)
    before = sorted(str(one) for one in home.etc.rglob("*"))
    plan = planned(home.access, home.spec(SECOND), REQUEST).plan
    assert plan.etc.added == ("hosts", "localtime", "new/deep/file")
    assert plan.etc.kept == ("hosts", "localtime")
    assert (plan.etc.remade, plan.etc.restored) == (("motd",), ("gone",))
    assert sorted(str(one) for one in home.etc.rglob("*")) == before
    assert home.seen() == SEEN_FIRST


@pytest.mark.parametrize("number", [1, 2])
def test_a_step_that_fails_leaves_the_former_generation(
    home: SystemHome, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    if number == 2:
        home.switch(FIRST)
    before = home.seen()
    rename, calls = os.rename, []

    def failing(source: bytes, target: bytes, **where: int) -> None:
        calls.append(target)
        if target == b"static" and calls.count(b"static") == 2:
            raise OSError(28, "No space left on device")
        rename(source, target, **where)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(ActivationFailed) as failure:
        home.switch(SECOND)
    assert "No space left" in failure.value.why
    assert "active again" in failure.value.why
    monkeypatch.undo()
    assert home.seen() == before
    assert len(listed(home.access)) == number - 1


def test_a_failure_in_boot_takes_the_files_of_etc_back(home: SystemHome) -> None:
    (home.directory / "k").write_text("kernel")
    home.switch(FIRST)
    (home.target / "boot").write_text("no directory")
    with pytest.raises(ActivationFailed):
        home.switch(SECOND + '[boot]\nkernel = { source = "k" }\n')
    assert home.seen() == SEEN_FIRST
    assert [one.is_active for one in listed(home.access)] == [True]


def test_a_killed_switch_shows_one_generation_whole_and_can_be_gone_back_from(home: SystemHome) -> None:
    home.switch(FIRST)
    home.switch(SECOND)
    home.rollback()
    outcomes = []
    # The files of /etc alone, at many more steps: tests/system/test_etc_views.py.
    for count in range(1, 500, 9):
        ended = killed_at(count, lambda: home.switch(SECOND))
        seen = home.seen()
        assert seen in (SEEN_FIRST, SEEN_SECOND), count
        outcomes.append(seen == SEEN_SECOND)
        home.rollback(1)
        assert home.seen() == SEEN_FIRST, count
        assert (home.etc / "hosts").stat().st_mode & 0o777 == 0o640
        assert os.readlink(home.etc / "localtime") == "../zone"
        if ended:
            break
    assert ended
    assert {True, False} == set(outcomes)


def test_a_kill_in_the_first_switch_leaves_what_was_there(home: SystemHome) -> None:
    before = home.seen()
    after = {**before, "motd": "one", "app/app.conf": "answer", "gone": "gone"}
    built(home.access, home.spec(FIRST), REQUEST)
    for count in range(3, 60, 5):
        killed_at(count, lambda: home.switch(FIRST))
        assert home.seen() in (before, after), count
        home.switch("")
        assert home.seen() == before, count


ACCOUNTS = """
[users.app]
uid = 900
[groups.shared]
gid = 901
[directories."/var/lib/app"]
mode = "0750"
user = "app"
group = "shared"
[etc.key]
text = "secret"
mode = "0640"
group = "shared"
"""


def test_accounts_come_first_and_own_what_follows(home: SystemHome) -> None:
    plan = home.switch(ACCOUNTS).plan
    assert plan.accounts.added == ("group shared (901)", "group app (900)", "user app (900)")
    facts = (home.target / "var/lib/app").stat()
    key = (home.etc / "key").stat()
    assert stat.S_IMODE(facts.st_mode) == 0o750
    if os.geteuid() == 0:
        assert (facts.st_uid, facts.st_gid, key.st_uid, key.st_gid) == (900, 901, 0, 901)
    else:
        assert any("owners" in note for note in plan.notes)
    assert home.switch(ACCOUNTS).plan.is_nothing
    home.switch("")
    assert "app:x:900" in (home.etc / "passwd").read_text()
    assert facts == (home.target / "var/lib/app").stat()


UNIT = """
[units."app.service"]
text = "[Service]\\nExecStart=/bin/%s\\n[Install]\\nWantedBy=multi-user.target\\n"
enable = true
"""


def test_units_are_enabled_and_a_plan_is_told_where_no_systemd_runs(home: SystemHome) -> None:
    home.switch(UNIT % "true")
    wants = home.etc / "systemd/system/multi-user.target.wants/app.service"
    assert "ExecStart=/bin/true" in wants.read_text()
    change = home.switch(UNIT % "false")
    assert change.plan.units.restart == ("app.service",)
    assert change.plan.commands == ()
    assert (
        "systemctl try-restart app.service: not done, as no systemd runs in the target" in change.plan.notes
    )
    drop_in = '[etc."systemd/system/app.service.d/more.conf"]\ntext = "[Service]\\nNice=3\\n"\n'
    assert home.switch(UNIT % "false" + drop_in).plan.units.restart == ("app.service",)


@pytest.mark.peer
def test_systemd_reads_the_units_through_the_links(home: SystemHome) -> None:
    from tests.support.peers import require

    require("systemctl")
    home.switch(UNIT % "true")
    words = ["systemctl", f"--root={home.target}", "is-enabled", "app.service"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "enabled", done.stderr


BOOT = """
name = "box"
[etc.motd]
text = "%s"
[boot]
kernel = { source = "k" }
initrd = %s
options = ["quiet"]
"""


def test_boot_entries_are_of_every_generation_that_is_left(home: SystemHome) -> None:
    (home.directory / "k").write_text("kernel")
    (home.directory / "i").write_text("initrd")
    home.switch(BOOT % ("one", '{ source = "i" }'))
    home.switch(BOOT % ("two", '"closure"'))
    boot = home.target / "boot"
    entries = boot / "loader/entries"
    assert sorted(os.listdir(entries)) == [f"denizen-box-generation-{n}.conf" for n in (1, 2)]
    assert (boot / "loader/loader.conf").read_text() == "default denizen-box-generation-2.conf\n"
    assert len(os.listdir(boot / "denizen")) == 3  # one kernel, two archives
    fields = dict(
        line.split(" ", 1) for line in (entries / "denizen-box-generation-1.conf").read_text().splitlines()
    )
    assert (boot / fields["linux"].lstrip("/")).read_text() == "kernel"
    assert (boot / fields["initrd"].lstrip("/")).read_text() == "initrd"
    script = fields["options"].split()[0].removeprefix("init=")
    assert (home.target / script.lstrip("/")).exists()
    home.rollback()
    assert (boot / "loader/loader.conf").read_text() == "default denizen-box-generation-1.conf\n"
    assert deleted_generations(home.access, ["old"]) == [2]
    assert os.listdir(entries) == ["denizen-box-generation-1.conf"]
    assert len(os.listdir(boot / "denizen")) == 2
    assert "generation-2" not in (boot / "grub/custom.cfg").read_text()


def test_generations_are_roots_from_inside_the_target_too(
    home: SystemHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "held_by_processes", lambda _: ProcessCensus({}, 0))
    home.switch(FIRST)
    home.switch(SECOND)
    moved = home.directory / "seen-from-inside"
    home.target.rename(moved)
    home.target = moved
    home.etc = moved / "etc"
    with system_store(home.access) as store:
        collect(store, Limits())
    home.rollback()
    assert home.seen() == SEEN_FIRST
    deleted_generations(home.access, ["old"])
    with system_store(home.access) as store:
        collect(store, Limits())
        names = [path.name for path in store.database.paths()]
    assert names.count("denizen-system-system") == 1


def test_the_environment_is_what_a_shell_reads(home: SystemHome) -> None:
    home.switch('[environment]\nWORDS = "it\'s $HOME `x` \\\\"\n')
    script = home.etc / "profile.d" / "denizen-system.sh"
    done = subprocess.run(
        ["sh", "-c", f'. {script}; printf %s "$WORDS"'], capture_output=True, text=True, check=True
    )
    assert done.stdout == "it's $HOME `x` \\"
