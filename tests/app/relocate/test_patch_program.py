"""Patching as an operation: what becomes of the file, its other names, its mode and attributes."""

import errno
import os
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from denizen.app.relocate import patch_program
from denizen.app.relocate.ld_so_list import LinkerDisagrees, compare_loading
from denizen.app.relocate.patch_program import (
    NoFileToPatch,
    NotPatched,
    NotPut,
    PatchRequest,
    facts,
    patch,
)
from denizen.app.relocate.store_guard import InStore
from denizen.app.relocate.trial_start import TrialEnd, TrialFailed, check_trial, tried
from denizen.cli.views.patch_view import lines
from denizen.elf import read
from denizen.errors import shell_word
from denizen.output_place import NoRoomForOutput
from denizen.relocate.errors import WrongPatch
from denizen.relocate.patch_changes import Changes
from denizen.store.local import Store
from tests.support.build_sandboxes import require_sandbox
from tests.support.command_context import context_of
from tests.support.elf_builder import Elf, build
from tests.support.peers import require

CONTENT = build(Elf(interpreter=b"/lib/ld.so.1", needed=(b"libc.so.6",), runpath=b"/opt/lib", machine=243))
LONGER = Changes(interpreter=b"/a/path/that/is/longer/than/the/old/one/ld.so")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_bytes(CONTENT)
    path.chmod(0o755)
    return path


def asked(program: Path, target: Path | None = None, **rest: object) -> PatchRequest:
    return PatchRequest(os.fsencode(program), os.fsencode(target or program), LONGER, **rest)  # type: ignore[arg-type]


def test_a_copy_is_written_and_the_program_stays(program: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    patch(asked(program, target))
    assert program.read_bytes() == CONTENT
    assert read(target.read_bytes()).interpreter == LONGER.interpreter
    assert stat.S_IMODE(target.stat().st_mode) == 0o755
    assert sorted(tmp_path.iterdir()) == [target, program]


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "free room on the disk of {directory}, or name a place on another"),
        (errno.EROFS, "--output FILE, in a directory of your own"),
        (errno.EACCES, "--output FILE, in a directory of your own"),
        (errno.EIO, ""),
    ],
)
def test_where_the_disk_refuses_the_new_file_the_old_one_stays_and_what_to_do_is_said(
    program: Path, code: int, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "writev", refused)
    with pytest.raises((NotPut, NoRoomForOutput)) as raised:
        patch(asked(program))
    assert raised.value.what == f"{program} cannot be written"
    assert os.strerror(code) in raised.value.why
    assert raised.value.remedy == remedy.format(directory=shell_word(str(program.parent)))
    assert program.read_bytes() == CONTENT
    assert [one.name for one in program.parent.iterdir()] == ["program"]


def test_a_copy_at_another_name_of_the_program_is_a_file_of_its_own(program: Path, tmp_path: Path) -> None:
    """Trees of hard links are copies (`cp -l`, uv, ostree): the one must not change with the other."""
    target = tmp_path / "linked"
    target.hardlink_to(program)
    program.chmod(0o4755)
    patch(asked(program, target))
    assert program.read_bytes() == CONTENT
    assert read(target.read_bytes()).interpreter == LONGER.interpreter
    assert [path.stat().st_nlink for path in (program, target)] == [1, 1]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (program, target)] == [0o4755, 0o755]
    assert sorted(tmp_path.iterdir()) == [target, program]


def test_all_names_of_a_file_lead_to_the_patched_one(program: Path, tmp_path: Path) -> None:
    """Replacing the file under one name would split them."""
    other = tmp_path / "other"
    other.hardlink_to(program)
    patch(asked(program))
    assert program.samefile(other)
    assert read(other.read_bytes()).interpreter == LONGER.interpreter


def test_a_file_of_several_names_keeps_what_the_kernel_takes_from_written_ones(
    program: Path, tmp_path: Path
) -> None:
    """Set-user-ID where an ordinary user writes, capabilities where anybody does."""
    (tmp_path / "other").hardlink_to(program)
    program.chmod(0o4751)
    capability = struct.pack("<5I", 0x0200_0001, 1 << 10, 0, 0, 0)  # version 2: cap_net_bind_service
    try:
        os.setxattr(program, "security.capability", capability)
    except OSError:
        capability = b""
    assert patch(asked(program)).lost == ()
    assert stat.S_IMODE(program.stat().st_mode) == 0o4751
    assert not capability or os.getxattr(program, "security.capability") == capability


def test_a_link_to_the_program_stays_a_link(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(program)
    patch(asked(link))
    assert link.is_symlink()
    assert read(program.read_bytes()).interpreter == LONGER.interpreter


def test_mode_and_attributes_are_kept_in_place(program: Path) -> None:
    program.chmod(0o4751)
    try:
        os.setxattr(program, "user.origin", b"somewhere")
    except OSError as problem:
        if problem.errno != errno.ENOTSUP:
            raise
        pytest.skip("this file system has no extended attributes")
    patch(asked(program))
    assert stat.S_IMODE(program.stat().st_mode) == 0o4751
    assert os.getxattr(program, "user.origin") == b"somewhere"


def test_a_copy_does_not_run_as_its_owner(program: Path, tmp_path: Path) -> None:
    program.chmod(0o4751)
    patch(asked(program, tmp_path / "copy"))
    assert stat.S_IMODE((tmp_path / "copy").stat().st_mode) == 0o751


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file capabilities")
def test_a_copy_has_no_capabilities(program: Path, tmp_path: Path) -> None:
    os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, 1 << 7, 0, 0, 0))
    patch(asked(program, tmp_path / "copy"))
    assert os.listxattr(tmp_path / "copy") == []
    patch(asked(program))
    assert os.listxattr(program) == ["security.capability"]


@pytest.mark.parametrize("leads_to", ["victim", "program", "nowhere"])
def test_a_link_planted_where_the_copy_is_to_be_leads_to_nothing_written(
    program: Path, tmp_path: Path, leads_to: str
) -> None:
    victim, target = tmp_path / "victim", tmp_path / "shared" / "copy"
    victim.write_text("somebody's")
    target.parent.mkdir()
    target.symlink_to(tmp_path / leads_to)
    patch(asked(program, target))
    assert not target.is_symlink()
    assert read(target.read_bytes()).interpreter == LONGER.interpreter
    assert (victim.read_text(), program.read_bytes()) == ("somebody's", CONTENT)
    assert not (tmp_path / "nowhere").exists()


def test_what_is_wrong_is_not_written(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise WrongPatch("made wrong for a test")

    monkeypatch.setattr(patch_program, "verify_patch", wrong)
    with pytest.raises(WrongPatch):
        patch(asked(program))
    assert program.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [program]


@pytest.mark.parametrize(
    ("said_of_the_new", "asked_for", "unfound"),
    [("libx.so => /lib/libx.so", ["new"], ()), ("libx.so => not found", ["new", "old"], (b"libx.so",))],
    ids=["found", "not found"],
)
def test_the_linker_is_asked_about_the_old_file_where_the_new_one_lacks_something(
    tmp_path: Path, said_of_the_new: str, asked_for: list[str], unfound: tuple[bytes, ...]
) -> None:
    linker, log = tmp_path / "linker", tmp_path / "log"
    linker.write_text(
        f"#!/bin/sh\necho ${{2##*/}} >> {shell_word(bytes(log))}\n"
        f"case $2 in *new) echo '{said_of_the_new}';; *) echo 'libx.so => /lib/libx.so';; esac\n"
    )
    linker.chmod(0o755)
    paths = [os.fsencode(path) for path in (linker, tmp_path / "target", tmp_path / "old", tmp_path / "new")]
    assert compare_loading(*paths) == (unfound, True)
    assert log.read_text().split() == asked_for


def test_a_library_is_missed_that_ends_the_linker(tmp_path: Path) -> None:
    """ld.so lists nothing where a library of a library is not found any more."""
    linker = tmp_path / "linker"
    linker.write_text(
        "#!/bin/sh\ncase $2 in *old) echo 'libx.so => /lib/libx.so';; *) echo it: error while loading shared"
        " libraries: libx.so: cannot open shared object file: No such file >&2; exit 127;; esac\n"
    )
    linker.chmod(0o755)
    paths = [os.fsencode(path) for path in (linker, tmp_path / "target", tmp_path / "old", tmp_path / "new")]
    assert compare_loading(*paths) == ((b"libx.so",), False)


def test_what_the_linker_loaded_and_does_not_load_any_more_is_refused(tmp_path: Path) -> None:
    linker = tmp_path / "linker"
    linker.write_text("#!/bin/sh\ncase $2 in *new) echo 'an assertion' >&2; exit 127;; esac\n")
    linker.chmod(0o755)
    paths = [os.fsencode(path) for path in (linker, tmp_path / "target", tmp_path / "old", tmp_path / "new")]
    with pytest.raises(LinkerDisagrees, match="an assertion"):
        compare_loading(*paths)


def test_a_file_with_the_longest_name_is_patched(program: Path) -> None:
    long = program.rename(program.with_name("n" * 255))
    patch(asked(long))
    assert facts(os.fsencode(long))["interpreter"] == "/a/path/that/is/longer/than/the/old/one/ld.so"


def test_a_plan_writes_nothing(program: Path, tmp_path: Path) -> None:
    done = patch(asked(program, only_plan=True))
    assert not done.plan.is_empty
    assert program.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [program]


def test_directories_are_added_to_the_run_path_once(program: Path) -> None:
    path = os.fsencode(program)
    for _ in range(2):
        patch(PatchRequest(path, path, Changes(), (b"/one:/two", b"/opt/lib")))
    assert facts(path)["runpath"] == "/opt/lib:/one:/two"


def test_a_text_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"#!/bin/sh\n")
    with pytest.raises(NotPatched):
        patch(asked(text))
    with pytest.raises(NoFileToPatch):
        patch(asked(tmp_path / "absent"))


def test_a_trial_starts_the_program_where_nothing_can_be_written(tmp_path: Path) -> None:
    """It is not written if it dies where the original does not."""
    require("gcc")
    require_sandbox()
    source = """
    #include <fcntl.h>
    #include <stdio.h>
    int main(int count, char **words) {
        if (open(words[0], O_WRONLY) >= 0 || creat("/tmp/written-by-a-trial", 0600) >= 0) return 9;
        return count == 2 ? 0 : 3;
    }
    """
    program = tmp_path / "program"
    subprocess.run(["gcc", "-w", "-x", "c", "-", "-o", program], input=source.encode(), check=True)
    session = context_of({}, os.fspath(tmp_path / "root")).session
    end = tried(session, os.fsencode(program))
    assert (end.status, end.failure) == (0, ""), end.said
    path = os.fsencode(program)
    done = patch(PatchRequest(path, path, Changes(run_path=b"/somewhere")), session)
    assert "  started with --help in a sandbox, as the old one" in lines(done, written=True)
    untried = patch(PatchRequest(path, path, Changes(run_path=b"/elsewhere")))
    assert not [line for line in lines(untried, written=True) if "--help" in line]
    content = program.read_bytes()
    with pytest.raises(TrialFailed, match="does not start"):
        patch(PatchRequest(path, path, Changes(interpreter=b"/there/is/no/such/linker")), session)
    assert program.read_bytes() == content


def test_a_start_is_judged_beside_that_of_the_original() -> None:
    check_trial(b"program", TrialEnd(2, b""), TrialEnd(2, b""))
    check_trial(b"program", TrialEnd(127, b""), TrialEnd(127, b""))
    check_trial(b"program", TrialEnd(0, b""), TrialEnd(None, b""))
    with pytest.raises(TrialFailed, match="SIGSEGV"):
        check_trial(b"program", TrialEnd(0, b""), TrialEnd(-11, b""))


def test_a_store_object_is_patched_as_a_copy_only(program: Path, tmp_path: Path) -> None:
    with Store.create(os.fsencode(tmp_path / "store")) as store, store.working() as work:
        place = store.place_of(work.add(os.fsencode(program), "program").path)
    with pytest.raises(InStore):
        patch(PatchRequest(place, place, LONGER))
    patch(PatchRequest(place, os.fsencode(tmp_path / "copy"), LONGER))
    assert read((tmp_path / "copy").read_bytes()).interpreter == LONGER.interpreter


@pytest.mark.peer
def test_a_large_program_is_tried(tmp_path: Path) -> None:
    """What is mapped for its check was open for writing, and the kernel executes no such file (ETXTBSY)."""
    require("gcc")
    require_sandbox()
    program, target = tmp_path / "program", tmp_path / "copy"
    source = f"static char pad[{6 << 20}] = {{1}}; int main(void) {{ return pad[1]; }}"
    subprocess.run(["gcc", "-o", program, "-x", "c", "-"], input=source.encode(), check=True)
    wanted = Changes(run_path=b"/opt/lib")
    patch(
        PatchRequest(os.fsencode(program), os.fsencode(target), wanted),
        context_of(os.environ, os.fspath(tmp_path / "root")).session,
    )
    assert read(target.read_bytes()).dynamic is not None
