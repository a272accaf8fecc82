"""musl's rules."""

from tests.support.linker_cases import Case, copy, folder, lib, link, move, prog, retag, rpath, runpath, write

DT_AUDIT, DT_RPATH = 0x6FFFFEFC, 15

CASES = (
    Case(
        "ld_library_path_is_searched_before_rpath",
        (lib("a/libx.so"), lib("b/libx.so"), prog("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ROOT/b"},
    ),
    Case(
        "runpath_serves_the_dependencies_of_dependencies",
        (lib("a/liby.so"), lib("a/libx.so", "a/liby.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "rpath", "liby.so": "rpath"},
    ),
    Case(
        "the_runpath_of_the_object_that_asks_comes_first",
        (
            lib("b/liby.so"),
            lib("a/liby.so"),
            lib("a/libx.so", "a/liby.so", flags=runpath("$ROOT/b")),
            prog("a/libx.so", flags=rpath("$ROOT/a")),
        ),
        {"libx.so": "rpath", "liby.so": "rpath"},
    ),
    Case(
        "runpath_wins_over_rpath_in_one_object",
        (
            lib("a/libx.so"),
            lib("b/libx.so"),
            prog("a/libx.so", flags=(*runpath("$ROOT/b"), "-Wl,--audit,$ROOT/a")),
        ),
        {"libx.so": "rpath"},
        then=(retag("prog", DT_AUDIT, DT_RPATH),),
    ),
    Case(
        "origin_is_known",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("${ORIGIN}/a"))),
        {"libx.so": "rpath"},
    ),
    Case(
        "another_token_makes_the_whole_path_void",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/a:$ROOT/$LIB"))),
        {"libx.so": None},
    ),
    Case(
        "a_path_is_split_at_newlines_and_empty_elements_are_skipped",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "::\n$ROOT/a"},
    ),
    Case(
        "slashes_at_the_end_of_an_element_stay",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ROOT/a//"},
    ),
    Case(
        "libm_and_its_like_are_musl_itself",
        (lib("a/libm.so.6"), lib("a/libpthread.so.0"), prog("a/libm.so.6", "a/libpthread.so.0")),
        {},
        variables={"LD_LIBRARY_PATH": "$ROOT/a"},
    ),
    Case(
        "the_soname_of_a_loaded_library_does_not_answer",
        (
            lib("a/libx.so", soname="libx.so.1"),
            lib("b/libx-link.so", soname=None),
            lib("c/liby.so", "a/libx.so"),
            prog("b/libx-link.so", "c/liby.so", flags=runpath("$ROOT/c")),
        ),
        {"b/libx-link.so": "path", "liby.so": "rpath", "libx.so.1": None},
        then=(copy("a/libx.so", "b/libx-link.so"),),
    ),
    Case(
        "two_links_to_one_file_are_one_library",
        (lib("a/libx.so"), lib("a/liby.so"), prog("a/libx.so", "a/liby.so", flags=runpath("$ROOT/b"))),
        {"libx.so": "rpath"},
        then=(link("../a/libx.so", "b/libx.so"), link("../a/libx.so", "b/liby.so")),
    ),
    Case(
        "a_name_with_a_slash_is_opened_as_it_is",
        (lib("a/libx.so", soname=None), prog("a/libx.so", flags=runpath("$ROOT/b"))),
        {"a/libx.so": "path"},
    ),
    Case(
        "what_is_missing_is_reported_for_each_who_asks",
        (lib("a/gone.so"), lib("a/libx.so", "a/gone.so"), prog("a/gone.so", "a/libx.so")),
        {"gone.so": None, "libx.so": "library-path"},
        then=(move("a/gone.so", "b/gone.so"),),
        variables={"LD_LIBRARY_PATH": "$ROOT/a"},
    ),
    Case(
        "dependencies_come_breadth_first_behind_preloads",
        (
            lib("a/libd.so"),
            lib("a/libb.so", "a/libd.so"),
            lib("a/libx.so"),
            lib("a/libp.so"),
            prog("a/libb.so", "a/libx.so"),
        ),
        {"libp.so": "library-path", "libb.so": "library-path", "libd.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ROOT/a", "LD_PRELOAD": "libp.so"},
    ),
    Case(
        "what_is_no_elf_file_ends_the_search",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(write("a/libx.so", b"INPUT(libx.so.1)" * 10),),
    ),
    Case(
        "a_loop_of_links_ends_the_whole_search",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/b"))),
        {"libx.so": None},
        then=(link("libx.so", "a/libx.so"),),
        variables={"LD_LIBRARY_PATH": "$ROOT/a"},
    ),
    Case(
        "a_directory_of_that_name_ends_the_search",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(folder("a/libx.so"),),
    ),
)
