"""What a program of a recipe opened when it ran becomes an input of the recipe, when it is updated."""

import os
from pathlib import Path

from denizen.app.recipes.recipe_files import recipe_files
from denizen.app.recipes.run_findings import new_findings, record_findings
from denizen.app.session import Session
from denizen.app.supply.store_access import made_store
from denizen.disk_view import DiskView
from denizen.launch.decisions.program_identity import identity_of
from denizen.launch.dlopen_record import DlopenRequest, Opened, place_of
from denizen.recipes.findings_table import RunFinding
from denizen.store.local import Store
from tests.support.command_context import context_of
from tests.support.stores import make_tree


def installed(store: Store, scratch: Path, name: str) -> bytes:
    """A program of an output; return its path."""
    tree = make_tree(scratch, {"bin/late*": "program"})
    with store.working() as work:
        return store.place_of(work.add(os.fsencode(tree), name).path) + b"/bin/late"


def opens(session: Session, program: bytes, *requests: DlopenRequest) -> None:
    identity = identity_of(DiskView().stat(program))
    opened = Opened(place_of(session.paths.decisions, identity, b"/store/0123-libraries"))
    opened.make()
    for one in requests:
        opened.record(one)


def test_a_library_that_was_brought_is_locked_and_the_recipe_built_with_it(tmp_path: Path) -> None:
    session = context_of({}, str(tmp_path / "root")).session
    (tmp_path / "recipe.toml").write_text('name = "late"\nversion = "1"\n')
    (one,) = recipe_files(str(tmp_path))
    with made_store(session) as store:
        assert not record_findings(session, store, one)
        assert not (tmp_path / "denizen.lock").exists()
        program = installed(store, tmp_path / "late", "late-1")
        # A part of the C library comes without a package.
        opens(
            session,
            program,
            DlopenRequest(b"libmd4c.so.0", (b"libmd4c0=0.5.2-2+b1",), 1),
            DlopenRequest(b"libutil.so.1", (), 0),
        )
        opens(session, installed(store, tmp_path / "other", "other-1"), DlopenRequest(b"x.so", (b"x=1",), 1))
        assert new_findings(session, store, one) == (RunFinding("late", "libmd4c.so.0", "libmd4c0"),)
        assert record_findings(session, store, one)
        (built_with,) = recipe_files(str(tmp_path))
        assert built_with.recipe.packages == ("libmd4c0",)
        assert built_with.recipe.opened_by == (("late", "libmd4c.so.0"),)
        assert new_findings(session, store, built_with) == ()
        assert not record_findings(session, store, built_with)
    # The findings were about a recipe of this name.
    (tmp_path / "recipe.toml").write_text('name = "early"\nversion = "1"\n')
    assert recipe_files(str(tmp_path))[0].recipe.packages == ()
