"""glibc's rules of names and of the files that it accepts, one case each; the name is the rule."""

from tests.support.linker_cases import (
    Case,
    copy,
    folder,
    hard_link,
    lib,
    link,
    move,
    patch_header,
    prog,
    remove,
    rpath,
    runpath,
    write,
)

X_IN_BOTH = (lib("a/libx.so"), lib("b/libx.so"))


NAMES = (
    Case(
        "a_name_with_a_slash_is_opened_as_it_is",
        (lib("a/libx.so", soname=None), prog("a/libx.so", flags=runpath("$ROOT/b"))),
        {"a/libx.so": "path"},
    ),
    Case(
        "an_absolute_name_is_opened_as_it_is",
        (lib("a/libx.so", soname=None), prog("$ROOT/a/libx.so")),
        {"$ROOT/a/libx.so": "path"},
    ),
    Case(
        "a_path_that_is_not_there_is_not_searched_for",
        (lib("a/libx.so", soname=None), prog("a/libx.so", flags=runpath("$ROOT/b"))),
        {"a/libx.so": None},
        then=(move("a/libx.so", "b/libx.so"),),
    ),
    Case(
        "the_soname_of_a_loaded_library_answers_for_it",
        (
            lib("a/libx.so", soname="libx.so.1"),
            lib("b/libx-link.so", soname=None),
            lib("c/liby.so", "a/libx.so"),
            prog("b/libx-link.so", "c/liby.so", flags=runpath("$ROOT/c")),
        ),
        {"b/libx-link.so": "path", "liby.so": "runpath"},
        then=(copy("a/libx.so", "b/libx-link.so"),),
    ),
    Case(
        "the_name_a_library_was_asked_by_answers_for_it",
        (
            lib("a/libx.so", soname="libx.so"),
            lib("a/liby.so", "a/libx.so"),
            prog("a/libx.so", "a/liby.so", flags=rpath("$ROOT/b:$ROOT/a")),
            lib("b/libx.so", soname="another.so"),
        ),
        {"libx.so": "rpath", "liby.so": "rpath"},
    ),
    Case(
        "two_links_to_one_file_are_one_library",
        (
            lib("a/libx.so"),
            lib("a/liby.so"),
            prog("a/libx.so", "a/liby.so", flags=runpath("$ROOT/b")),
        ),
        {"libx.so": "runpath"},
        then=(link("../a/libx.so", "b/libx.so"), link("../a/libx.so", "b/liby.so")),
    ),
    Case(
        "two_hard_links_to_one_file_are_one_library",
        (
            lib("a/libx.so"),
            lib("a/liby.so"),
            prog("a/libx.so", "a/liby.so", flags=runpath("$ROOT/b")),
        ),
        {"libx.so": "runpath"},
        then=(hard_link("a/libx.so", "b/libx.so"), hard_link("a/libx.so", "b/liby.so")),
    ),
    Case(
        "two_files_of_one_name_are_two_libraries",
        (
            lib("a/libx.so", soname=None),
            lib("b/libx.so", soname=None),
            prog("a/libx.so", "b/libx.so"),
        ),
        {"a/libx.so": "path", "b/libx.so": "path"},
    ),
    Case(
        "the_programs_own_soname_answers",
        (
            lib("a/prog-as-library.so", soname="libprog.so"),
            lib("a/libx.so", "a/prog-as-library.so"),
            prog("a/libx.so", flags=(*runpath("$ROOT/a"), "-Wl,-soname,libprog.so")),
        ),
        {"libx.so": "runpath"},
    ),
)


FILES = (
    Case(
        "a_file_of_the_other_class_is_passed_over",
        (
            lib("a/libx.so", flags=("-m32",)),
            lib("b/libx.so"),
            prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b")),
        ),
        {"libx.so": "runpath"},
    ),
    Case(
        "a_file_for_another_machine_is_passed_over",
        (*X_IN_BOTH, prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": "runpath"},
        then=(patch_header("a/libx.so", 18, b"\xb7\x00"),),
    ),
    Case(
        "a_file_of_the_other_class_is_passed_over_in_the_last_place_too",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a")), lib("a/libx.so", flags=("-m32",))),
        {"libx.so": None},
    ),
    Case(
        "a_dangling_link_is_passed_over",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": "runpath"},
        then=(link("nowhere", "a/libx.so"),),
    ),
    Case(
        "a_loop_of_links_ends_its_list_but_not_the_search",
        (*X_IN_BOTH, prog("b/libx.so", flags=runpath("$ROOT/b"))),
        {"libx.so": "runpath"},
        then=(remove("a/libx.so"), link("libx.so", "a/libx.so"), copy("b/libx.so", "c/libx.so")),
        variables={"LD_LIBRARY_PATH": "$ROOT/a:$ROOT/c"},
    ),
    Case(
        "a_file_in_place_of_a_directory_is_passed_over",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": "runpath"},
        then=(write("a", b""),),
    ),
    Case(
        "what_is_no_elf_file_ends_the_start",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(write("a/libx.so", b"INPUT(libx.so.1)" * 10),),
        failure="invalid ELF header",
    ),
    Case(
        "an_empty_file_ends_the_start",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(write("a/libx.so", b""),),
        failure="file too short",
    ),
    Case(
        "a_directory_of_that_name_ends_the_start",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(folder("a/libx.so"),),
        failure="cannot read file data",
    ),
    Case(
        "the_other_byte_order_ends_the_start",
        (*X_IN_BOTH, prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(patch_header("a/libx.so", 5, b"\x02"),),
        failure="ELF file data encoding not little-endian",
    ),
    Case(
        "an_unknown_os_abi_ends_the_start",
        (*X_IN_BOTH, prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(patch_header("a/libx.so", 7, b"\x09"),),
        failure="ELF file OS ABI invalid",
    ),
    Case(
        "an_object_file_ends_the_start",
        (*X_IN_BOTH, prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b"))),
        {"libx.so": None},
        then=(patch_header("a/libx.so", 16, b"\x01\x00"),),
        failure="only ET_DYN and ET_EXEC can be loaded",
    ),
    Case(
        "a_position_independent_executable_is_no_library",
        (lib("b/libx.so"), prog("b/libx.so", flags=runpath("$ROOT/a:$ROOT/b")), prog(out="a/libx.so")),
        {"libx.so": None},
        failure="cannot dynamically load position-independent executable",
    ),
)
