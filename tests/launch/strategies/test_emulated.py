"""The sysroot that qemu-user is given: where each thing appears, and what of the host is hidden."""

import os
from pathlib import Path

from denizen.fileview import MemoryView
from denizen.launch.decisions.decision import Decision, DecisionLibrary
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.decisions.program_identity import Identity
from denizen.launch.dlopen_record import Opened
from denizen.launch.strategies.base import HostFindings
from denizen.launch.strategies.emulated import EmulatedStrategy, sysroot_of
from denizen.launch.sysroot import mark_sysroot, show_in_sysroot
from denizen.value import replace
from tests.support.elf_builder import Elf, build
from tests.support.strategy_starts import start_of

TRIPLET = b"aarch64-linux-gnu"
INTERPRETER = b"/lib/ld-linux-aarch64.so.1"
FOREIGN = HostFindings(satisfies=False, starts=False, is_foreign=True)
LINKS, PACKAGE = b"/store/1-libraries", b"/store/2-libc6"
BASE = Decision(
    Identity(1, 2, 3, 4, 5),
    bytes(16),
    0,
    PACKAGE + b"/usr/lib/ld-linux-aarch64.so.1",
    search=LINKS,
    libraries=(DecisionLibrary(b"/opt/app/lib/libown.so.1", b"libown.so.1"),),
    objects=(LINKS, PACKAGE),
)
FILES = {LINKS + b"/libc.so.6": b"", PACKAGE + b"/usr/share/doc/libc6/copyright": b""}


def shown(files: dict[bytes, bytes], base: Decision = BASE) -> dict[bytes, bytes]:
    return {one.target: one.source for one in sysroot_of(MemoryView(files), base, INTERPRETER, TRIPLET)}


def test_every_library_lies_where_the_dynamic_linker_looks_by_itself() -> None:
    found = shown(FILES)
    assert found[INTERPRETER] == BASE.ldso
    assert found[b"/lib/aarch64-linux-gnu/libc.so.6"] == LINKS + b"/libc.so.6"
    assert found[b"/lib/aarch64-linux-gnu/libown.so.1"] == b"/opt/app/lib/libown.so.1"
    assert found[b"/usr/lib/aarch64-linux-gnu/libc.so.6"] == LINKS + b"/libc.so.6"


def test_nothing_appears_in_etc_where_nothing_of_the_hosts_would_mislead() -> None:
    cache = {b"/etc/ld.so.cache": b"ld.so-1.7.0 /lib/x86_64-linux-gnu/libc.so.6"}
    assert not any(
        path.startswith(b"/etc/") for path in shown({**FILES, **cache, b"/etc/ld.so.preload": b""})
    )


def test_what_the_host_says_to_its_own_dynamic_linker_is_hidden() -> None:
    cache = {b"/etc/ld.so.cache": b"ld.so-1.7.0 /lib/aarch64-linux-gnu/libc.so.6"}
    found = shown({**FILES, **cache, b"/etc/ld.so.preload": b"/lib/libjemalloc.so\n"})
    assert found[b"/etc/ld.so.cache"] == found[b"/etc/ld.so.preload"] == b"/dev/null"


def test_musl_finds_libraries_in_its_own_default_directory() -> None:
    base = Decision(BASE.identity, bytes(16), 0, BASE.ldso, search=LINKS, by_name=True)
    assert shown(FILES, base)[b"/lib/libc.so.6"] == LINKS + b"/libc.so.6"


def test_its_command_ends_where_the_programs_words_begin(tmp_path: Path) -> None:
    start = start_of(tmp_path, build(Elf(machine=183, interpreter=INTERPRETER)), FOREIGN)
    made = EmulatedStrategy().decision(start, decision_of_host(start.program), ())
    assert made.command == (b"/usr/bin/qemu-other", b"-L", made.resources, b"--")
    assert os.path.islink(made.resources + INTERPRETER)
    assert not made.host
    assert made.objects == (b"/usr/bin/qemu-other",)


def test_what_came_while_it_ran_is_shown_by_the_next_start(tmp_path: Path) -> None:
    opened = bytes(tmp_path / "opened")
    os.mkdir(opened)
    Opened(opened).show({b"libcame.so.1": b"/store/3-came/libcame.so.1"})
    start = start_of(tmp_path, build(Elf(machine=183, interpreter=INTERPRETER)), FOREIGN)
    base = replace(decision_of_host(start.program), opened=opened)
    made = EmulatedStrategy().decision(start, base, ())
    top = Path(os.fsdecode(made.resources))
    assert os.readlink(top / "lib/aarch64-linux-gnu/libcame.so.1") == "/store/3-came/libcame.so.1"
    assert [os.readlink(bytes(top / one)) for one in (".opened", ".program", ".libraries")] == [
        opened,
        start.program.path,
        b"lib/aarch64-linux-gnu",
    ]
    assert made.opened == opened


def test_what_comes_is_not_written_into_a_packages_directory(tmp_path: Path) -> None:
    top, elsewhere = tmp_path / "top", tmp_path / "elsewhere"
    for directory in (top / "lib", elsewhere):
        directory.mkdir(parents=True)
    (elsewhere / "libold.so.1").touch()
    (top / "lib" / "aarch64-linux-gnu").symlink_to(elsewhere)
    mark_sysroot(bytes(top), b"/opened", b"/program", b"/lib/aarch64-linux-gnu")
    show_in_sysroot(bytes(top), {b"libcame.so.1": b"/store/3-came/libcame.so.1"})
    assert [one.name for one in elsewhere.iterdir()] == ["libold.so.1"]
    names = {one.name for one in (top / "lib" / "aarch64-linux-gnu").iterdir()}
    assert names == {"libold.so.1", "libcame.so.1"}


def test_a_static_program_gets_no_sysroot(tmp_path: Path) -> None:
    start = start_of(tmp_path, build(Elf(machine=183)), FOREIGN)
    made = EmulatedStrategy().decision(start, decision_of_host(start.program), ())
    assert (made.command, made.resources) == ((b"/usr/bin/qemu-other", b"--"), b"")


def test_a_static_program_finds_files_of_packages_below_its_sysroot(tmp_path: Path) -> None:
    zone = tmp_path / "store" / "tzdata" / "usr" / "share" / "denizen-test" / "UTC"
    zone.parent.mkdir(parents=True)
    zone.write_bytes(b"TZif")
    start = start_of(tmp_path, build(Elf(machine=183)), FOREIGN)
    base = replace(decision_of_host(start.program), objects=(bytes(tmp_path / "store" / "tzdata"),))
    made = EmulatedStrategy().decision(start, base, ())
    assert made.command == (b"/usr/bin/qemu-other", b"-L", made.resources, b"--")
    assert Path(os.fsdecode(made.resources), "usr/share/denizen-test/UTC").read_bytes() == b"TZif"
    assert made.objects == (*base.objects, b"/usr/bin/qemu-other")
