import contextlib
import os
from pathlib import Path

import pytest

from denizen.trust import Untrusted, check, check_parent, owner_of_nearest
from tests.support.trees import NOBODY

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
