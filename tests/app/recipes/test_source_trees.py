"""Sources beside a recipe: what building leaves there is none of them."""

import os
from pathlib import Path

from denizen.app.recipes.source_trees import add_source
from denizen.app.supply.store_access import made_store
from tests.support.command_context import context_of


def test_a_source_is_the_same_after_it_was_built(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "src/.git").mkdir(parents=True)
    (project / "src/denizen.lock").write_text("the program's own")
    (project / "main.c").write_text("int main;")
    (project / "link").symlink_to("main.c")
    session = context_of({}, str(tmp_path / "root")).session
    with made_store(session) as store, store.working() as work:
        before = add_source(work, store.layout, str(project))
        place = store.place_of(before)
        for name, target in ((b"result", place), (b"result-debug", place + b"-debug")):
            os.symlink(target, os.fsencode(project) + b"/" + name)
        (project / "denizen.lock").write_text("a lock")
        (project / ".git/objects").mkdir(parents=True)
        (project / ".git/objects/1").write_text("x")
        assert add_source(work, store.layout, str(project)) == before
        assert sorted(os.listdir(place)) == [b"link", b"main.c", b"src"]
        assert sorted(os.listdir(place + b"/src")) == [b".git", b"denizen.lock"]
        (project / "main.c").write_text("int main = 1;")
        assert add_source(work, store.layout, str(project)) != before


def test_a_source_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "fix.patch").write_text("text")
    session = context_of({}, str(tmp_path / "root")).session
    with made_store(session) as store, store.working() as work:
        added = add_source(work, store.layout, str(tmp_path / "fix.patch"))
        assert added.name == "fix.patch"
        assert Path(os.fsdecode(store.place_of(added))).read_text() == "text"
