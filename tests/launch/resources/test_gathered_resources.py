"""Many files of packages at fixed paths, in few mounts."""

import os
from pathlib import Path

from denizen.fileview import MemoryView
from denizen.launch.resources.fixed_paths import MAX_BINDS, FixedPathResource
from denizen.launch.resources.gathered_resources import gathered


def _resources(store: Path, count: int) -> list[FixedPathResource]:
    store.mkdir()
    for number in range(count):
        (store / str(number)).write_text(str(number))
    return [
        FixedPathResource(
            b"/usr/share/icons/x/%d" % number, os.fsencode(store / str(number)), directory=False
        )
        for number in range(count)
    ]


def test_few_have_a_mount_each(tmp_path: Path) -> None:
    asked = _resources(tmp_path / "store", 2)
    assert gathered(MemoryView({}), asked, os.fsencode(tmp_path / "tree")) == tuple(asked)
    assert not (tmp_path / "tree").exists()


def test_many_are_in_the_directory_that_the_host_lacks(tmp_path: Path) -> None:
    asked = _resources(tmp_path / "store", MAX_BINDS + 1)
    top = os.fsencode(tmp_path / "tree")
    other = FixedPathResource(b"/etc/x.conf", os.fsencode(tmp_path / "store" / "7"), directory=False)
    shown = gathered(MemoryView({b"/usr/share/": b"", b"/etc/": b""}), [*asked, other], top)
    assert shown == (
        FixedPathResource(b"/usr/share/icons", top + b"/usr/share/icons", directory=True),
        FixedPathResource(b"/etc/x.conf", top + b"/etc/x.conf", directory=False),
    )
    assert Path(os.fsdecode(shown[0].source), "x", str(MAX_BINDS)).read_text() == str(MAX_BINDS)
