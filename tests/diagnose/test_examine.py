"""Each thing `why` can find, in a small system in memory: its code, its words, its remedy."""

import pytest

from denizen.diagnose.problem import Severity
from denizen.elf import constants as c
from denizen.file_placement import Placement
from denizen.fileview import Executable, ViewLink
from denizen.linker import Environment
from denizen.value import replace
from tests.support.elf_builder import Elf, Note, Symbol, build
from tests.support.glibc_systems import FREE, HOST, INTERPRETER, LD_SO, Case, program
from tests.support.processors import LEVEL_4


def test_a_program_with_all_it_needs_has_no_problem() -> None:
    report = Case(program()).report()
    assert (report.problems, report.starts, report.kind) == ((), True, "dynamic program")
    assert (report.libc, report.glibc_found, report.glibc_required) == ("glibc", "2.36", "2.2.5")


def test_all_missing_libraries_are_named_at_once_with_who_asks() -> None:
    helper = build(Elf(soname=b"libhelper.so.1", needed=(b"libdeep.so.3",)))
    case = Case(program(b"liba.so.1", b"libhelper.so.1", b"libb.so.2"), {b"/usr/lib/libhelper.so.1": helper})
    problem = case.problem("library-missing")
    assert problem.severity is Severity.ERROR
    assert problem.message == "it needs 3 libraries not found here: liba.so.1, libb.so.2 and libdeep.so.3"
    assert problem.details == ("libdeep.so.3, needed by libhelper.so.1",)
    assert problem.hint == "denizen find liba.so.1 libb.so.2 libdeep.so.3"


def test_a_library_missing_for_two_is_one_row_with_both() -> None:
    helper = build(Elf(soname=b"libhelper.so.1", needed=(b"liba.so.1",)))
    report = Case(program(b"liba.so.1", b"libhelper.so.1"), {b"/lib/libhelper.so.1": helper}).report()
    (row,) = [row for row in report.libraries if row.path is None]
    assert row.needed_by == (b"/opt/app/bin/program", b"/lib/libhelper.so.1")


def test_a_library_that_lies_beside_the_program_is_pointed_at() -> None:
    library = build(Elf(soname=b"liba.so.1"))
    problem = Case(program(b"liba.so.1"), {b"/opt/app/lib/liba.so.1": library}).problem("library-missing")
    assert problem.hint == "LD_LIBRARY_PATH=/opt/app/lib /opt/app/bin/program"
    assert "lies in /opt/app/lib/liba.so.1" in problem.details[0]


def test_a_library_beside_the_program_under_a_longer_name_wants_a_link() -> None:
    library = build(Elf(soname=b"liba.so.1"))
    problem = Case(program(b"liba.so.1"), {b"/opt/app/lib/liba.so.1.2": library}).problem("library-missing")
    assert problem.hint == "ln -s liba.so.1.2 /opt/app/lib/liba.so.1"


def test_a_library_for_another_machine_beside_the_program_is_not_offered() -> None:
    library = build(Elf(soname=b"liba.so.1", machine=183))
    problem = Case(program(b"liba.so.1"), {b"/opt/app/lib/liba.so.1": library}).problem("library-missing")
    assert problem.hint == "denizen find liba.so.1"


def test_a_library_of_the_wrong_class_is_told_as_what_came_near() -> None:
    library = build(Elf(soname=b"liba.so.1", bits=32, machine=3))
    problem = Case(program(b"liba.so.1"), {b"/usr/lib/liba.so.1": library}).problem("library-missing")
    assert "/usr/lib/liba.so.1: wrong ELF class" in problem.details[0]


@pytest.mark.parametrize(
    ("interpreter", "hint"),
    [
        (b"/lib/ld-musl-x86_64.so.1", "musl"),
        (b"/nix/store/abc-glibc-2.40/lib/ld-linux-x86-64.so.2", "Nix"),
        (b"/lib64/ld-linux-other.so.2", "libc6"),
    ],
)
def test_a_missing_interpreter_explains_the_famous_message(interpreter: bytes, hint: str) -> None:
    problem = Case(program(interpreter=interpreter)).problem("interpreter-missing")
    assert "'No such file or directory'" in problem.message
    assert interpreter.decode() in problem.message
    assert hint in problem.hint


def test_a_missing_interpreter_of_a_32_bit_program_names_the_32_bit_library() -> None:
    content = build(Elf(bits=32, machine=3, interpreter=b"/lib/ld-linux.so.2", flags_1=c.DF_1_PIE))
    assert "libc6:i386" in Case(content).problem("interpreter-missing").hint


def test_an_old_glibc_is_told_with_both_versions_and_who_needs_the_newer() -> None:
    wanted = Symbol(b"fresher", defined=False, version=b"GLIBC_2.38", file=b"libc.so.6")
    case = Case(program(symbols=(wanted,)))
    problem = case.problem("glibc-too-old")
    assert problem.message.startswith("it needs glibc 2.38 or newer, this machine has 2.36")
    assert problem.details == ("GLIBC_2.38 for program",)
    assert "symbol-missing" not in case.codes()


def test_the_newest_of_several_versions_is_the_one_named() -> None:
    symbols = tuple(
        Symbol(name, defined=False, version=version, file=b"libc.so.6")
        for name, version in ((b"a", b"GLIBC_2.100"), (b"b", b"GLIBC_2.38"), (b"c", b"GLIBC_2.9"))
    )
    assert "glibc 2.100 or newer" in Case(program(symbols=symbols)).problem("glibc-too-old").message


def test_an_old_libstdcxx_is_told_as_a_gcc_release() -> None:
    wanted = Symbol(b"_ZNew", defined=False, version=b"GLIBCXX_3.4.32", file=b"libstdc++.so.6")
    library = build(Elf(soname=b"libstdc++.so.6", symbols=(Symbol(b"_ZOld", version=b"GLIBCXX_3.4.30"),)))
    content = program(b"libstdc++.so.6", symbols=(wanted,))
    problem = Case(content, {b"/usr/lib/libstdc++.so.6": library}).problem("libstdcxx-too-old")
    assert "GCC 13" in problem.message
    assert "GLIBCXX_3.4.32" in problem.message


def test_another_librarys_missing_version_names_the_file_that_lacks_it() -> None:
    wanted = Symbol(b"f", defined=False, version=b"A_2", file=b"liba.so.1")
    library = build(Elf(soname=b"liba.so.1", symbols=(Symbol(b"f", version=b"A_1"),)))
    content = program(b"liba.so.1", symbols=(wanted,))
    problem = Case(content, {b"/lib/liba.so.1": library}).problem("version-missing")
    assert problem.message.startswith("/lib/liba.so.1 is another release")
    assert "A_2" in problem.message


def test_a_symbol_nothing_defines_is_a_warning_with_its_user() -> None:
    problem = Case(program(symbols=(Symbol(b"lost", defined=False),))).problem("symbol-missing")
    assert problem.severity is Severity.WARNING
    assert problem.details == ("lost, used by /opt/app/bin/program",)


def test_a_symbol_that_is_bound_at_start_and_nothing_defines_is_an_error() -> None:
    content = program(symbols=(Symbol(b"lost", defined=False),), flags=c.DF_BIND_NOW)
    assert Case(content).problem("symbol-missing").severity is Severity.ERROR


def test_symbols_are_not_blamed_while_a_library_is_missing() -> None:
    case = Case(program(b"libgone.so.1", symbols=(Symbol(b"lost", defined=False),)))
    assert case.codes() == ["library-missing"]


def test_an_executable_stack_is_a_warning_that_names_the_library() -> None:
    library = build(Elf(soname=b"liba.so.1", stack=c.PF_R | c.PF_W | c.PF_X))
    problem = Case(program(b"liba.so.1"), {b"/lib/liba.so.1": library}).problem("executable-stack")
    assert "/lib/liba.so.1" in problem.message
    assert problem.severity is Severity.WARNING


def test_another_machines_program_is_noted_with_its_emulator_and_nothing_else() -> None:
    case = Case(program(b"libgone.so.1", machine=183))
    problem = case.problem("wrong-machine")
    assert "aarch64 (64-bit)" in problem.message
    assert "qemu-aarch64" in problem.message
    assert problem.severity is Severity.NOTE
    assert case.codes() == ["wrong-machine"]
    assert case.report().is_emulated
    assert not case.report().starts


@pytest.mark.parametrize(("e_machine", "name"), [(20, "ppc"), (43, "sparc64"), (9999, "machine 9999")])
def test_a_machine_that_nothing_here_emulates_is_an_error(e_machine: int, name: str) -> None:
    case = Case(program(machine=e_machine))
    problem = case.problem("wrong-machine")
    assert name in problem.message
    assert problem.severity is Severity.ERROR
    assert not case.report().is_emulated


def test_a_script_whose_interpreter_is_another_machines_is_an_error() -> None:
    case = Case(b"#!/bin/strange\n", {b"/bin/strange": Executable(program(machine=183))})
    assert case.problem("wrong-machine").severity is Severity.ERROR


def test_a_32_bit_program_is_no_stranger_to_a_64_bit_kernel() -> None:
    content = build(Elf(bits=32, machine=3, interpreter=b"/lib/ld-linux.so.2", flags_1=c.DF_1_PIE))
    assert "wrong-machine" not in Case(content).codes()


def test_a_processor_level_beyond_this_one_is_an_error() -> None:
    note = Note(b"GNU", 5, b"\x02\x80\x00\xc0\x04\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00", 8)
    content = build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), notes=(note,), flags_1=c.DF_1_PIE))
    assert "x86-64-v4" in Case(content).problem("processor-too-old").message
    assert Case(content, host=replace(HOST, cpu_flags=LEVEL_4)).codes() == []


def test_a_kernel_older_than_the_program_asks_for_is_an_error() -> None:
    note = Note(b"GNU", 1, b"".join(n.to_bytes(4, "little") for n in (0, 7, 0, 0)))
    content = build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), notes=(note,), flags_1=c.DF_1_PIE))
    problem = Case(content).problem("kernel-too-old")
    assert problem.message == "it needs Linux 7.0.0 or newer, and this is 6.1.0"


def test_a_missing_execute_bit_wants_chmod() -> None:
    problem = Case(program(), placement=replace(FREE, executable=False)).problem("not-executable")
    assert problem.hint == "chmod +x /opt/app/bin/program"


def test_a_path_in_a_remedy_is_quoted_for_the_shell() -> None:
    case = Case(program(), placement=replace(FREE, executable=False), path=b"/opt/it's here/p")
    assert case.problem("not-executable").hint == "chmod +x '/opt/it'\\''s here/p'"


def test_a_noexec_mount_is_told_apart_from_the_execute_bit() -> None:
    case = Case(program(), placement=replace(FREE, noexec=True))
    assert case.codes() == ["noexec-mount"]


def test_an_unreadable_file_is_said_to_be_and_nothing_more() -> None:
    case = Case(b"", placement=Placement(noexec=False, nosuid=False, executable=True, readable=False))
    assert case.codes() == ["unreadable"]


def test_a_truncated_program_tells_both_sizes() -> None:
    whole = program(b"liba.so.1")
    case = Case(whole[: len(whole) // 2])
    problem = case.problem("file-cut-short")
    assert f"{len(whole):,}" in problem.message
    assert f"{len(whole) // 2:,}" in problem.message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"echo hello\n", "script-without-interpreter"),
        (b"\x1f\x8b\x08" + bytes(40), "not-a-program"),
        (b"!<arch>\n" + bytes(60), "not-a-program"),
        (bytes(range(256)), "not-a-program"),
        (b"\x7fELF\x09\x01" + bytes(60), "damaged"),
        (build(Elf(type=c.ET_CORE, dynamic=False)), "not-a-program"),
        (build(Elf(soname=b"liba.so.1")), "not-a-program"),
    ],
)
def test_what_is_no_program_is_named_for_what_it_is(content: bytes, code: str) -> None:
    assert code in Case(content).codes()


def test_a_directory_is_a_directory() -> None:
    assert Case(b"", path=b"/opt").report().problems[0].code == "empty-file"
    case = Case(b"", {b"/opt/dir/": b""})
    case.path = b"/opt/other"
    assert case.codes() == ["empty-file"]


def test_a_script_is_followed_to_its_interpreter() -> None:
    report = Case(b"#!/bin/sh -e\n").report()
    assert (report.kind, report.chain, report.starts) == ("script", (b"/bin/sh",), True)
    assert [row.soname for row in report.libraries if row.path] != []


def test_a_script_by_env_is_followed_to_the_command() -> None:
    report = Case(b"#!/usr/bin/env -S sh -e\n").report()
    assert report.chain == (b"/bin/sh",)


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (b"#!/usr/bin/python9\n", "script-interpreter-missing", "/usr/bin/python9"),
        (b"#!/bin/sh\r\n", "script-line-ending", "carriage return"),
        (b"#!/usr/bin/env ruby9\n", "script-command-missing", "ruby9"),
        (b"#!/usr/bin/env sh\r\n", "script-line-ending", "carriage return"),
        (b"#!bin/sh\n", "script-interpreter-relative", "'bin/sh'"),
    ],
)
def test_a_script_that_cannot_start_says_which_step_fails(line: bytes, code: str, words: str) -> None:
    problem = Case(line).problem(code)
    assert words in problem.message


@pytest.mark.parametrize(
    ("runner", "words"),
    [
        (b"#!/bin/sh\n", "/opt/runner, which is not executable; the kernel refuses"),
        (ViewLink(b"/bin"), "/opt/runner, which is not a file; the kernel refuses"),
        (Executable(b""), "/opt/runner, which is empty; the kernel refuses"),
        (Executable(b"echo\n"), "which is text whose own first line names no interpreter"),
    ],
)
def test_an_interpreter_that_the_kernel_refuses_is_not_said_to_be_missing(
    runner: bytes | ViewLink | Executable, words: str
) -> None:
    case = Case(b"#!/opt/runner\n", {b"/opt/runner": runner})
    assert case.codes() == ["script-interpreter-refused"]
    assert words in case.problem("script-interpreter-refused").message


def test_an_interpreter_by_a_relative_path_is_looked_for_in_the_working_directory() -> None:
    """The kernel opens it from there, and starts what it finds."""
    there = Case(b"#!bin/sh\n", {b"/proc/self/cwd/bin/sh": Executable(program())})
    assert there.codes() == []
    by_env = Case(b"#!/usr/bin/env ./sh\n", {b"/proc/self/cwd/./sh": Executable(b"echo\n")})
    assert by_env.codes() == []


def test_scripts_run_by_scripts_are_followed_and_a_circle_ends() -> None:
    case = Case(b"#!/opt/runner\n", {b"/opt/runner": Executable(b"#!/bin/sh\n")})
    assert case.report().chain == (b"/opt/runner", b"/bin/sh")
    circle = Case(b"#!/opt/app/bin/program\n")
    assert len(circle.report().chain) == 5
    assert circle.codes() == ["script-interpreter-refused"]
    assert "more than the 5 that the kernel follows" in circle.report().problems[0].message


def test_as_many_scripts_as_the_kernel_follows_run() -> None:
    scripts = {b"/opt/%d" % n: Executable(b"#!/opt/%d\n" % (n + 1)) for n in range(1, 4)}
    case = Case(b"#!/opt/1\n", {**scripts, b"/opt/4": Executable(b"#!/bin/sh\n")})
    assert case.report().chain[-1] == b"/bin/sh"
    assert case.report().starts


def test_a_program_reached_through_a_link_is_examined_at_its_place() -> None:
    library = build(Elf(soname=b"liba.so.1"))
    case = Case(
        program(b"liba.so.1", runpath=b"$ORIGIN/../lib"),
        {b"/usr/bin/app": ViewLink(b"/opt/app/bin/program"), b"/opt/app/lib/liba.so.1": library},
    )
    report = case.report()
    case.path = b"/usr/bin/app"
    assert report.starts


def test_a_static_program_needs_nothing() -> None:
    report = Case(build(Elf(type=c.ET_EXEC, dynamic=False, entry=0x10040))).report()
    assert (report.kind, report.libraries, report.starts) == ("static program", (), True)


def test_an_appended_payload_is_worth_a_note() -> None:
    problem = Case(program(appended=b"data" * 50)).problem("appended-payload")
    assert problem.severity is Severity.NOTE
    assert "200 bytes" in problem.message


def test_errors_come_before_warnings_and_notes() -> None:
    library = build(Elf(soname=b"liba.so.1", stack=c.PF_R | c.PF_W | c.PF_X))
    case = Case(program(b"liba.so.1", b"libgone.so.1", appended=b"x"), {b"/lib/liba.so.1": library})
    assert [p.severity for p in case.report().problems] == [Severity.ERROR, Severity.WARNING, Severity.NOTE]


def test_what_the_program_says_it_may_open_is_reported() -> None:
    note = Note(b"FDO", 0x407C0C0A, b'[{"soname": ["liba.so.1", "liba.so.2"], "priority": "suggested"}]')
    content = build(Elf(interpreter=INTERPRETER, needed=(b"libc.so.6",), notes=(note,), flags_1=c.DF_1_PIE))
    (wish,) = Case(content).report().wishes
    assert (wish.sonames, wish.origin, wish.priority) == ((b"liba.so.1", b"liba.so.2"), "note", "suggested")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        (
            b"/opt/it.py",
            "python3 /opt/it.py; or put its interpreter into the first line: #!/usr/bin/env python3",
        ),
        (b"/opt/it.sh", "sh /opt/it.sh; or put its interpreter into the first line: #!/bin/sh"),
        (b"/opt/it", "put its interpreter into the first line: #!/bin/sh"),
    ],
)
def test_text_is_told_with_what_runs_it(name: bytes, hint: str) -> None:
    case = Case(b"print(1)\n", path=name, placement=replace(FREE, executable=False))
    assert case.problem("script-without-interpreter").hint == hint
    assert case.codes() == ["script-without-interpreter"]


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        (b"/opt/a.bin", b"PK\3\4" + bytes(26) + b"META-INF/MANIFEST.MF", "java -jar /opt/a.bin"),
        (b"/opt/a.jar", b"PK\3\4" + bytes(40), "java -jar /opt/a.jar"),
        (b"/opt/a.pyz", b"PK\3\4" + bytes(40), "python3 /opt/a.pyz"),
        (b"/opt/a.zip", b"PK\3\4" + bytes(40), "unzip /opt/a.zip"),
        (b"/opt/a b.exe", b"MZ" + bytes(40), "wine '/opt/a b.exe', or get the build for Linux"),
    ],
)
def test_other_formats_are_told_with_what_opens_them(name: bytes, content: bytes, hint: str) -> None:
    assert Case(content, path=name).problem("not-a-program").hint == hint


def test_a_first_line_longer_than_the_kernel_reads_is_told() -> None:
    assert Case(b"#!/" + b"x" * 300 + b"/sh\n").codes() == ["script-line-too-long"]
    cut = Case(b"#!/bin/sh " + b"x" * 300 + b"\n").problem("script-line-too-long")
    assert cut.severity is Severity.WARNING
    assert Case(b"#!/bin/sh " + b"x" * 244 + b"\n").codes() == []


@pytest.mark.parametrize(
    ("there", "fault"),
    [
        (b"no program", "is no ELF file"),
        (build(Elf(bits=32, machine=3)), "is for i386 (32-bit)"),
        (build(Elf(machine=183)), "is for aarch64 (64-bit)"),
    ],
)
def test_an_interpreter_that_is_none_for_this_program_is_told(there: bytes, fault: str) -> None:
    case = Case(program(interpreter=b"/opt/ld.so"), {b"/opt/ld.so": Executable(there)})
    assert fault in case.problem("interpreter-unusable").message
    assert "interpreter-missing" not in case.codes()


def test_an_interpreter_that_is_a_directory_is_told() -> None:
    case = Case(program(interpreter=b"/opt/dir"), {b"/opt/dir/file": b""})
    assert "is no file" in case.problem("interpreter-unusable").message


def test_an_interpreter_of_glibcs_by_another_name_is_one() -> None:
    case = Case(program(interpreter=b"/brew/lib/ld.so"), {b"/brew/lib/ld.so": Executable(LD_SO)})
    assert (case.codes(), case.report().libc) == ([], "glibc")


def test_a_relative_interpreter_is_told_as_missing_or_as_of_this_directory() -> None:
    content = program(interpreter=b"lib/ld.so")
    assert "relative path" in Case(content).problem("interpreter-missing").message
    found = Case(
        content, {b"lib/ld.so": Executable(LD_SO)}, environment=Environment(interpreter_path=INTERPRETER)
    )
    assert found.codes() == ["interpreter-relative"]


def test_a_program_for_the_x32_abi_starts_where_the_kernel_has_it() -> None:
    content = build(Elf(bits=32, machine=62, interpreter=b"/libx32/ld-linux-x32.so.2", flags_1=c.DF_1_PIE))
    refused = Case(content, placement=replace(FREE, refused_abi=True))
    assert refused.codes() == ["wrong-machine"]
    assert "x32" in refused.problem("wrong-machine").message
    assert Case(content).codes() == ["interpreter-missing"]


@pytest.mark.parametrize("content", [program(b"libgone.so.1", machine=183), b"PK\3\4" + bytes(40), b"text\n"])
def test_what_the_kernel_gives_to_another_program_starts(content: bytes) -> None:
    handled = replace(FREE, handler=b"/usr/bin/qemu-aarch64")
    report = Case(content, placement=handled).report()
    assert [p.code for p in report.problems] == ["handled"]
    assert report.starts
    assert report.stands_alone
    assert "not-executable" in Case(content, placement=replace(handled, executable=False)).codes()
