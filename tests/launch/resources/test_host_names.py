"""What says where names of hosts are looked up appears on a root that says nothing."""

from denizen.fileview import MemoryView
from denizen.launch.resources.host_names import missing_host_names

_TREE = b"/store/netbase"
_NETBASE = {_TREE + b"/etc/services": b"https 443/tcp\n"}


def test_a_root_with_nothing_gets_a_localhost_and_is_told_to_look_for_it_first() -> None:
    made = missing_host_names(MemoryView(_NETBASE), [b"/store/libc", _TREE])
    assert made[b"/etc/hosts"].startswith(b"127.0.0.1 localhost\n")
    assert b"hosts: files dns\n" in made[b"/etc/nsswitch.conf"]


def test_what_the_host_says_stays() -> None:
    services = {b"/etc/nsswitch.conf": b"hosts: dns\n"}
    assert list(missing_host_names(MemoryView(_NETBASE | services), [_TREE])) == [b"/etc/hosts"]
    assert missing_host_names(MemoryView(_NETBASE | {b"/etc/hosts": b"::1 me\n"}), [_TREE]) == {}


def test_a_program_that_looks_up_no_names_gets_nothing() -> None:
    assert missing_host_names(MemoryView({b"/store/libc/lib/libc.so.6": b""}), [b"/store/libc"]) == {}
