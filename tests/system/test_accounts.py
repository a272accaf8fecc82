import os
import subprocess
from pathlib import Path

import pytest

from denizen.system.accounts import AccountConflict, AccountFiles, numbers_of, with_accounts
from denizen.system.declared_texts import SYSUSERS, declared_texts
from denizen.system.spec import GroupSpec, SystemSpec, UserSpec
from tests.support.peers import require

PASSWD = b"root:x:0:0:root:/root:/bin/sh\nold:x:900:900::/:/bin/false\n"
GROUP = b"root:x:0:\nold:x:900:\nvideo:x:44:root\n"
FILES = AccountFiles(PASSWD, GROUP, b"root:*:1::::::\n", b"video:!*::root\n")


def test_what_is_there_stays_and_what_is_missing_comes() -> None:
    users = [UserSpec("old", 5), UserSpec("app", groups=("video",)), UserSpec("own", 901, "video")]
    change = with_accounts(FILES, users, [GroupSpec("video", 45), GroupSpec("new")], 20000)
    passwd, group = change.files.passwd.decode(), change.files.group.decode()
    assert passwd.startswith(PASSWD.decode())
    assert passwd.splitlines()[2:] == [
        "app:x:998:998::/:/usr/sbin/nologin",
        "own:x:901:44::/:/usr/sbin/nologin",
    ]
    assert group == "root:x:0:\nold:x:900:\nvideo:x:44:root,app\nnew:x:999:\napp:x:998:\n"
    assert b"app:!*:20000::::::\n" in change.files.shadow
    assert change.files.gshadow == b"video:!*::root,app\nnew:!*::\napp:!*::\n"
    again = with_accounts(change.files, users, [GroupSpec("video"), GroupSpec("new")], 20001)
    assert (again.files, again.added) == (change.files, ())


def test_a_number_of_another_account_is_refused() -> None:
    with pytest.raises(AccountConflict, match=r"the user number 900 is old's"):
        with_accounts(FILES, [UserSpec("app", 900)], [], 1)
    with pytest.raises(AccountConflict, match=r"the group number 44 is video's"):
        with_accounts(FILES, [], [GroupSpec("app", 44)], 1)
    with pytest.raises(AccountConflict, match="no group nowhere"):
        with_accounts(FILES, [UserSpec("app", group="nowhere")], [], 1)


def test_lines_of_nis_stay_the_last_and_odd_lines_stay() -> None:
    files = AccountFiles(b"root:x:0:0:::\n\xff\xfe broken\n+::::::", b"")
    change = with_accounts(files, [UserSpec("app", 7)], [], 1)
    assert change.files.passwd == (
        b"root:x:0:0:::\n\xff\xfe broken\napp:x:7:7::/:/usr/sbin/nologin\n+::::::\n"
    )


def test_names_of_one_number_all_have_it() -> None:
    assert numbers_of(b"root:x:0:0\ntoor:x:0:0\nbad:x:zero\n") == {"root": 0, "toor": 0}


@pytest.mark.peer
def test_accounts_are_those_that_systemd_makes(tmp_path: Path) -> None:
    require("systemd-sysusers")
    users = (
        UserSpec("app", 900, "", "The app", "/var/lib/app", "/bin/sh", ("video",)),
        UserSpec("chosen"),
        UserSpec("in-video", 77, "video"),
    )
    spec = SystemSpec(users=users, groups=(GroupSpec("video", 44), GroupSpec("free")))
    etc = tmp_path / "etc"
    (etc / "sysusers.d").mkdir(parents=True)
    (etc / SYSUSERS).write_bytes(declared_texts(spec, "/sw")[SYSUSERS])
    done = subprocess.run(
        ["systemd-sysusers", f"--root={tmp_path}"], check=False, capture_output=True, text=True
    )
    if done.returncode and os.geteuid() != 0:
        pytest.skip(f"only root may give the files away: {done.stderr}")
    assert done.returncode == 0, done.stderr
    theirs_of_passwd, theirs_of_group = ((etc / name).read_bytes() for name in ("passwd", "group"))
    ours = with_accounts(AccountFiles(), spec.users, spec.groups, 1).files
    assert sorted(ours.passwd.splitlines()) == sorted(theirs_of_passwd.splitlines())
    assert sorted(ours.group.splitlines()) == sorted(theirs_of_group.splitlines())
