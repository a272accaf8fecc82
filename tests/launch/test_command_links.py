"""The links to commands: what is shown, refused and forgotten."""

from pathlib import Path

import pytest

from denizen.launch.command_links import Denial, commands_of, is_command
from denizen.launch.dlopen_record import forget_all_denied


@pytest.mark.parametrize("name", [b"sh", b"[", b"g++-13", b"mkfs.ext4", b"x" * 100])
def test_names_of_commands(name: bytes) -> None:
    assert is_command(name)


@pytest.mark.parametrize(
    "name", [b"", b".", b"..", b"-x", b"a/b", b".absent", b"x\n", b"x" * 101, "ü".encode()]
)
def test_names_that_leave_the_directory_or_are_none(name: bytes) -> None:
    assert not is_command(name)


def test_a_command_that_was_refused_is_asked_for_again_after_an_update(tmp_path: Path) -> None:
    links = commands_of(bytes(tmp_path))
    assert links.denied(b"sh") is None
    links.deny(b"sh", "no package has it")
    assert links.denied(b"sh") == Denial("no package has it")
    links.deny(b"gdb", "it is 120 MB", "gdb")
    links.keep_out(b"gdb", "denizen: gdb was not brought\n")
    assert links.denied(b"gdb") == Denial("it is 120 MB", "gdb")
    forget_all_denied(bytes(tmp_path), {})
    assert links.denied(b"sh") is None
    assert not [*tmp_path.glob("commands/.*/*")]


def test_a_link_is_replaced_whole(tmp_path: Path) -> None:
    links = commands_of(bytes(tmp_path))
    links.show(b"sh", b"/one")
    links.show(b"sh", b"/other")
    assert (tmp_path / "commands" / "sh").readlink() == Path("/other")
