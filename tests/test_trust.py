import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.trust import Untrusted, check, check_found, check_parent, has_number, owner_of_nearest
from tests.support.generated_trees import NOBODY
from tests.support.peers import require

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def refused(path: Path) -> str:
    with pytest.raises(Untrusted) as caught:
        check(os.fsencode(path))
    error = caught.value
    assert error.remedy
    return f"{error.what}: {error.why}"


def test_what_is_ours_and_what_is_not_there_are_trusted(tmp_path: Path) -> None:
    for mode in (0o700, 0o755, 0o1755):
        tmp_path.chmod(mode)
        check(os.fsencode(tmp_path))
    check(os.fsencode(tmp_path / "none"))
    check(b"/usr")


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
def test_what_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d").chmod(mode)
    (tmp_path / "link").symlink_to("d")
    for path in (tmp_path / "d", tmp_path / "link"):
        assert f"others may write to it (mode {mode:04o})" in refused(path)


@AS_ROOT
def test_what_is_anothers_is_refused_and_he_is_named(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("/usr")
    for path in (tmp_path / "d", tmp_path / "link"):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        assert f"(uid {NOBODY}), and you are root (uid 0)" in refused(path)


@pytest.mark.parametrize(("mode", "fits"), [(0o755, True), (0o1777, True), (0o777, False)])
def test_a_directory_above_may_be_shared_if_it_is_sticky(tmp_path: Path, mode: int, *, fits: bool) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(mode)
    with contextlib.nullcontext() if fits else pytest.raises(Untrusted, match="rename"):
        check_parent(os.fsencode(tmp_path / "shared"))


def test_the_owner_is_that_of_the_nearest_directory_there(tmp_path: Path) -> None:
    assert owner_of_nearest(str(tmp_path / "none/nothing")) == os.geteuid()
    assert owner_of_nearest("/none/nothing") == 0


@AS_ROOT
def test_a_file_that_was_found_is_not_anothers(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for path in (ours, theirs):
        path.write_text("")
    os.chown(theirs, NOBODY, NOBODY)
    (tmp_path / "to-ours").symlink_to("ours")
    check_found(os.fsencode(ours), "name it")
    check_found(os.fsencode(tmp_path / "none"), "name it")
    check_found(os.fsencode(tmp_path / "to-ours"), "name it")
    (tmp_path / "to-theirs").symlink_to("theirs")
    # A link of another's to a file of ours: what is relative in it would be relative to his directory.
    os.chown(tmp_path / "to-ours", NOBODY, NOBODY, follow_symlinks=False)
    for name in ("theirs", "to-theirs", "to-ours"):
        with pytest.raises(Untrusted, match=f"uid {NOBODY}") as caught:
            check_found(os.fsencode(tmp_path / name), "name it")
        assert caught.value.remedy == "name it"


def test_a_file_that_was_found_is_not_everybodys(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o646)
    with pytest.raises(Untrusted, match="anybody may write"):
        check_found(os.fsencode(tmp_path / "file"), "name it")


@AS_ROOT
def test_a_directory_above_is_not_anothers(tmp_path: Path) -> None:
    """Who owns it can rename what is in it."""
    os.chown(tmp_path, NOBODY, NOBODY)
    with pytest.raises(Untrusted, match=f"uid {NOBODY}") as caught:
        check_parent(os.fsencode(tmp_path))
    assert "--root DIR" in caught.value.remedy


@AS_ROOT
def test_a_directory_is_not_made_in_anothers_and_what_its_remedy_makes_is_one(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    wanted = tmp_path / "not there" / "new"
    with pytest.raises(Untrusted, match=f"would be made, belongs to .*uid {NOBODY}") as caught:
        check_parent(os.fsencode(wanted))
    mending, elsewhere = caught.value.remedy.split(", if that user may rename what is in it; or ")
    assert elsewhere.startswith("--root DIR")
    subprocess.run(["sh", "-c", mending], check=True)
    check_parent(os.fsencode(wanted))


@AS_ROOT
def test_a_directory_above_may_be_of_a_user_without_a_number_here(tmp_path: Path) -> None:
    """In a user namespace root's own files outside of it look so."""
    require("unshare")
    os.chown(tmp_path, 4242, 4242)
    code = "import sys; from denizen.trust import *; print(has_number(0), has_number(4242))"
    code += "; check_parent(sys.argv[1].encode())"
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", code, os.fspath(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip(f"no user namespace can be made here: {done.stderr}")
    assert (done.stdout, done.stderr) == ("True False\n", "")


def test_every_user_has_a_number_where_the_kernel_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    assert has_number(os.geteuid())
    monkeypatch.setattr("builtins.open", refuse)
    assert has_number(4242)
