"""`denizen loader`: installed where no interpreter is, and nowhere else."""

import json
import os
import sys
from pathlib import Path

import pytest

from denizen.cli.dispatch import dispatch
from denizen.launch.loader import binaries
from denizen.launch.loader.loader_settings import settings_of
from denizen.machines import interpreter_of_kernel
from tests.support.compiled_loaders import compile_loader


class InstallPrefix:
    """A prefix to install below, and a root with denizen's state."""

    def __init__(self, directory: Path) -> None:
        self.prefix, self.root = directory / "prefix", directory / "root"
        self.path = self.prefix / os.fsdecode(interpreter_of_kernel(os.uname().machine)).lstrip("/")

    def run(self, *arguments: str) -> int:
        return dispatch(["loader", *arguments, "--prefix", str(self.prefix), "--root", str(self.root)])

    def status(self, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
        capsys.readouterr()
        assert self.run("status", "--json") == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InstallPrefix:
    compile_loader(tmp_path / f"denizen-loader-{os.uname().machine}")
    monkeypatch.setattr(binaries, "__file__", str(tmp_path / "binaries.py"))
    return InstallPrefix(tmp_path)


def test_installed_it_reads_the_users_decisions(
    prefix: InstallPrefix, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prefix.run("install") == 0
    # Root's loader also serves what root starts and what then gives up root's rights.
    names = (b"/state/decisions", b"/state/public") if os.geteuid() == 0 else (b"/state/decisions",)
    found = settings_of(prefix.path.read_bytes()).directories
    assert found == tuple(bytes(prefix.root) + name for name in names)
    assert prefix.path.stat().st_mode & 0o777 == 0o755
    assert prefix.status(capsys)["state"] == "denizen's loader"


def test_installed_again_it_gets_the_new_settings(
    prefix: InstallPrefix, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prefix.run("install") == 0
    assert prefix.run("install", "--decisions", "/var/lib/denizen/%u", "--decisions", "/other") == 0
    assert prefix.status(capsys)["decisions"] == ["/var/lib/denizen/%u", "/other"]


@pytest.mark.parametrize("verb", ["install", "uninstall"])
@pytest.mark.parametrize("link", [False, True])
def test_a_real_interpreter_is_never_touched(
    prefix: InstallPrefix, capsys: pytest.CaptureFixture[str], verb: str, *, link: bool
) -> None:
    prefix.path.parent.mkdir(parents=True)
    if link:
        prefix.path.symlink_to("ld-2.36.so")  # dangling, even so
    else:
        prefix.path.write_bytes(b"\x7fELF the host's")
    assert prefix.run(verb) == 125
    assert "this host's own dynamic linker" in capsys.readouterr().err
    assert prefix.path.is_symlink() if link else prefix.path.read_bytes() == b"\x7fELF the host's"


def test_uninstalled_nothing_is_left(prefix: InstallPrefix, capsys: pytest.CaptureFixture[str]) -> None:
    assert prefix.run("install") == 0
    assert prefix.run("uninstall") == 0
    assert prefix.status(capsys)["state"] == "nothing is there"
    assert prefix.run("uninstall") == 125
    assert "no denizen loader is installed" in capsys.readouterr().err


def test_without_a_compiled_loader_the_remedy_is_told(
    prefix: InstallPrefix, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "__file__", str(prefix.root / "nowhere" / "binaries.py"))
    assert prefix.run("install") == 125
    assert "make loader" in capsys.readouterr().err
    assert not prefix.path.exists()


def test_a_prefix_that_cannot_be_written_is_named(
    prefix: InstallPrefix, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix.prefix.write_text("a file in its place")
    assert prefix.run("install") == 125
    assert "cannot change" in capsys.readouterr().err


def test_nix_ld_is_followed_only_where_that_was_asked_for(prefix: InstallPrefix) -> None:
    assert prefix.run("install") == 0
    assert not settings_of(prefix.path.read_bytes()).nix_ld
    assert prefix.run("install", "--nix-ld") == 0
    assert settings_of(prefix.path.read_bytes()).nix_ld


@pytest.mark.skipif(os.geteuid() != 0, reason="installs as root")
def test_root_installs_no_helper_that_others_may_change(
    prefix: InstallPrefix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "bin" / "python"
    theirs.parent.mkdir()
    theirs.write_text("#!/bin/sh\n")
    monkeypatch.setattr(sys, "executable", str(theirs))
    assert prefix.run("install") == 0
    os.chown(theirs.parent, 12345, 12345)
    assert prefix.run("install") == 125
    assert f"others than root may change {theirs.parent}" in capsys.readouterr().err
    assert prefix.run("install", "--decisions", "/var/lib/decisions") == 0


@pytest.mark.parametrize("link", ["{outside}", "../outside", "/outside"])
def test_links_of_the_system_below_the_prefix_lead_nowhere_out_of_it(
    prefix: InstallPrefix, tmp_path: Path, link: str
) -> None:
    """The prefix may be an unpacked image, and root must not write where its links lead."""
    outside = tmp_path / "outside"
    outside.mkdir()
    prefix.prefix.mkdir()
    top = prefix.prefix / prefix.path.relative_to(prefix.prefix).parts[0]
    top.symlink_to(link.format(outside=outside))
    assert prefix.run("install") == 125
    assert list(outside.iterdir()) == []
    inside = prefix.prefix / link.format(outside=outside).replace("..", "").lstrip("/")
    inside.mkdir(parents=True)
    assert prefix.run("install") == 0
    assert list(outside.iterdir()) == []
    installed = inside / prefix.path.relative_to(top)
    assert settings_of(installed.read_bytes()).directories
    assert prefix.run("uninstall") == 0
    assert not installed.exists()


def test_a_prefix_is_shown_without_its_control_characters(
    prefix: InstallPrefix, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix.prefix = prefix.prefix.with_name("a\x1b[31m")
    assert [prefix.run(word) for word in ("install", "status", "uninstall")] == [0, 0, 0]
    shown = capsys.readouterr()
    assert "a\\x1b[31m" in shown.err
    assert "\x1b" not in shown.err + shown.out
