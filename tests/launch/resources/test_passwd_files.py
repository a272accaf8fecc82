"""A root that names no users gets files that name root, nobody and the user who runs programs."""

from denizen.fileview import MemoryView
from denizen.launch.resources.passwd_files import Owner, missing_accounts

_USER = Owner(4242, 100)


def test_the_own_user_has_a_name() -> None:
    made = missing_accounts(MemoryView({}), _USER)
    assert [line.split(b":")[:4] for line in made[b"/etc/passwd"].splitlines()] == [
        [b"root", b"x", b"0", b"0"],
        [b"nobody", b"x", b"65534", b"65534"],
        [b"user", b"x", b"4242", b"100"],
    ]
    assert b"user:x:100:\n" in made[b"/etc/group"]


def test_root_is_named_once() -> None:
    made = missing_accounts(MemoryView({}), Owner(0, 0))
    assert made[b"/etc/passwd"].count(b":0:0:") == made[b"/etc/group"].count(b":0:") == 1


def test_what_the_host_says_stays() -> None:
    assert missing_accounts(MemoryView({b"/etc/passwd": b""}), _USER) == {}
    assert list(missing_accounts(MemoryView({b"/etc/group": b""}), _USER)) == [b"/etc/passwd"]


def test_the_accounts_of_packages_are_in_them() -> None:
    view = MemoryView({b"/tree/usr/share/denizen/accounts": b"u own -\ng others 42\n"})
    made = missing_accounts(view, _USER, (b"/tree", b"/other"))
    assert made[b"/etc/passwd"].endswith(b"own:x:999:999::/:/usr/sbin/nologin\n")
    assert made[b"/etc/group"].endswith(b"own:x:999:\nothers:x:42:\n")
