"""glibc's rules of versions and symbols."""

from tests.support.linker_cases import Case, lib, move, prog, runpath, write

IN_A = {"LD_LIBRARY_PATH": "$ROOT/a"}
V1 = "V1 { global: f; local: *; };"
V2 = "V2 { global: f; local: *; };"
BOTH = "V1 { global: f; local: *; }; V2 { } V1;"
F = "int f(void) { return 1; }"
OLD_AND_NEW = (
    "int f1(void) { return 1; } int f2(void) { return 2; }"
    '__asm__(".symver f1,f@V1"); __asm__(".symver f2,f@@V2");'
)
CALL_F = "int f(void); int main(void) { return f(); }"


def _script(text: str, name: str = "versions") -> tuple[str, ...]:
    """A version script has to be a file; the shell that would hand it over is not there."""
    return (f"-Wl,--version-script=$ROOT/{name}-{text[:2]}{len(text)}",)


def _scripts(*texts: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"versions-{text[:2]}{len(text)}", text) for text in texts)


# Files that must be there before anything is built.
SOURCES = dict(_scripts(V1, V2, BOTH, "V1 { }; V2 { } V1;"))

SYMBOLS = (
    Case(
        "a_version_that_is_not_defined_any_more_is_reported",
        (
            lib("a/libx.so", source=F, flags=_script(V2)),
            prog("a/libx.so", source=CALL_F),
            lib("a/libx.so", source=F, flags=_script(V1)),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_library_without_versions_serves_those_who_want_one",
        (
            lib("a/libx.so", source=F, flags=_script(V1)),
            prog("a/libx.so", source=CALL_F),
            lib("a/libx.so", source="int g(void) { return 1; }"),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_symbol_in_another_version_is_undefined",
        (
            lib("a/libx.so", source=F, flags=_script(BOTH)),
            prog("a/libx.so", source=CALL_F),
            lib(
                "a/libx.so",
                source='int f2(void) { return 2; } __asm__(".symver f2,f@@V2"); int V1_is_here;',
                flags=_script("V1 { }; V2 { } V1;"),
            ),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_reference_without_version_takes_the_oldest_definition",
        (
            lib("a/libx.so", source=F),
            prog("a/libx.so", source=CALL_F),
            lib("a/libx.so", source=OLD_AND_NEW, flags=_script("V1 { }; V2 { } V1;")),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "an_undefined_symbol_is_reported",
        (
            lib("a/libx.so", source=F),
            prog("a/libx.so", source=CALL_F),
            lib("a/libx.so", source="int g(void) { return 1; }"),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "an_undefined_weak_symbol_is_not_reported",
        (
            lib("a/libx.so"),
            prog(
                "a/libx.so",
                source="int f(void) __attribute__((weak)); int main(void) { return f ? f() : 0; }",
            ),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_data_symbol_is_reported_as_well",
        (
            lib("a/libx.so", source="extern int d; int *p = &d;"),
            prog("a/libx.so"),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_hidden_definition_does_not_count",
        (
            lib("a/libx.so", source=F),
            prog("a/libx.so", source=CALL_F),
            lib("a/libx.so", source='__attribute__((visibility("hidden"))) int f(void) { return 1; }'),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_weak_definition_counts",
        (
            lib("a/libx.so", source="__attribute__((weak)) int f(void) { return 1; }"),
            prog("a/libx.so", source=CALL_F),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "any_library_of_the_scope_may_define_it",
        (
            lib("a/libx.so", source="int f(void); int g(void) { return f(); }"),
            lib("a/liby.so", source=F),
            prog("a/libx.so", "a/liby.so"),
        ),
        {"libx.so": "library-path", "liby.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "the_program_may_define_it_for_its_libraries",
        (
            lib("a/libx.so", source="int f(void); int g(void) { return f(); }"),
            prog("a/libx.so", source=F + " int main(void) { return 0; }", flags=("-rdynamic",)),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
    Case(
        "a_preloaded_library_may_define_it",
        (
            lib("a/libx.so", source="int f(void); int g(void) { return f(); }"),
            lib("a/libp.so", source=F),
            prog("a/libx.so"),
        ),
        {"libx.so": "library-path", "libp.so": "library-path"},
        variables=IN_A | {"LD_PRELOAD": "libp.so"},
    ),
    Case(
        "a_missing_library_makes_its_symbols_undefined",
        (
            lib("a/libx.so", source=F),
            prog("a/libx.so", source=CALL_F, flags=runpath("$ROOT/a")),
        ),
        {"libx.so": None},
        then=(move("a/libx.so", "gone/libx.so"), write("a/here", b"")),
    ),
    Case(
        "a_library_with_the_old_hash_table_alone_is_searched",
        (
            lib("a/libx.so", source=F, flags=("-Wl,--hash-style=sysv",)),
            prog("a/libx.so", source=CALL_F),
        ),
        {"libx.so": "library-path"},
        variables=IN_A,
    ),
)
