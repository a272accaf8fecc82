"""What is chosen for a program, over a small archive in memory."""

import pytest

from denizen.resolve.resolution import ChoiceRule, ProblemKind
from tests.support.memory_archive import (
    DIRECTORY,
    PROGRAM,
    PackageArchive,
    chosen,
    libc,
    library,
    open_for,
    package_of,
    program,
    put,
    two_suites,
)


@pytest.fixture
def package_archive() -> PackageArchive:
    """Two suites: "new" with glibc 2.41, "old" with 2.36."""
    return two_suites()


def test_a_library_comes_from_the_base_suite_with_what_it_needs(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libb.so.1"))
    package_archive.add("new", b"libb1", put(b"libb.so.1"))
    package_archive.add("old", b"libb1", put(b"libb.so.1"))
    made = package_archive.resolve({PROGRAM: program(b"liba.so.1")})
    assert made.is_complete
    assert [pin.name for pin in made.packages] == [b"liba1", b"libb1", b"libc6"]
    assert package_of(made, b"libb.so.1") == (b"libb1", "new")
    assert chosen(made, b"libb.so.1").needed_by == b"liba.so.1"


def test_the_interpreter_comes_from_the_package_of_the_c_library(package_archive: PackageArchive) -> None:
    made = package_archive.resolve({PROGRAM: program()})
    assert made.interpreter is not None
    assert made.interpreter[1] == chosen(made, b"libc.so.6").package
    assert made.interpreter[2] == DIRECTORY + b"ld-linux-x86-64.so.2"


def test_a_program_that_needs_a_newer_glibc_gets_the_suite_that_has_it() -> None:
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc(b"GLIBC_2.36"))
    package_archive.add("old", b"libc6", libc(b"GLIBC_2.36", b"GLIBC_2.38"))
    made = package_archive.resolve({PROGRAM: program(asks=[(b"fGLIBC_2.38", b"GLIBC_2.38", b"libc.so.6")])})
    assert made.base == "old"
    assert made.floor == (2, 38)
    assert made.is_complete


def test_a_glibc_that_nobody_has_is_told_with_the_version(package_archive: PackageArchive) -> None:
    made = package_archive.resolve({PROGRAM: program(asks=[(b"x", b"GLIBC_2.99", b"libc.so.6")])})
    assert open_for(made, b"GLIBC_2.99").kind is ProblemKind.VERSION
    assert made.base == "new"


def test_what_only_an_older_suite_has_comes_from_there_on_the_newer_glibc(
    package_archive: PackageArchive,
) -> None:
    package_archive.add("old", b"libssl1.1", put(b"libssl.so.1.1", b"libcrypto.so.1.1"))
    package_archive.add("old", b"libcrypto1.1", put(b"libcrypto.so.1.1"))
    package_archive.add("new", b"libssl3", put(b"libssl.so.3"))
    made = package_archive.resolve({PROGRAM: program(b"libssl.so.1.1", b"libssl.so.3")})
    assert made.is_complete
    assert package_of(made, b"libssl.so.1.1") == (b"libssl1.1", "old")
    assert package_of(made, b"libcrypto.so.1.1") == (b"libcrypto1.1", "old")
    assert package_of(made, b"libssl.so.3") == (b"libssl3", "new")
    assert chosen(made, b"libssl.so.1.1").rule is ChoiceRule.OTHER_SUITE
    assert made.base == "new"


def test_a_provider_without_the_version_asked_for_is_passed_over_and_says_why(
    package_archive: PackageArchive,
) -> None:
    package_archive.add("new", b"libv1", put(b"libv.so.1", defines=[(b"f", b"V_1")]))
    package_archive.add("old", b"libv1", put(b"libv.so.1", defines=[(b"f", b"V_2")]))
    made = package_archive.resolve({PROGRAM: program(b"libv.so.1", asks=[(b"f", b"V_2", b"libv.so.1")])})
    assert package_of(made, b"libv.so.1") == (b"libv1", "old")
    assert chosen(made, b"libv.so.1").rule is ChoiceRule.VERSIONS
    assert chosen(made, b"libv.so.1").rejected[0].reason == "does not define V_2"


def test_a_version_asked_for_later_by_another_library_changes_the_choice(
    package_archive: PackageArchive,
) -> None:
    package_archive.add("new", b"libv1", put(b"libv.so.1", defines=[(b"f", b"V_1")]))
    package_archive.add("old", b"libv1", put(b"libv.so.1", defines=[(b"f", b"V_1"), (b"g", b"V_2")]))
    package_archive.add("new", b"liba1", put(b"liba.so.1", b"libb.so.1"))
    package_archive.add("new", b"libb1", put(b"libb.so.1", b"libv.so.1", asks=[(b"g", b"V_2", b"libv.so.1")]))
    made = package_archive.resolve({PROGRAM: program(b"libv.so.1", b"liba.so.1")})
    assert made.is_complete
    assert package_of(made, b"libv.so.1") == (b"libv1", "old")


def test_a_library_that_needs_a_newer_glibc_than_the_base_is_not_taken() -> None:
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc(b"GLIBC_2.36"))
    package_archive.add("old", b"libc6", libc(b"GLIBC_2.36"))
    package_archive.add("odd", b"liba1", put(b"liba.so.1", asks=[(b"x", b"GLIBC_2.41", b"libc.so.6")]))
    made = package_archive.resolve({PROGRAM: program(b"liba.so.1")})
    assert "GLIBC_2.41" in open_for(made, b"liba.so.1").detail


def test_the_base_moves_where_only_another_makes_all_work() -> None:
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc(b"GLIBC_2.36"))
    package_archive.add("next", b"libc6", libc(b"GLIBC_2.36", b"GLIBC_2.41"))
    package_archive.add(
        "next", b"liba1", put(b"liba.so.1", asks=[(b"fGLIBC_2.41", b"GLIBC_2.41", b"libc.so.6")])
    )
    made = package_archive.resolve({PROGRAM: program(b"liba.so.1")})
    assert made.is_complete
    assert made.base == "next"


def test_what_an_added_object_needs_is_chosen_and_not_a_build_for_others_of_its_own(
    package_archive: PackageArchive,
) -> None:
    """A plugin for add-ons that are not there: the archive's would sit on private parts of another Qt."""
    asks = [(b"q", b"Qt_6_PRIVATE_API", b"libQt6Core.so.6")]
    package_archive.add("new", b"libx1", put(b"libx.so.1"))
    package_archive.add("new", b"qt6web", put(b"libQt6Web.so.6", b"libQt6Core.so.6", asks=asks))
    package_archive.add("new", b"qt6core", put(b"libQt6Core.so.6", defines=[(b"q", b"Qt_6_PRIVATE_API")]))
    own = {
        b"/venv/lib/libQt6Core.so.6": library(b"libQt6Core.so.6", defines=[(b"q", b"Qt_6_PRIVATE_API")]),
        b"/venv/plugin.so": library(
            b"plugin.so", b"libQt6Core.so.6", b"libQt6Web.so.6", b"libx.so.1", runpath=b"/venv/lib"
        ),
    }
    made = package_archive.resolve({PROGRAM: program(), **own}, added=[b"/venv/plugin.so"])
    assert made.is_complete
    assert [pin.name for pin in made.packages] == [b"libc6", b"libx1"]


def test_a_soname_nobody_has_is_told_with_names_near_it(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"libicu72", put(b"libicuuc.so.72"))
    made = package_archive.resolve({PROGRAM: program(b"libicuuc.so.60")})
    problem = open_for(made, b"libicuuc.so.60")
    assert problem.kind is ProblemKind.LIBRARY
    assert problem.near == (b"libicuuc.so.72",)
    assert problem.needed_by == b"program"


def test_the_package_that_defines_the_symbols_wins_among_private_directories(
    package_archive: PackageArchive,
) -> None:
    for number in range(5):
        names = [(b"common", None)] + ([(b"special", None)] if number == 3 else [])
        path = b"usr/lib/app%d/libffmpeg.so" % number
        package_archive.add("new", b"app%d" % number, {path: library(b"libffmpeg.so", defines=names)})
    asks = [(b"common", None, None), (b"special", None, None)]
    made = package_archive.resolve({PROGRAM: program(b"libffmpeg.so", asks=asks)})
    assert package_of(made, b"libffmpeg.so") == (b"app3", "new")
    assert chosen(made, b"libffmpeg.so").rule is ChoiceRule.SYMBOLS
    assert chosen(made, b"libffmpeg.so").rejected[0].reason.startswith("defines 1 of the symbols")


def test_a_plugin_of_that_name_that_defines_nothing_asked_for_is_not_the_library(
    package_archive: PackageArchive,
) -> None:
    plugin = library(b"libffmpeg.so", defines=[(b"decoder_factory", None)])
    package_archive.add("new", b"player", {b"usr/lib/player/libffmpeg.so": plugin})
    made = package_archive.resolve({PROGRAM: program(b"libffmpeg.so", asks=[(b"av_malloc", None, None)])})
    problem = open_for(made, b"libffmpeg.so")
    assert problem.kind is ProblemKind.LIBRARY
    assert "player of new defines none of the symbols asked for" in problem.detail


def test_a_library_on_the_run_path_is_left_alone(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1"))
    files = {
        PROGRAM: program(b"liba.so.1", runpath=b"$ORIGIN/../lib"),
        b"/opt/app/lib/liba.so.1": library(b"liba.so.1", b"libc.so.6"),
    }
    made = package_archive.resolve(files)
    assert made.is_complete
    assert [pin.name for pin in made.packages] == [b"libc6"]


@pytest.mark.parametrize(
    "stranger",
    [b"/opt/other/lib/libs.so.1", b"/opt/app/other/libs.so.1", b"/opt/app/bin/other/lib/libs.so.1"],
)
def test_a_library_of_another_program_near_by_is_not_taken(
    package_archive: PackageArchive, stranger: bytes
) -> None:
    # Programs unpacked side by side in one downloads directory: what one gets must not hang on the others.
    package_archive.add("new", b"libs1", put(b"libs.so.1"))
    made = package_archive.resolve({PROGRAM: program(b"libs.so.1"), stranger: library(b"libs.so.1")})
    assert package_of(made, b"libs.so.1") == (b"libs1", "new")


def test_a_library_in_the_directory_above_is_the_programs_where_its_own_is_called_bin(
    package_archive: PackageArchive,
) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1"))
    lies = library(b"liba.so.1")
    inside = package_archive.resolve({PROGRAM: program(b"liba.so.1"), b"/opt/app/liba.so.1": lies})
    assert chosen(inside, b"liba.so.1").path == b"../liba.so.1"
    files = {b"/srv/data/tool/t": program(b"liba.so.1"), b"/srv/data/liba.so.1": lies}
    beyond = package_archive.resolve(files, [b"/srv/data/tool/t"])
    assert package_of(beyond, b"liba.so.1") == (b"liba1", "new")


def test_a_runtime_beside_the_program_that_is_too_old_is_overridden(package_archive: PackageArchive) -> None:
    package_archive.add(
        "new", b"libstdc++6", put(b"libstdc++.so.6", defines=[(b"a", b"CXX_1"), (b"b", b"CXX_2")])
    )
    package_archive.add(
        "new", b"liba1", put(b"liba.so.1", b"libstdc++.so.6", asks=[(b"b", b"CXX_2", b"libstdc++.so.6")])
    )
    files = {
        PROGRAM: program(b"libstdc++.so.6", b"liba.so.1", runpath=b"$ORIGIN"),
        b"/opt/app/bin/libstdc++.so.6": library(b"libstdc++.so.6", defines=[(b"a", b"CXX_1")]),
    }
    made = package_archive.resolve(files)
    assert made.is_complete
    assert made.override == (b"libstdc++.so.6",)
    assert chosen(made, b"libstdc++.so.6").rule is ChoiceRule.NEWER


def test_nothing_is_fetched_for_what_the_host_or_the_c_library_gives(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"driver", put(b"libcuda.so.1"))
    package_archive.add("new", b"other-libm", put(b"libm.so.6"))
    package_archive.resolve({PROGRAM: program(b"libcuda.so.1", b"libm.so.6")})
    assert {b"driver", b"other-libm"}.isdisjoint(package_archive.looked_into)


def test_a_driver_is_left_to_the_host(package_archive: PackageArchive) -> None:
    made = package_archive.resolve({PROGRAM: program(b"libcuda.so.1")})
    assert made.is_complete
    assert [one.soname for one in made.from_host] == [b"libcuda.so.1"]


def test_a_library_of_the_same_package_in_a_private_directory_is_taken(
    package_archive: PackageArchive,
) -> None:
    files = {
        DIRECTORY + b"libpulse.so.0": library(b"libpulse.so.0", b"libpulsecommon.so"),
        DIRECTORY + b"pulseaudio/libpulsecommon.so": library(b"libpulsecommon.so"),
    }
    package_archive.add("new", b"libpulse0", files)
    made = package_archive.resolve({PROGRAM: program(b"libpulse.so.0")})
    assert made.is_complete
    assert chosen(made, b"libpulsecommon.so").rule is ChoiceRule.SAME_PACKAGE


def test_a_musl_program_is_refused_libraries_built_for_glibc() -> None:
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc())
    package_archive.add("new", b"libstdc++6", put(b"libstdc++.so.6"))
    files = {PROGRAM: program(b"libstdc++.so.6", interpreter=b"/lib/ld-musl-x86_64.so.1")}
    made = package_archive.resolve(files)
    assert "musl" in open_for(made, b"libstdc++.so.6").detail


def test_a_symbol_nobody_defines_is_told(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1", defines=[(b"f", None)]))
    made = package_archive.resolve({PROGRAM: program(b"liba.so.1", asks=[(b"absent", None, None)])})
    assert open_for(made, b"absent").kind is ProblemKind.SYMBOL


def test_what_the_user_asks_for_is_chosen_too(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1"))
    made = package_archive.resolve({PROGRAM: program()}, extra=[b"liba.so.1"])
    assert chosen(made, b"liba.so.1").wish == "asked for"


def test_a_package_asked_for_gives_the_libraries_in_searched_directories(
    package_archive: PackageArchive,
) -> None:
    files = {**put(b"liba.so.1", b"libb.so.1"), DIRECTORY + b"a/plugin.so": library(b"plugin.so")}
    package_archive.add("old", b"a-tools", files)
    package_archive.add("new", b"liba1", put(b"liba.so.1"))
    package_archive.add("new", b"libb1", put(b"libb.so.1"))
    made = package_archive.resolve({PROGRAM: program()}, extra=[b"a-tools"])
    assert package_of(made, b"liba.so.1") == (b"a-tools", "old")
    assert [choice.soname for choice in made.choices if choice.wish == "asked for"] == [
        b"liba.so.1",
        b"libb.so.1",
    ]


def test_what_is_asked_for_and_nobody_has_stays_open(package_archive: PackageArchive) -> None:
    made = package_archive.resolve({PROGRAM: program()}, extra=[b"no-such-package"])
    assert open_for(made, b"no-such-package").kind is ProblemKind.LIBRARY


def test_several_objects_are_resolved_as_one(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1"))
    package_archive.add("new", b"libb1", put(b"libb.so.1"))
    plugin = b"/opt/app/plugins/p.so"
    files = {PROGRAM: program(b"liba.so.1"), plugin: library(b"p.so", b"libb.so.1", b"libc.so.6")}
    made = package_archive.resolve(files, (PROGRAM, plugin))
    assert made.is_complete
    assert {choice.soname for choice in made.choices} >= {b"liba.so.1", b"libb.so.1"}


def test_only_first_candidates_are_looked_into_where_they_do(package_archive: PackageArchive) -> None:
    package_archive.add("new", b"liba1", put(b"liba.so.1"))
    package_archive.add("old", b"liba1-old", put(b"liba.so.1"))
    package_archive.resolve({PROGRAM: program(b"liba.so.1")})
    assert b"liba1-old" not in package_archive.looked_into


def test_parts_of_another_glibc_give_way_together(package_archive: PackageArchive) -> None:
    """They bind to the chosen one today; what is opened tomorrow asks libm for versions of its release."""
    package_archive = PackageArchive()
    package_archive.add("new", b"libc6", libc(b"GLIBC_2.41", b"GLIBC_PRIVATE"))
    private = [(b"fGLIBC_PRIVATE", b"GLIBC_PRIVATE", b"libc.so.6")]
    own = {
        b"/srv/own/libm.so.6": library(b"libm.so.6", asks=private),
        b"/srv/own/libx.so.1": library(b"libx.so.1"),
    }
    main = program(b"libm.so.6", b"libx.so.1", runpath=b"/srv/own")
    made = package_archive.resolve({PROGRAM: main, **own})
    assert made.override == (b"libm.so.6",)
    assert package_of(made, b"libm.so.6") == (b"libc6", "new")
