"""A server of operations on a store, each done in a fork of it, so that faults can be injected into one.

Started as `python -m tests.support.store_operations`; reads lines of words between tabs, and prints the
status of each operation: 0 done, 3 a DenizenError, 4 anything else, or minus the signal.

    stopped OPERATION ROOT                      in a child that stops itself, whose number is printed first
    faulty OPERATION ROOT CALL NTH ERROR        in a child one of whose system calls meets a fault
    plainly OPERATION ROOT                      in the server itself

Nothing is imported in a child: its system calls are the operation's own.
"""

import concurrent.futures
import contextlib
import errno
import hashlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from unittest.mock import patch

from denizen.app.profiles.profile_access import changed
from denizen.app.profiles.profile_generations import rolled_back
from denizen.build.batch_commit import Registrar
from denizen.build.builtin_derivations import made_by
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.realise import RealiseOptions, realise
from denizen.errors import DenizenError
from denizen.formats.file_tree import Directory, Symlink
from denizen.formats.hashes import Hash
from denizen.formats.storepath import StorePath, for_output, for_source
from denizen.profiles.manifest_changes import with_elements
from denizen.profiles.profile_links import Profile, profile_at
from denizen.profiles.profile_manifest import ElementPart
from denizen.store.collection import gc_roots, processes, trash
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.collection.processes import ProcessCensus
from denizen.store.errors import doing
from denizen.store.local import Store
from denizen.store.object_info import ObjectInfo
from denizen.store.staged_tree import Adoption
from denizen.store.trees import restore
from tests.support import debs
from tests.support.derivations import BuildStore, MemoryOpener
from tests.support.generated_trees import file, nar
from tests.support.profile_elements import element
from tests.support.supervised_calls import Fault, call_numbers, run_with_fault
from tests.support.system_profiles import SystemHome, prepare_system

DONE, REFUSED, BROKEN = 0, 3, 4


def add(root: Path) -> None:
    """Add a tree of two files, a link and a directory that mentions an object, and root it."""
    with Store.open(os.fsencode(root / "store")) as store, store.working() as work:
        info = work.add(os.fsencode(root / "source"), "source")
        gc_roots.add_link(store.layout, b"added", info.path)


def build(root: Path) -> None:
    """Do what a builder does: lock the output, make a tree, have it adopted."""
    with Store.open(os.fsencode(root / "store")) as store, store.working() as work:
        path = for_output("built", "out", bytes(32), store.layout.logical)
        with work.building(path) as done:
            if not done:
                tree = Path(os.fsdecode(work.new_tree()))
                with doing("build", os.fsencode(tree)):
                    tree.mkdir()
                    (tree / "file").write_text("content")
                    (tree / "again").hardlink_to(tree / "file")
                work.adopt(os.fsencode(tree), path, store.database.paths())
            gc_roots.add_link(store.layout, b"built", path)


def gc(root: Path) -> None:
    """Collect what `prepare` left unrooted."""
    with Store.open(os.fsencode(root / "store")) as store:
        collect(store, Limits())


def gc_by_a_pool(root: Path) -> None:
    """Collect as `gc` does, with two processes, as for many objects."""
    with patch.object(trash, "MANY", 1), patch.object(trash, "_WORKERS", 2):
        gc(root)


def importing(root: Path) -> None:
    """Unpack an archive as one of many files is unpacked, and root it."""
    info = ObjectInfo(
        path=for_source("imported", Hash("sha256", hashlib.sha256(_ARCHIVE).digest()), (), b"/logical"),
        nar_hash=hashlib.sha256(_ARCHIVE).digest(),
        nar_size=len(_ARCHIVE),
        registered=0,
    )
    with (
        patch.object(restore, "_FEW", 0),
        patch.object(restore, "_SHARE_FILES", 2),
        Store.open(os.fsencode(root / "store")) as store,
        store.working() as work,
    ):
        work.add_nar(lambda: contextlib.nullcontext(io.BytesIO(_ARCHIVE)), info)
        gc_roots.add_link(store.layout, b"imported", info.path)


def realising(root: Path) -> None:
    """Unpack a package that was fetched, as a derivation, and root the result."""
    with Store.open(os.fsencode(root / "store")) as store:
        (wanted,) = [path for path in store.database.paths() if path.name == "package.drv"]
        opener = MemoryOpener()
        opener.contents[_URL] = [_PACKAGE]
        with store.working() as work:
            sealed = realise(store, [wanted], RealiseOptions(opener))[wanted]
            output = sealed.outputs[b"out"]
            work.need([output])
            gc_roots.add_link(store.layout, b"realised", output)


class Inline:
    """An executor that does each thing at once, in this thread: strace counts the calls of each thread."""

    def __init__(self, *_: object) -> None:
        self.shutdown = lambda **_: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to wait for."""

    def submit(self, function: Callable[..., None], *arguments: object) -> Future[None]:
        future: Future[None] = Future()
        try:
            function(*arguments)
            future.set_result(None)
        except BaseException as failure:  # noqa: BLE001  # told by the future, as an executor does
            future.set_exception(failure)
        return future


OPERATIONS: dict[str, Callable[[Path], None]] = {
    "add": add,
    "build": build,
    "realise": realising,
    "import": importing,
    "gc": gc,
    "gc by a pool": gc_by_a_pool,
}
_URL = "https://example.test/package.deb"


def install(root: Path) -> None:
    """Switch a profile to a generation with one element more."""
    with Store.open(os.fsencode(root / "store")) as store, store.working() as work:
        new = element("new", ElementPart(object_of(store, "kept"), "", "bin/kept"))
        changed(profile_in(root), store, work, lambda manifest: with_elements(manifest, [new]), {"new"})


def rollback(root: Path) -> None:
    """Go back to the first generation of a profile."""
    rolled_back(profile_in(root), 1)


def delete_generations(root: Path) -> None:
    """Delete the first generation of a profile, unless it is the current one."""
    profile = profile_in(root)
    with Store.open(os.fsencode(root / "store")) as store, profile.locked():
        if 1 in profile.numbers() and profile.current() != 1:
            profile.delete(store.layout, [1])


# Of a store in which `prepare_profile` made a profile.
PROFILE_OPERATIONS: dict[str, Callable[[Path], None]] = {
    "install": install,
    "rollback": rollback,
    "delete-generations": delete_generations,
}


# Of a directory in which `tests.support.system_profiles.prepare_system` made a system.
SYSTEM_OPERATIONS: dict[str, Callable[[Path], object]] = {
    "system switch": lambda root: SystemHome(root).switch_to_second(),
    "system rollback": lambda root: SystemHome(root).rollback(1),
}
_ALL = OPERATIONS | PROFILE_OPERATIONS | SYSTEM_OPERATIONS


def profile_in(root: Path) -> Profile:
    return profile_at(os.fsencode(root / "profiles"), "profile")


def object_of(store: Store, name: str) -> StorePath:
    (path,) = [path for path in store.database.paths() if path.name == name]
    return path


def prepare_profile(root: Path) -> None:
    """Make a profile of two generations in a store that `prepare` made."""
    with Store.open(os.fsencode(root / "store")) as store, store.working() as work:
        for name in ("kept", "top"):
            part = ElementPart(object_of(store, name), "", f"share/{name}")
            one = element(name, part)
            changed(profile_in(root), store, work, partial(with_elements, elements=[one]), {name})


_ARCHIVE = nar(
    Directory(b""),
    Directory(b"a"),
    *[file(b"a/%d" % number, b"content", executable=number == 1) for number in range(3)],
    Directory(b"b"),
    Symlink(b"b/link", b"../a/1"),
    file(b"b/very", b"content"),
    file(b"c", b"content"),
)
_PACKAGE = debs.deb([debs.Item("./bin/run", content=b"#!/bin/sh\n"), debs.symlink("./lib", "bin")])


def prepare(root: Path) -> None:
    """Make a store with a rooted closure of two, and three objects without a root, two of them referring."""
    source = root / "source"
    (source / "directory").mkdir(parents=True)
    (source / "run").write_text("#!/bin/sh\n")
    (source / "run").chmod(0o755)
    (source / "link").symlink_to("run")
    with Store.create(os.fsencode(root / "store")) as store, store.working() as work:
        kept = work.add(os.fsencode(source / "run"), "kept")
        (source / "directory" / "mention").write_text(f"../{kept.path}")
        top = work.add(os.fsencode(source / "directory"), "top")
        gc_roots.add_link(store.layout, b"top", top.path)
        dead = work.add(os.fsencode(source / "link"), "dead")
        (root / "scratch").write_text(f"{dead.path}")
        for name in ("dead-too", "dead-three"):
            work.add(os.fsencode(root / "scratch"), name)
    shop = BuildStore(root)
    package = shop.fetched("package.deb", _PACKAGE, url=_URL)
    shop.derive("package", unpacking(made_by(package), shop.store_dir))
    shop.realise(package)
    shop.store.close()


def _placed_at_once(registrar: Registrar, adoption: Adoption, _: Callable[[], None]) -> None:
    """Commit at once, in place of `Registrar.add`: with one thread no other would commit the tree."""
    registrar._work.adopt_all([adoption])


def _serve() -> None:
    # Reading /proc changes nothing, takes a thousand system calls, and differs from run to run.
    setattr(concurrent.futures, "ThreadPoolExecutor", Inline)  # noqa: B010  # likewise
    setattr(Registrar, "add", _placed_at_once)  # noqa: B010  # likewise
    setattr(processes, "held_by_processes", lambda _: ProcessCensus({}, 0))  # noqa: B010  # mypy refuses the plain form
    with TemporaryDirectory() as directory:
        prepare(Path(directory))
        prepare_profile(Path(directory))
        prepare_system(Path(directory))
        for warm_up in _ALL.values():
            warm_up(Path(directory))
    numbers = call_numbers()
    _say("supervised" if _supervises(numbers) else "traced")
    for line in sys.stdin:
        kind, operation, root, *fault = line.rstrip("\n").split("\t")
        action = partial(_status_of, operation, Path(root))
        if kind == "plainly":
            _say(action())
        elif kind == "stopped":
            _say(_in_stopped_child(action))
        else:
            name, nth, error = fault
            _say(run_with_fault(action, Fault(numbers[name], int(nth), int(error)), numbers["seccomp"]))


def _supervises(numbers: Mapping[str, int]) -> bool:
    """Return whether the kernel lets this process supervise the system calls of a child."""
    harmless = Fault(numbers["getppid"], 1, errno.EIO)
    try:
        return run_with_fault(lambda: int(os.getppid() > 0), harmless, numbers["seccomp"]) == 0
    except OSError:
        return False


def _in_stopped_child(action: Callable[[], int]) -> int:
    child = os.fork()
    if not child:
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(action())
    os.waitpid(child, os.WUNTRACED)
    _say(child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _status_of(operation: str, root: Path) -> int:
    try:
        _ALL[operation](root)
    except DenizenError:
        return REFUSED
    except OSError:
        # A command of the front end tells it as it is; here a generation is active whole nevertheless.
        if operation in SYSTEM_OPERATIONS:
            return REFUSED
        traceback.print_exc()
        return BROKEN
    except BaseException:  # noqa: BLE001  # whatever it is, the test is told
        traceback.print_exc()
        return BROKEN
    return DONE


if __name__ == "__main__":
    _serve()
