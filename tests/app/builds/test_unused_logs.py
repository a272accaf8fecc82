"""Logs of builds: which ones a collection deletes."""

import os
from pathlib import Path

from denizen.app.builds.unused_logs import prune_logs
from denizen.app.retention import UNUSED_FOR
from denizen.app.supply.store_access import made_store
from denizen.build.runner.build_log import BuildLog, log_path
from denizen.formats import storepath
from tests.support.command_context import context_of


def test_an_old_log_is_deleted_unless_what_was_built_is_there(tmp_path: Path) -> None:
    session = context_of({}, str(tmp_path)).session
    kept, old, new = (storepath.from_base(f"{digit * 32}-{digit}.drv") for digit in "abc")
    with made_store(session) as store, store.working() as work:
        tree = work.new_tree()
        Path(os.fsdecode(tree)).write_bytes(b"built")
        work.adopt(tree, storepath.from_base("d" * 32 + "-made"), (), deriver=kept)
        for drv in (kept, old, new):
            log = BuildLog(log_path(store.layout, drv))
            log.write(b"said\n")
            log.close()
        for drv in (kept, old):
            os.utime(log_path(store.layout, drv), (1, 1))
        assert prune_logs(store, UNUSED_FOR) == 1
        assert [os.path.exists(log_path(store.layout, drv)) for drv in (kept, old, new)] == [
            True,
            False,
            True,
        ]
