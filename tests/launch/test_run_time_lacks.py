"""A host that satisfies a program's start may lack what it opens when it runs."""

from denizen.fileview import Executable, MemoryView
from denizen.launch.run_time_lacks import lacking_later
from denizen.linker import Environment
from denizen.resolve.rule_packs import load_rules
from tests.support.elf_builder import Elf, build
from tests.support.linker_systems import library, program, system_of

APP = b"/opt/app/bin/prog"
GLOBALIZATION = b"/opt/app/bin/System.Globalization.Native.so"
QT = b"/opt/app/plugins/platforms/libqxcb.so"


def lacking(files: dict[bytes, bytes]) -> tuple[bytes, ...]:
    libc = {b"/lib64/libc.so.6": library(b"libc.so.6"), b"/lib64/libgcc_s.so.1": library(b"libgcc_s.so.1")}
    return lacking_later(system_of({**libc, **files}), APP, Environment(vdso=b""), load_rules())


def test_nothing_is_lacking_where_nothing_is_opened() -> None:
    assert lacking({APP: program(b"libc.so.6")}) == ()


def test_of_alternatives_one_is_enough() -> None:
    app = {APP: program(b"libc.so.6"), GLOBALIZATION: library(b"System.Globalization.Native.so")}
    assert lacking(app) == (b"libicui18n.so.67",)
    assert lacking({**app, b"/lib64/libicui18n.so.63": library(b"libicui18n.so.63")}) == ()


def test_what_a_plugin_beside_it_needs_is_asked_for() -> None:
    app = {
        APP: program(b"libQt6Gui.so.6", b"libc.so.6", runpath=b"/opt/app/lib"),
        QT: library(b"libqxcb.so", b"libxcb-cursor.so.0"),
        b"/opt/app/lib/libQt6Gui.so.6": library(b"libQt6Gui.so.6"),
    }
    assert lacking(app) == (b"libxcb-cursor.so.0",)
    assert lacking({**app, b"/lib64/libxcb-cursor.so.0": library(b"libxcb-cursor.so.0")}) == ()


def test_a_static_program_opens_nothing_we_know_of() -> None:
    view = MemoryView({APP: Executable(build(Elf()))})
    assert lacking_later(view, APP, Environment(), load_rules()) == ()
