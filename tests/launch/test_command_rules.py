"""Commands about the host itself are not brought; each rule says why."""

import pytest

from denizen.launch.command_rules import (
    command_rules,
    is_essential,
    kept_out_reason,
    unseen_reason,
)


@pytest.mark.parametrize("name", [b"sudo", b"nvidia-smi", b"systemctl", b"apt-get", b"dpkg"])
def test_what_acts_on_the_host_itself_is_kept_out_with_the_reason(name: bytes) -> None:
    assert kept_out_reason(name)


@pytest.mark.parametrize("name", [b"git", b"sh", b"perl", b"suricata", b"apple", b"\xff"])
def test_what_works_on_files_is_brought(name: bytes) -> None:
    assert kept_out_reason(name) == ""


def test_the_rules_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A static program of 220 MB has 14,000 names, and each parsed the table anew: 100 s for one start."""
    unseen_reason(b"gcc"), is_essential(b"ls")
    monkeypatch.setattr("denizen.launch.command_rules.packaged_toml", None)
    assert unseen_reason(b"clang")
    assert is_essential(b"chmod")


def test_every_rule_has_a_reason() -> None:
    assert all(rule.commands and rule.reason for rule in command_rules())


@pytest.mark.parametrize("name", [b"gcc", b"python3.12", b"firefox-esr", b"xdg-open"])
def test_programs_do_not_see_what_they_look_for_and_do_without(name: bytes) -> None:
    assert unseen_reason(name)


@pytest.mark.parametrize("name", [b"ld", b"gold", b"as"])
def test_linkers_and_assemblers_are_no_compilers(name: bytes) -> None:
    """A script that makes machine code looks for the one and the other before it executes both."""
    assert unseen_reason(name) == ""


@pytest.mark.parametrize("name", [b"chmod", b"sort", b"uname", b"sh"])
def test_programs_see_what_every_system_has(name: bytes) -> None:
    assert is_essential(name)
    assert unseen_reason(name) == kept_out_reason(name) == ""


@pytest.mark.parametrize("name", [b"ld", b"xdg-user-dir", b"javac", b"sorted", b"\xff"])
def test_no_system_need_have_another_tool(name: bytes) -> None:
    assert not is_essential(name)


@pytest.mark.parametrize("name", [b"gdb", b"Xvfb", b"git", b"gccgo", b"ruby", b"php", b"lua", b"\xff"])
def test_programs_see_what_they_need(name: bytes) -> None:
    assert unseen_reason(name) == ""
