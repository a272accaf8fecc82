"""glibc's rules where a 32-bit program sees others than a 64-bit one."""

from tests.support.linker_cases import Case, copy, lib, prog, rpath, runpath

CASES = (
    Case(
        "rpath_is_searched_before_ld_library_path",
        (lib("a/libx.so"), lib("b/libx.so"), prog("a/libx.so", flags=rpath("$ROOT/a"))),
        {"libx.so": "rpath"},
        variables={"LD_LIBRARY_PATH": "$ROOT/b"},
    ),
    Case(
        "runpath_does_not_serve_the_dependencies_of_dependencies",
        (lib("a/liby.so"), lib("a/libx.so", "a/liby.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath", "liby.so": None},
    ),
    Case(
        "a_64_bit_file_is_passed_over",
        (
            lib("a/libx.so", flags=("-m64",)),
            lib("b/libx.so"),
            prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b")),
        ),
        {"libx.so": "runpath"},
    ),
    Case(
        "lib_is_lib32",
        (lib("lib32/libx.so"), prog("lib32/libx.so", flags=runpath("$ROOT/$LIB"))),
        {"libx.so": "runpath"},
    ),
    Case(
        "platform_is_i686",
        (lib("i686/libx.so"), prog("i686/libx.so", flags=runpath("$ROOT/$PLATFORM"))),
        {"libx.so": "runpath"},
    ),
    Case(
        "sse2_and_i686_are_better_directories",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath"},
        then=(copy("a/libx.so", "a/sse2/libx.so"), copy("a/libx.so", "a/i686/libx.so")),
    ),
    Case(
        "tls_i686_sse2_is_the_best_of_them",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath"},
        then=(copy("a/libx.so", "a/tls/i686/sse2/libx.so"), copy("a/libx.so", "a/tls/libx.so")),
    ),
    Case(
        "glibc_hwcaps_are_not_for_32_bits",
        (lib("a/libx.so"), prog("a/libx.so", flags=runpath("$ROOT/a"))),
        {"libx.so": "runpath"},
        then=(copy("a/libx.so", "a/glibc-hwcaps/x86-64-v2/libx.so"),),
    ),
    Case(
        "the_cache_gives_the_32_bit_entry",
        (prog("/usr/lib32/libm.so.6"),),
        {"libm.so.6": "cache"},
    ),
    Case(
        "an_undefined_symbol_is_reported",
        (
            lib("a/libx.so", source="int f(void) { return 1; }"),
            prog("a/libx.so", source="int f(void); int main(void) { return f(); }", flags=runpath("$ROOT/a")),
            lib("a/libx.so"),
        ),
        {"libx.so": "runpath"},
    ),
)
