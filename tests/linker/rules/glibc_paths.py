"""glibc's rules of search paths and their tokens, one case each; the name is the rule."""

from tests.support.linker_cases import (
    Case,
    copy,
    lib,
    link,
    move,
    prog,
    retag,
    rpath,
    runpath,
)

X_IN_BOTH = (lib("a/libx.so"), lib("b/libx.so"))


DT_AUDIT = 0x6FFFFEFC


DT_RPATH = 15


PATHS = (
    Case(
        "rpath_is_searched_before_ld_library_path",
        (*X_IN_BOTH, prog("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "rpath"},
        variables={"LD_LIBRARY_PATH": "$ROOT/b"},
    ),
    Case(
        "runpath_is_searched_after_ld_library_path",
        (*X_IN_BOTH, prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ROOT/b"},
    ),
    Case(
        "rpath_serves_the_dependencies_of_dependencies",
        (lib("a/liby.so"), lib("a/libx.so", "a/liby.so"), prog("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "rpath", "liby.so": "rpath"},
    ),
    Case(
        "rpath_is_looked_up_along_the_whole_chain_of_loaders",
        (
            lib("b/libz.so"),
            lib("a/liby.so", "b/libz.so"),
            lib("a/libx.so", "a/liby.so", flags=rpath("$ROOT/b:$ROOT/a")),
            prog("a/libx.so", flags=rpath("$ROOT/a")),
        ),
        {"libx.so": "rpath", "liby.so": "rpath", "libz.so": "rpath"},
    ),
    Case(
        "the_nearest_loaders_rpath_comes_first",
        (
            lib("b/liby.so"),
            lib("a/liby.so"),
            lib("a/libx.so", "a/liby.so", flags=rpath("$ROOT/b")),
            prog("a/libx.so", flags=rpath("$ROOT/a")),
        ),
        {"liby.so": "rpath"},
    ),
    Case(
        "runpath_does_not_serve_the_dependencies_of_dependencies",
        (lib("a/liby.so"), lib("a/libx.so", "a/liby.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath", "liby.so": None},
    ),
    Case(
        "an_object_with_runpath_has_no_rpath",
        (
            *X_IN_BOTH,
            prog("a/libx.so", flags=(*runpath("$ROOT/b"), "-Wl,--audit,$ROOT/a")),
        ),
        {"libx.so": "runpath"},
        then=(retag("prog", DT_AUDIT, DT_RPATH),),
    ),
    Case(
        "the_runpath_of_the_object_that_asks_shuts_out_every_rpath",
        (
            lib("a/liby.so"),
            lib("a/libx.so", "a/liby.so", flags=runpath("$ROOT/none")),
            prog("a/libx.so", flags=rpath("$ROOT/a")),
        ),
        {"libx.so": "rpath", "liby.so": None},
    ),
    Case(
        "a_runpath_in_the_middle_of_the_chain_leaves_the_rpath_above_it",
        (
            lib("a/libz.so"),
            lib("a/liby.so", "a/libz.so"),
            lib("a/libx.so", "a/liby.so", flags=runpath("$ROOT/a")),
            prog("a/libx.so", flags=rpath("$ROOT/a")),
        ),
        {"libx.so": "rpath", "liby.so": "runpath", "libz.so": "rpath"},
    ),
    Case(
        "directories_are_searched_in_the_order_of_the_path",
        (*X_IN_BOTH, prog("a/libx.so", flags=runpath("$ROOT/b:$ROOT/a"))),
        {"libx.so": "runpath"},
    ),
    Case(
        "ld_library_path_may_be_split_by_semicolons",
        (lib("b/libx.so"), prog("b/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ROOT/a;$ROOT/b"},
    ),
    Case(
        "runpath_is_not_split_by_semicolons",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a;$ROOT/b"))),
        {"libx.so": None},
    ),
    Case(
        "an_empty_element_is_the_working_directory",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": ":$ROOT/none"},
        directory="a",
    ),
    Case(
        "an_empty_ld_library_path_is_none",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": None},
        variables={"LD_LIBRARY_PATH": ""},
        directory="a",
    ),
    Case(
        "a_relative_element_counts_from_the_working_directory",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "./a"},
    ),
    Case(
        "trailing_slashes_are_one",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ROOT/a///"},
    ),
    Case(
        "the_cache_is_searched_after_runpath",
        (prog("/usr/lib/x86_64-linux-gnu/libz.so.1", flags=runpath("$ROOT/none")),),
        {"libz.so.1": "cache"},
    ),
    Case(
        "the_default_directories_are_searched_without_a_cache",
        (prog("/usr/lib/x86_64-linux-gnu/libz.so.1"),),
        {"libz.so.1": "default"},
        options=("--inhibit-cache",),
    ),
    Case(
        "runpath_hides_what_the_cache_has",
        (lib("a/libz.so.1"), prog("a/libz.so.1", flags=runpath("$ROOT/a"))),
        {"libz.so.1": "runpath"},
    ),
    Case(
        "nodefaultlib_rules_out_default_directories_and_their_cache_entries",
        (prog("/usr/lib/x86_64-linux-gnu/libz.so.1", flags=("-Wl,-z,nodefaultlib",)),),
        {"libz.so.1": None},
    ),
)


TOKENS = (
    Case(
        "origin_is_the_directory_of_the_program",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ORIGIN/a"))),
        {"libx.so": "runpath"},
    ),
    Case(
        "a_token_may_be_in_braces",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("${ORIGIN}/a"))),
        {"libx.so": "runpath"},
    ),
    Case(
        "origin_of_a_library_is_its_own_directory",
        (
            lib("a/b/liby.so"),
            lib("a/libx.so", "a/b/liby.so", flags=runpath("$ORIGIN/b")),
            prog("a/libx.so", flags=runpath("$ORIGIN/a")),
        ),
        {"libx.so": "runpath", "liby.so": "runpath"},
    ),
    Case(
        "origin_in_an_inherited_rpath_is_that_of_its_object",
        (
            lib("a/liby.so"),
            lib("a/b/libx.so", "a/liby.so"),
            prog("a/b/libx.so", flags=rpath("$ORIGIN/a:$ORIGIN/a/b")),
        ),
        {"libx.so": "rpath", "liby.so": "rpath"},
    ),
    Case(
        "origin_keeps_links_when_ld_so_is_started_by_hand",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ORIGIN/a"))),
        {"libx.so": None},
        then=(link("../prog", "links/prog"),),
        program="links/prog",
    ),
    Case(
        "origin_has_links_resolved_when_the_kernel_starts_the_program",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ORIGIN/a"))),
        {"libx.so": "runpath"},
        then=(link("../prog", "links/prog"),),
        program="links/prog",
        start="execve",
    ),
    Case(
        "origin_in_ld_library_path_is_the_programs",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        variables={"LD_LIBRARY_PATH": "$ORIGIN/a"},
    ),
    Case(
        "lib_is_the_directory_glibc_was_built_for",
        (
            lib("lib/x86_64-linux-gnu/libx.so"),
            prog("lib/x86_64-linux-gnu/libx.so", flags=runpath("$ROOT/$LIB")),
        ),
        {"libx.so": "runpath"},
    ),
    Case(
        "platform_is_the_processor",
        (lib("x86_64/libx.so"), prog("x86_64/libx.so", flags=runpath("$ROOT/$PLATFORM"))),
        {"libx.so": "runpath"},
        # Intel's have names of their own.
        then=tuple(copy("x86_64/libx.so", f"{name}/libx.so") for name in ("haswell", "xeon_phi")),
    ),
    Case(
        "an_unknown_token_stands_for_itself",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/$UNKNOWN"))),
        {"libx.so": "runpath"},
        then=(move("a/libx.so", "$UNKNOWN/libx.so"),),
    ),
    Case(
        "a_longer_identifier_is_no_token",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/$LIBRARY"))),
        {"libx.so": "runpath"},
        then=(move("a/libx.so", "$LIBRARY/libx.so"),),
    ),
    Case(
        "a_token_in_a_needed_name_makes_it_a_path",
        (lib("a/libx.so", soname="$ORIGIN/a/libx.so"), prog("a/libx.so")),
        {"$ROOT/a/libx.so": "path"},
    ),
)
