"""Which commands are shown to a program: those it names, that this host lacks, and that somebody has."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from denizen.fileview import MemoryView
from denizen.launch.resources.command_paths import COMMON, command_paths
from tests.support.peers import require

_NAMES = """
int execv(const char *, char *const *);
const char *volatile a = "/usr/bin/m4", *volatile b = "see /usr/bin/env(1)", *volatile c = "/usr/bin/../x",
    *volatile d = "/usr/local/bin/e", *volatile f = "/sbin/mkfs.ext4", *volatile g = "/usr/bin/";
"""
_STARTS = _NAMES + "void _start(void) { execv(a, 0); }"
_SILENT = _NAMES + "void _start(void) { }"
_STATIC = ("-static", "-nostdlib")
_DYNAMIC = ("-nostartfiles", "-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2")
_NAMED = (b"/usr/bin/m4", b"/sbin/mkfs.ext4")


def _shown(
    tmp_path: Path, source: str, flags: tuple[str, ...], host: Mapping[bytes, bytes] | None = None
) -> tuple[bytes, ...]:
    require("gcc")
    text = tmp_path / "program.c"
    text.write_text(source)
    subprocess.run(["gcc", "-w", "-o", tmp_path / "program", text, *flags], check=True)
    view = MemoryView({b"/program": (tmp_path / "program").read_bytes(), **(host or {})})
    return command_paths(view, (b"/program",), lambda name: name != b"nobody")


def test_a_program_that_starts_others_gets_those_it_names_and_the_common_ones(tmp_path: Path) -> None:
    assert set(_shown(tmp_path, _STARTS, _DYNAMIC)) == {*COMMON, *_NAMED}


def test_one_that_imports_nothing_to_start_others_with_gets_none(tmp_path: Path) -> None:
    assert _shown(tmp_path, _SILENT, _DYNAMIC) == ()


def test_a_static_program_is_known_by_its_strings_alone(tmp_path: Path) -> None:
    assert set(_shown(tmp_path, _SILENT, _STATIC)) == set(_NAMED)


def test_one_that_searches_path_gets_the_bare_names_that_a_package_has(tmp_path: Path) -> None:
    source = (
        _NAMES
        + """
    int execvp(const char *, char *const *);
    const char *volatile h = "git", *volatile i = "nobody", *volatile j = "git status", *volatile k = "m4";
    void _start(void) { execvp(h, 0); }
    """
    )
    require("gcc")
    (tmp_path / "program.c").write_text(source)
    subprocess.run(["gcc", "-w", "-o", tmp_path / "program", tmp_path / "program.c", *_DYNAMIC], check=True)
    view = MemoryView({b"/program": (tmp_path / "program").read_bytes()})
    known = {b"git", b"m4", b"mkfs.ext4"}
    shown = command_paths(view, (b"/program",), lambda name: name in known)
    assert set(shown) == {*COMMON, *_NAMED, b"/usr/bin/git"}
    # Where no index can tell, a word is no command.
    assert b"/usr/bin/git" not in command_paths(view, (b"/program",), lambda _: None)


def test_a_script_gets_the_common_ones() -> None:
    assert command_paths(MemoryView({}), (), lambda _: True) == COMMON


@pytest.mark.parametrize("entries", [1, 100])
def test_what_is_there_stays_and_a_full_directory_too(tmp_path: Path, entries: int) -> None:
    host = {b"/bin/sh": b"", b"/usr/bin/env": b""} | {b"/usr/bin/%d" % n: b"" for n in range(entries)}
    shown = _shown(tmp_path, _STARTS, _DYNAMIC, host)
    assert set(shown) == (set(_NAMED) if entries == 1 else {b"/sbin/mkfs.ext4"})


def test_where_all_directories_are_full_no_object_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of 6 MB takes longer to search for strings than its start."""
    directories = (b"/usr/bin", b"/usr/sbin", b"/bin", b"/sbin")
    view = MemoryView({b"%b/%d" % (place, n): b"" for place in directories for n in range(100)})
    monkeypatch.setattr(MemoryView, "read", lambda *_: pytest.fail("read"))
    assert command_paths(view, (b"/program",), lambda _: pytest.fail("asked")) == ()


def test_what_nobody_has_is_not_shown(tmp_path: Path) -> None:
    assert set(_shown(tmp_path, _STARTS.replace("/m4", "/nobody"), _DYNAMIC)) == {*COMMON, b"/sbin/mkfs.ext4"}
