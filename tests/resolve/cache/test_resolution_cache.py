"""A resolution is told again exactly as long as everything it follows from is as it was."""

import itertools
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.resolve.cache import resolution_cache
from denizen.resolve.cache.cached_view import CachedView
from denizen.resolve.cache.resolution_cache import Question, code_stamps, decoded, encoded, keep, lookup
from denizen.resolve.cache.trace import TracedView
from denizen.resolve.engine.catalogue import Sources
from denizen.resolve.engine.search import resolve
from denizen.resolve.lock import write
from denizen.resolve.resolution import DlopenName, Rejected, Resolution
from denizen.resolve.rule_packs import load_rules
from denizen.resolve.subject import examine
from denizen.value import replace
from tests.resolve.test_lock import CHOICE, FULL
from tests.support.memory_archive import DIRECTORY, PackageArchive, libc, library, program

# Two changes within a tick of the kernel's clock have one time; a tick has 10 ms at most.
A_TICK = 0.02


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees made by a test have not stood still for seconds."""
    monkeypatch.setattr(resolution_cache, "STILL_NS", 0)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A program with libraries on its run path, beside it and below it."""
    top = tmp_path / "app"
    for name in ("bin", "lib", "spare"):
        (top / name).mkdir(parents=True)
    names = [b"liba.so.1", b"libb.so.1", b"libc1.so.1", b"libout.so.1"]
    main = program(*names, runpath=b"$ORIGIN/first:$ORIGIN/../lib")
    (top / "bin/program").write_bytes(main)
    (top / "lib/liba.so.1").write_bytes(library(b"liba.so.1"))
    (top / "lib/libb.so.1.2").write_bytes(library(b"libb.so.1", b"libout.so.2"))
    (top / "lib/libb.so.1").symlink_to("libb.so.1.2")
    (top / "spare/other.txt").write_bytes(b"nothing to it")
    time.sleep(A_TICK)
    return top


def package_archive() -> PackageArchive:
    made = PackageArchive()
    made.add("new", b"libc6", libc(b"GLIBC_2.36"))
    for name in (b"libc1.so.1", b"libout.so.1", b"libout.so.2", b"liba.so.1"):
        made.add("new", b"p-" + name, {DIRECTORY + name: library(name, b"libc.so.6")})
    return made


def question(
    app: Path, *, extra: Sequence[bytes] = (), circumstances: tuple[str, ...] = ("one",)
) -> Question:
    return Question((os.fsencode(app / "bin/program"),), (), tuple(extra), ("new",), circumstances)


def found(asked: Question) -> tuple[Resolution, TracedView]:
    """What is chosen, found anew."""
    traced, rules, offer = TracedView(DiskView()), load_rules(), package_archive()
    sources = Sources(offer, offer, rules, CachedView(offer.disk()), {"new": "1"})
    return resolve(examine(traced, asked.roots, rules), sources, asked.extra), traced


def told(app: Path, asked: Question) -> Resolution | None:
    return lookup(os.fsencode(app.parent / "kept"), asked, DiskView())


def kept(app: Path) -> Resolution:
    made, traced = found(question(app))
    keep(os.fsencode(app.parent / "kept"), question(app), made, traced)
    return made


def test_what_was_found_is_told_again_and_makes_the_same_lock(app: Path) -> None:
    made = kept(app)
    again = told(app, question(app))
    assert again == made
    assert again is not None
    assert write(again) == write(found(question(app))[0])


def test_every_part_of_a_resolution_is_kept() -> None:
    rejected = (Rejected(b"liba0", "bookworm", "does not define A_1"),)
    wishes = (DlopenName((b"libx.so.1", b"libx.so.2"), "note", "recommended"),)
    made = replace(FULL, choices=(*FULL.choices, replace(CHOICE, rejected=rejected)), wishes=wishes)
    assert decoded(encoded(made)) == made


def rewrite(path: Path) -> None:
    """Other content of the same size, and the times it had."""
    facts = path.stat()
    path.write_bytes(path.read_bytes().replace(b"libout.so.1", b"libout.so.2"))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def relink(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def put(path: Path, soname: bytes, *needed: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(library(soname, *needed))


def move(path: Path) -> None:
    path.rename(path.with_name("real"))
    path.symlink_to("real")


CHANGES: dict[str, Callable[[Path], None]] = {
    "the program's bytes, with its size and time": lambda app: rewrite(app / "bin/program"),
    "a library it came with": lambda app: put(app / "lib/liba.so.1", b"liba.so.1", b"libnew.so"),
    "a library goes": lambda app: (app / "lib/liba.so.1").unlink(),
    "a link leads elsewhere": lambda app: relink(app / "lib/libb.so.1", "liba.so.1"),
    "a library where it is looked for first": lambda app: put(app / "bin/first/liba.so.1", b"liba.so.1"),
    "a library beside it": lambda app: put(app / "lib/libout.so.1", b"libout.so.1"),
    "the program is a link to another": lambda app: move(app / "bin/program"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_what_it_followed_from_ends_it(app: Path, change: str) -> None:
    kept(app)
    CHANGES[change](app)
    assert told(app, question(app)) is None


def test_a_change_of_what_nobody_asked_about_does_not(app: Path) -> None:
    made = kept(app)
    (app / "spare/other.txt").write_bytes(b"something else")
    (app / "spare/new.txt").write_bytes(b"")
    assert told(app, question(app)) == made


@pytest.mark.parametrize("seed", range(20))
def test_after_any_change_what_is_told_is_what_would_be_found(app: Path, seed: int) -> None:
    chance = random.Random(seed)
    kept(app)
    places = ["bin", "bin/first", "lib", "spare", "lib/deep", "."]
    for _ in range(2):
        place = app / chance.choice(places)
        place.mkdir(exist_ok=True)
        name = chance.choice(["liba.so.1", "libb.so.1", "libc1.so.1", "libout.so.1", "libout.so.2", "x.txt"])
        if chance.random() < 0.4:
            (place / name).unlink(missing_ok=True)
        elif chance.random() < 0.3:
            (place / name).unlink(missing_ok=True)
            (place / name).symlink_to(chance.choice(["liba.so.1", "../lib/libb.so.1.2", "nowhere"]))
        else:
            (place / name).unlink(missing_ok=True)
            needed = chance.sample([b"libout.so.1", b"libout.so.2", b"libnobody.so"], 1)
            (place / name).write_bytes(library(name.encode(), *needed))
    assert told(app, question(app)) in (None, found(question(app))[0])


def test_other_circumstances_and_other_wishes_are_another_question(app: Path) -> None:
    made = kept(app)
    assert told(app, question(app, circumstances=("two",))) is None
    assert told(app, question(app, extra=[b"liba.so.1"])) is None
    assert told(app, replace(question(app), suites=("new", "old"))) is None
    assert told(app, question(app)) == made


def test_the_answer_in_new_circumstances_takes_the_place_of_the_old(app: Path) -> None:
    kept(app)
    made, traced = found(question(app))
    keep(os.fsencode(app.parent / "kept"), question(app, circumstances=("two",)), made, traced)
    assert told(app, question(app, circumstances=("two",))) == made
    assert len(list((app.parent / "kept").iterdir())) == 1


def test_nothing_is_kept_of_a_tree_that_changed_a_moment_ago(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolution_cache, "STILL_NS", 60_000_000_000)
    kept(app)
    assert told(app, question(app)) is None


def test_a_damaged_file_tells_nothing(app: Path) -> None:
    made = kept(app)
    (file,) = (app.parent / "kept").iterdir()
    content = file.read_bytes()
    for end, flipped in itertools.product((0, 30, 63, 65, 200, len(content) - 1), (0x01, 0xFF, None)):
        wrong = b"" if flipped is None else bytes([content[end] ^ flipped])
        file.write_bytes(content[:end] + wrong + content[end + 1 :])
        assert told(app, question(app)) is None
    file.write_bytes(content)
    assert told(app, question(app)) == made


def test_a_file_that_others_may_write_is_not_believed(app: Path) -> None:
    kept(app)
    (file,) = (app.parent / "kept").iterdir()
    file.chmod(0o666)
    assert told(app, question(app)) is None


def test_a_directory_that_cannot_be_written_keeps_nothing_and_does_not_fail(app: Path) -> None:
    made, traced = found(question(app))
    (app.parent / "kept").write_bytes(b"a file")
    keep(os.fsencode(app.parent / "kept"), question(app), made, traced)
    assert told(app, question(app)) is None


def test_code_and_rules_of_another_version_have_another_stamp(tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text("one")
    before = code_stamps([os.fsencode(tmp_path)])
    (tmp_path / "notes.txt").write_text("nothing that decides")
    assert code_stamps([os.fsencode(tmp_path)]) == before
    (tmp_path / "rules.toml").write_text("new = 1")
    assert code_stamps([os.fsencode(tmp_path)]) != before
