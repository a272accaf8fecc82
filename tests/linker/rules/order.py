"""glibc's rules of order: breadth first, preloads, filters, the interpreter's place, better processors."""

from tests.support.linker_cases import Case, copy, lib, move, prog, remove, rpath, runpath, write

TREE = (
    lib("a/libd.so"),
    lib("a/libb.so", "a/libd.so"),
    lib("a/libc.so", "a/libd.so"),
)
IN_A = {"LD_LIBRARY_PATH": "$ROOT/a"}

ORDER = (
    Case(
        "dependencies_come_breadth_first",
        (*TREE, prog("a/libb.so", "a/libc.so")),
        {"libb.so": "library-path", "libc.so": "library-path", "libd.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_cycle_is_loaded_once",
        (
            lib("a/libx.so"),
            lib("a/liby.so", "a/libx.so"),
            lib("a/libx.so", "a/liby.so"),
            prog("a/libx.so"),
        ),
        {"libx.so": "library-path", "liby.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "what_is_missing_is_listed_for_each_who_asks",
        (
            lib("a/gone.so"),
            lib("a/libx.so", "a/gone.so"),
            prog("a/gone.so", "a/libx.so"),
        ),
        {"gone.so": None, "libx.so": "library-path"},
        then=(remove("a/gone.so"),),
        variables=IN_A,
    ),
    Case(
        "a_program_without_needs_lists_nothing",
        (prog(),),
        {},
    ),
    Case(
        "the_interpreter_stands_where_it_is_needed",
        (
            lib("a/libx.so"),
            prog("/lib64/ld-linux-x86-64.so.2", "a/libx.so"),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "the_interpreter_is_listed_last_when_a_library_needs_it",
        (
            lib("a/liby.so"),
            lib("a/libx.so", "/lib64/ld-linux-x86-64.so.2", "a/liby.so"),
            prog("a/libx.so"),
        ),
        {"libx.so": "library-path", "liby.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_preloaded_library_comes_before_all_others",
        (lib("a/libx.so"), lib("a/libp.so"), prog("a/libx.so")),
        {"libp.so": "library-path", "libx.so": "library-path"},
        variables=IN_A | {"LD_PRELOAD": "libp.so"},
    ),
    Case(
        "preloads_are_split_by_blanks_and_colons",
        (lib("a/libx.so"), lib("a/libp.so"), lib("a/libq.so"), lib("a/libr.so"), prog("a/libx.so")),
        {"libp.so": "library-path", "libq.so": "library-path", "libr.so": "library-path"},
        variables=IN_A | {"LD_PRELOAD": "libp.so:libq.so libr.so"},
    ),
    Case(
        "a_preload_may_be_a_path",
        (lib("a/libx.so"), lib("b/libp.so"), prog("a/libx.so")),
        {"$ROOT/b/libp.so": "path"},
        variables=IN_A | {"LD_PRELOAD": "$ROOT/b/libp.so"},
    ),
    Case(
        "a_preload_that_is_needed_too_is_loaded_once_and_first",
        (lib("a/libx.so"), lib("a/liby.so"), prog("a/libx.so", "a/liby.so")),
        {"liby.so": "library-path", "libx.so": "library-path"},
        variables=IN_A | {"LD_PRELOAD": "liby.so"},
    ),
    Case(
        "the_dependencies_of_a_preload_come_with_those_of_the_program",
        (
            lib("a/liby.so"),
            lib("a/libx.so"),
            lib("a/libp.so", "a/liby.so"),
            prog("a/libx.so"),
        ),
        {"libp.so": "library-path", "libx.so": "library-path", "liby.so": "library-path"},
        variables=IN_A | {"LD_PRELOAD": "libp.so"},
    ),
    Case(
        "the_rpath_of_the_program_serves_preloads",
        (lib("a/libx.so"), lib("a/libp.so"), prog("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libp.so": "rpath", "libx.so": "rpath"},
        variables={"LD_PRELOAD": "libp.so"},
    ),
    Case(
        "a_filtee_is_loaded_before_its_filter",
        (
            lib("a/filtee.so"),
            lib("a/libx.so", flags=("-Wl,-F,filtee.so",)),
            lib("a/liby.so"),
            prog("a/libx.so", "a/liby.so"),
        ),
        {"filtee.so": "library-path", "libx.so": "library-path", "liby.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "an_auxiliary_filtee_may_be_there",
        (
            lib("a/filtee.so"),
            lib("a/libx.so", flags=("-Wl,-f,filtee.so",)),
            prog("a/libx.so"),
        ),
        {"filtee.so": "library-path", "libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_filtee_that_was_loaded_later_moves_up",
        (
            lib("a/filtee.so"),
            lib("a/libx.so", flags=("-Wl,-F,filtee.so",)),
            prog("a/libx.so", "a/filtee.so"),
        ),
        {"filtee.so": "library-path", "libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "the_needs_of_a_filtee_are_loaded",
        (
            lib("a/libz.so"),
            lib("a/filtee.so", "a/libz.so"),
            lib("a/libx.so", flags=("-Wl,-F,filtee.so",)),
            prog("a/libx.so"),
        ),
        {"filtee.so": "library-path", "libz.so": "library-path"},
        variables=IN_A,
    ),
)


def _variants(*places: str) -> Case:
    """libx.so in each place below a directory, and in the directory itself."""
    name = places[0].replace("/", "_").replace("-", "_")
    return Case(
        f"{name}_is_searched_before_the_directory_itself",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath"},
        then=tuple(copy("a/libx.so", f"a/{place}/libx.so") for place in places),
    )


HWCAPS = (
    _variants("glibc-hwcaps/x86-64-v2"),
    _variants("glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"),
    _variants("glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v2"),
    _variants("glibc-hwcaps/x86-64-v9"),
    _variants("tls"),
    _variants("x86_64", "haswell"),
    _variants("haswell/avx512_1", "haswell/x86_64", "avx512_1/x86_64", "x86_64"),
    _variants("tls/x86_64", "x86_64"),
    _variants("x86_64/x86_64", "x86_64", "tls"),
    Case(
        "better_directories_are_searched_for_ld_library_path_too",
        (lib("a/libx.so"), prog("a/libx.so")),
        {"libx.so": "library-path"},
        then=(move("a/libx.so", "a/glibc-hwcaps/x86-64-v2/libx.so"), write("a/other", b"")),
        variables=IN_A,
    ),
    Case(
        "origin_of_a_library_in_a_better_directory_is_that_directory",
        (
            lib("a/liby.so"),
            lib("a/libx.so", "a/liby.so", flags=runpath("$ORIGIN/sub")),
            prog("a/libx.so", flags=runpath("$ROOT/a")),
        ),
        {"libx.so": "runpath", "liby.so": "runpath"},
        then=(
            move("a/libx.so", "a/glibc-hwcaps/x86-64-v2/libx.so"),
            move("a/liby.so", "a/glibc-hwcaps/x86-64-v2/sub/liby.so"),
        ),
    ),
)
