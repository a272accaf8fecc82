"""Closures that are kept from a sysroot with fewer libraries are what they would be found to be again."""

import random

import pytest

from denizen.fileview import Executable, MemoryView
from denizen.linker import Environment
from denizen.linker import resolve as link
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.engine.load_sets import AddedLibraries, closures_of
from denizen.resolve.sysroot_view import LIBRARIES, ChosenFile, Sysroot
from tests.support.memory_archive import INTERPRETER, library, program

PLUGINS = [b"/opt/app/plugins/%d/p%d.so" % (number % 3, number) for number in range(12)]
RUNPATHS = [None, b"$ORIGIN", b"$ORIGIN/../../lib", b"$ORIGIN:$ORIGIN/../0", b"$ORIGIN/../../lib:/usr/lib"]


def tree(chance: random.Random) -> dict[bytes, bytes | Executable]:
    """A program with plugins that need one another and libraries that are there or not."""
    names = [b"lib%d.so" % number for number in range(10)]
    files: dict[bytes, bytes | Executable] = {
        b"/opt/app/bin/program": Executable(program(*chance.sample(names, 3), runpath=b"$ORIGIN/../lib"))
    }
    for name in names[:5]:
        needed, runpath = chance.sample(names, 2), chance.choice(RUNPATHS)
        files[b"/opt/app/lib/" + name] = library(name, *needed, runpath=runpath)
    for plugin in PLUGINS:
        beside = [other.rpartition(b"/")[2] for other in PLUGINS]
        needed = [*chance.sample(names, 3), chance.choice(beside)]
        files[plugin] = library(plugin.rpartition(b"/")[2], *needed, runpath=chance.choice(RUNPATHS))
    return files


@pytest.mark.parametrize("seed", range(8))
def test_more_libraries_change_only_the_closures_that_lacked_them(seed: int) -> None:
    chance = random.Random(seed)
    view = CachedView(MemoryView(tree(chance)))
    packaged = [b"lib%d.so" % number for number in range(10)]
    disk = CachedView(MemoryView({b"/facts/" + name: library(name) for name in packaged}))
    roots = [b"/opt/app/bin/program", *PLUGINS]
    pieces = {name: ChosenFile(disk, b"/facts/" + name) for name in chance.sample(packaged, 4)}
    fewer = closures_of(view, roots, INTERPRETER, AddedLibraries({}))
    afresh = closures_of(view, roots, INTERPRETER, AddedLibraries(pieces))
    assert closures_of(view, roots, INTERPRETER, AddedLibraries(pieces), fewer) == afresh
    assert afresh != fewer


@pytest.mark.parametrize("seed", range(8))
def test_a_search_that_others_made_before_answers_as_its_own_would(seed: int) -> None:
    view = CachedView(MemoryView(tree(random.Random(seed))))
    roots = [b"/opt/app/bin/program", *PLUGINS]
    sysroot = Sysroot(view, {}, None, frozenset(roots))
    alone = Environment(interpreter_path=INTERPRETER, extra_directories=(LIBRARIES,), parse=view.parse)
    together = closures_of(view, roots, INTERPRETER, AddedLibraries({}))
    assert together == [link(sysroot, closure.program.path or b"", alone) for closure in together]
