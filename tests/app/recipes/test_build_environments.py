"""Environments of builds: they go once nothing was built in them for long."""

import os
from pathlib import Path

from denizen.app.recipes.build_environments import drop_unused_build_environments
from denizen.app.retention import UNUSED_FOR
from denizen.app.supply.store_access import made_store
from denizen.fhs.generations import EnvironmentStore, Settings, State
from tests.support.command_context import context_of


def test_an_environment_goes_when_nothing_was_built_in_it_for_long(tmp_path: Path) -> None:
    session = context_of({}, str(tmp_path)).session
    environments = EnvironmentStore(session.paths.state)
    with made_store(session) as store, store.working() as work:
        trees = [work.add_text(f"tree-{number}", b"").path for number in range(2)]
        for name in ("build-old", "build-new", "mine"):
            for tree in trees:
                environments.add(name, store.layout, State(tree, 1, Settings((name,)), ()))
        for name in ("build-old", "mine"):
            os.utime(os.path.join(environments.directory(name), b"current"), (1, 1))
        assert drop_unused_build_environments(session, store, UNUSED_FOR) == 1
        assert environments.names() == ["build-new", "mine"]
        # Nobody goes back to an earlier generation of a build's; a user does.
        assert environments.numbers("build-new") == [2]
        assert environments.numbers("mine") == [1, 2]
        assert os.listdir(store.layout.gcroots + b"/fhs/build-new") == [b"2"]
        environments.touch("mine")
        os.utime(os.path.join(environments.directory("build-new"), b"current"), (1, 1))
        environments.touch("build-new")
        assert drop_unused_build_environments(session, store, UNUSED_FOR) == 0
