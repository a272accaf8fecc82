"""What of /etc comes from the host."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import denizen.fhs
from denizen.fhs.host_etc import HOST, NAMES, EtcFile, EtcJoined, EtcLink, User, files, nsswitch
from denizen.formats.sysusers import AccountRequest

ALICE = User(b"alice", 1000, 1000, b"/home/alice")
PASSWD = b"root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/zsh\n"
GROUP = b"root:x:0:\nalice:x:1000:\n"


def made(
    host: Mapping[bytes, bytes],
    tree: Mapping[bytes, bytes] = MappingProxyType({}),
    requests: Sequence[AccountRequest] = (),
) -> dict[bytes, EtcFile | EtcJoined | EtcLink]:
    return files(host.get, lambda name: name in host, ALICE, lambda _: False, tree.get, requests=requests)


def test_the_hosts_files_are_led_to_so_that_changes_show() -> None:
    found = made({b"passwd": PASSWD, b"group": GROUP, b"resolv.conf": b"nameserver 1.1.1.1\n"})
    assert found[b"passwd"] == EtcLink(HOST + b"/etc/passwd")
    assert found[b"group"] == EtcLink(HOST + b"/etc/group")
    assert found[b"resolv.conf"] == EtcLink(HOST + b"/etc/resolv.conf")
    assert b"machine-id" not in found


def test_a_user_the_hosts_files_do_not_know_gets_a_line() -> None:
    found = made({b"passwd": b"root:x:0:0::/root:/bin/sh\n", b"group": b"root:x:0:\n"})
    assert found[b"passwd"] == EtcFile(
        b"root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/bash\n"
    )
    assert found[b"group"] == EtcFile(b"root:x:0:\nalice:x:1000:\n")


def test_a_host_with_nothing_gets_defaults() -> None:
    found = made({})
    assert isinstance(found[b"hosts"], EtcFile)
    assert found[b"localtime"] == EtcLink(b"/usr/share/zoneinfo/UTC")
    assert found[b"nsswitch.conf"] == EtcFile(
        b"passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
    )


def test_on_a_host_without_accounts_a_tree_has_those_of_any_system() -> None:
    """Postfix gives its rights to `nobody`, whom it does not find in a passwd of root and the user alone."""
    system = {b"passwd": b"root:*:0:0::/:\nnobody:*:65534:65534::/:\n", b"group": b"root:*:0:\nmail:*:8:\n"}
    found = made({}, system)
    assert found[b"passwd"] == EtcFile(system[b"passwd"] + ALICE.line)
    assert found[b"group"] == EtcFile(system[b"group"] + b"alice:x:1000:\n")
    assert made({b"passwd": PASSWD, b"group": GROUP}, system)[b"passwd"] == EtcLink(HOST + b"/etc/passwd")


def test_accounts_of_packages_are_added_where_a_host_lacks_them() -> None:
    requests = [AccountRequest(b"mail", is_user=True, number=8), AccountRequest(b"alice", is_user=True)]
    lines = b"mail:x:8:8::/:/usr/sbin/nologin\n"
    found = made({b"passwd": PASSWD, b"group": GROUP}, requests=requests)
    assert found[b"passwd"] == EtcJoined(HOST + b"/etc/passwd", lines)
    assert found[b"group"] == EtcJoined(HOST + b"/etc/group", b"mail:x:8:\n")
    bare = made({}, {b"passwd": b"root:x:0:0::/:\n"}, requests)
    assert bare[b"passwd"] == EtcFile(b"root:x:0:0::/:\n" + ALICE.line + lines)


def test_services_without_a_module_go_with_their_actions() -> None:
    text = b"passwd: files systemd\nhosts: mymachines resolve [!UNAVAIL=return] files dns # usual\n"
    assert nsswitch(text, lambda _: False) == b"passwd: files\nhosts: files dns\n"
    assert b"resolve [!UNAVAIL=return] files" in nsswitch(text, lambda name: name == b"resolve")


def test_an_action_after_a_kept_service_stays() -> None:
    assert (
        nsswitch(b"hosts: files [NOTFOUND=return] dns\n", lambda _: False)
        == b"hosts: files [NOTFOUND=return] dns\n"
    )


def test_a_database_never_ends_up_without_a_service() -> None:
    assert nsswitch(b"passwd: sss\n", lambda _: False) == b"passwd: files\n"


def test_every_name_has_its_link_in_an_environment() -> None:
    rules = tomllib.loads((Path(denizen.fhs.__path__[0]) / "triggers.toml").read_text())
    linked = next(row["path"] for row in rules["link"] if row["target"] == "/.denizen/etc/{name}")
    # nsswitch.conf is made of the host's; the rest is what NAMES says.
    assert {f"etc/{name.decode()}" for name in NAMES} | {"etc/nsswitch.conf"} == set(linked)
