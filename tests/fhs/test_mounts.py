"""Plans: what is hidden, what is shown, and in which order."""

from pathlib import Path

from denizen.fhs.host_etc import EtcFile, EtcJoined, EtcLink
from denizen.fhs.mounts import BindMount, EnteredRoot, entering, sandbox, standing
from denizen.value import replace

LOADER = Path(__file__).parents[2] / "loader"
ENTRY = EnteredRoot(
    tree=b"/store/tree",
    etc={b"hosts": EtcLink(b"/.denizen/host/etc/hosts"), b"nsswitch.conf": EtcFile(b"passwd: files\n")},
    stage=b"/s",
    merged=(b"bin", b"lib"),
    top=(b"home", b"proc", b"tmp", b"usr"),
    bindings=(BindMount(b"/srv/data", b"/data"), BindMount(b"/x", b"/y/../z", optional=True)),
)


def has(plan: tuple[bytes, ...], *words: bytes) -> bool:
    return any(plan[at : at + len(words)] == words for at in range(len(plan)))


def test_the_root_is_built_aside_and_becomes_the_root_at_last() -> None:
    plan = entering(ENTRY)
    assert plan[:3] == (b"private", b"tmpfs", b"/s")
    assert plan[-4:] == (b"root", b"/s", b"readonly", b"/")


def test_usr_and_etc_are_the_trees_and_cannot_be_written() -> None:
    plan = entering(ENTRY)
    for name in (b"/usr", b"/etc"):
        assert has(plan, b"bind", b"/store/tree" + name, b"/s" + name, b"readonly", b"/s" + name)
    at = plan.index(b"entries")
    assert set(plan[at + 4 :][: int(plan[at + 3])]) >= {b"usr", b"etc", b"bin", b"lib64", b".denizen"}


def test_inside_a_link_says_which_environment_it_is() -> None:
    assert has(entering(ENTRY), b"symlink", b"/store/tree", b"/s/.denizen/tree")
    assert '"/.denizen/tree"' in (LOADER / "start.c").read_text()


def test_what_a_bare_root_lacks_is_made() -> None:
    plan = entering(ENTRY)
    assert has(plan, b"dir", b"/s/var")
    assert not has(plan, b"dir", b"/s/home")


def test_links_and_texts_make_the_hosts_side_of_etc() -> None:
    plan = entering(ENTRY)
    assert has(plan, b"symlink", b"/.denizen/host/etc/hosts", b"/s/.denizen/etc/hosts")
    assert has(plan, b"text", b"passwd: files\n", b"/s/.denizen/etc/nsswitch.conf")
    assert has(plan, b"symlink", b"usr/bin", b"/s/bin")


def test_a_hosts_file_with_lines_added_comes_after_the_hosts_etc() -> None:
    joined = EtcJoined(b"/.denizen/host/etc/passwd", b"a:x:1:1::/:\n")
    plan = entering(replace(ENTRY, etc={b"passwd": joined}))
    words = (b"joined", b"/s/.denizen/host/etc/passwd", joined.text, b"/s/.denizen/etc/passwd")
    assert has(plan, *words)
    assert plan.index(b"joined") > plan.index(b"/s/.denizen/host/etc")


def test_directories_of_state_are_made_for_who_enters_alone() -> None:
    entry = replace(ENTRY, state=(b"/run/a", b"/var/lib/b"))
    assert has(
        entering(entry), b"lacking", b"/s", b"/s/.denizen/state", b"2", b"/run/a", b"/var/lib/b", b"root"
    )
    assert b"lacking" not in standing(entry)
    assert b"lacking" not in entering(ENTRY)


def test_what_is_gone_when_a_machine_stops_can_be_written() -> None:
    assert has(entering(ENTRY), b"tmpfs", b"/s/run")
    assert not has(entering(ENTRY), b"tmpfs", b"/s/tmp")


def test_bindings_come_after_the_tree() -> None:
    plan = entering(ENTRY)
    assert has(plan, b"bind", b"/srv/data", b"/s/data")
    assert has(plan, b"offer", b"/x", b"/s/z")
    assert plan.index(b"/srv/data") > plan.index(b"/store/tree/usr")


def test_in_a_chroot_each_mount_is_set_apart_before_the_next() -> None:
    plan = standing(ENTRY)
    assert b"private" not in plan
    assert b"root" not in plan
    assert plan[-1] == b"check"
    for at, word in enumerate(plan):
        if word == b"bind":
            assert plan[at + 3 : at + 5] == (b"apart", b"/s")


def test_a_tool_sees_the_tree_alone_offline_and_writes_where_it_may() -> None:
    plan = sandbox(b"/t", b"/s", [b"usr/lib/locale"])
    assert plan[:2] == (b"private", b"offline")
    assert has(plan, b"bind", b"/t/usr", b"/s/usr", b"readonly", b"/s/usr")
    assert has(plan, b"bind", b"/t/usr/lib/locale", b"/s/usr/lib/locale")
    assert b"entries" not in plan
    assert plan.index(b"/t/usr/lib/locale") > plan.index(b"/t/usr")
