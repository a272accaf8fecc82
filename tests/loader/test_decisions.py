"""Which decision is followed, and what happens when none may be."""

import os
import random
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from denizen.disk_view import DiskView
from denizen.elf.image import read
from denizen.errors import shell_word
from denizen.launch.decisions import decision_codec
from denizen.launch.decisions.decision_codec import decode, encode
from denizen.launch.decisions.program_identity import (
    alias_name,
    headers_of,
    identity_name,
    identity_of,
    sum_words,
)
from denizen.launch.loader.loader_settings import LoaderSettings
from denizen.value import replace
from tests.support.compiled_loaders import TIMEOUT, LoaderSysroot, output_of, run, somebody

# Of each kind; more for a longer look (LOADER_MUTATIONS=20000, four minutes).
_MUTATIONS = int(os.environ.get("LOADER_MUTATIONS", "150"))
_SAY = '#include <stdio.h>\nint main() { puts("started"); }'


def settings(sysroot: LoaderSysroot, **changes: object) -> LoaderSettings:
    return replace(LoaderSettings(directories=(os.fsencode(sysroot.decisions),)), **changes)


def refusal(program: Path, env: dict[str, str] | None = None) -> str:
    """Its one line on standard error; nothing may start."""
    done = run(program, env=env)
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_without_a_decision_one_line_says_what_to_do(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY, "-lm", "-Wl,--no-as-needed", "-lm")
    said = refusal(program)
    assert f"cannot start {program}: it has no decision yet; it needs libm.so.6 libc.so.6" in said
    assert said.endswith(f"run: denizen run {shell_word(bytes(program))}\n")


def test_a_hostile_name_cannot_speak_to_the_terminal(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    hostile = program.rename(program.with_name("\x1b[31mred\x9b31m"))
    said = refusal(hostile)
    assert "\x1b" not in said
    assert "\x9b" not in said


@pytest.mark.parametrize("name", ["x; touch pwned", "a'$(touch pwned)'b", "~", "-a b"])
def test_the_name_in_what_to_run_is_one_word(sysroot: LoaderSysroot, name: str) -> None:
    program = sysroot.compile("say", _SAY)
    hostile = program.rename(program.with_name(name))
    _, _, command = refusal(hostile).partition("; run: ")
    assert shlex.split(command) == ["denizen", "run", os.fspath(hostile)]


def test_a_moved_program_is_found_by_its_build_id(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY, "-Wl,--build-id")
    moved = program.rename(program.with_name("moved"))
    assert output_of(moved) == "started\n"
    copied = Path(shutil.copy(moved, program.with_name("copied")))
    assert output_of(copied) == "started\n"


def test_a_program_of_another_size_is_another_though_it_has_the_build_id(sysroot: LoaderSysroot) -> None:
    """As a program packed into the file of the interpreter that it is for."""
    program = sysroot.ready("say", _SAY, "-Wl,--build-id")
    longer = Path(shutil.copy(program, program.with_name("longer")))
    assert output_of(longer) == "started\n"
    with longer.open("ab") as stream:
        stream.write(b"payload")
    assert "no decision yet" in refusal(longer)
    (alias,) = sysroot.decisions.glob("b-*")
    size = f"-{longer.stat().st_size:x}"
    shutil.copy(alias, alias.with_name(alias.name.rpartition("-")[0] + size))
    assert "about another program" in refusal(longer)


def test_a_copied_program_without_a_build_id_needs_a_decision(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY, "-Wl,--build-id=none")
    assert output_of(program) == "started\n"
    copied = Path(shutil.copy(program, program.with_name("copied")))
    assert "no decision yet" in refusal(copied)


def test_a_replaced_program_is_another_program(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY)
    other = sysroot.compile("other", _SAY.replace("started", "another"), "-lm", "-Wl,--no-as-needed")
    other.replace(program)
    assert "no decision yet" in refusal(program)


def test_a_decision_under_another_programs_name_is_not_followed(sysroot: LoaderSysroot) -> None:
    first = sysroot.ready("first", _SAY)
    second = sysroot.compile("second", _SAY + "\nint more;")
    name = os.fsdecode(identity_name(identity_of(DiskView().stat(os.fsencode(second)))))
    shutil.copy(sysroot.write(sysroot.decision(first, sysroot.system("libc.so.6"))), sysroot.decisions / name)
    assert "about another program" in refusal(second)


@pytest.mark.parametrize("half", [slice(0, 8), slice(8, 16)], ids=["the words", "their order"])
def test_the_same_identity_with_other_headers_is_not_followed(sysroot: LoaderSysroot, half: slice) -> None:
    program = sysroot.compile("say", _SAY)
    headers = bytearray(headers_of(read(program.read_bytes())))
    headers[half] = bytes(8)
    sysroot.decide(program, sysroot.system("libc.so.6"), headers=bytes(headers))
    assert "about another program" in refusal(program)


def test_a_decision_for_another_machine_is_not_followed(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    sysroot.decide(program, sysroot.system("libc.so.6"), machine=32 << 16 | 3)
    assert "about another program" in refusal(program)


def test_a_missing_store_object_voids_the_decision(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    sysroot.decide(program, sysroot.system("libc.so.6"), objects=(bytes(sysroot.lib), b"/nowhere/hash-gone"))
    assert "a store object that it needs is gone" in refusal(program)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_decision_others_may_write_is_not_followed(sysroot: LoaderSysroot, mode: int) -> None:
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    sysroot.decide(program, sysroot.system("libc.so.6")).chmod(mode)
    assert "others may write it" in refusal(program)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file to another user")
def test_a_decision_of_another_user_is_not_followed(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    os.chown(sysroot.decide(program, sysroot.system("libc.so.6")), 12345, 12345)
    assert "belongs to somebody else" in refusal(program)


def test_a_link_in_place_of_a_decision_is_not_followed(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    decision = sysroot.decide(program, sysroot.system("libc.so.6"))
    real = decision.rename(sysroot.root / "elsewhere")
    decision.symlink_to(real)
    assert "cannot be opened" in refusal(program)


def test_something_else_in_its_place_does_not_hang(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    decision = sysroot.decide(program, sysroot.system("libc.so.6"))
    decision.unlink()
    os.mkfifo(decision, 0o600)
    assert "somebody else" in refusal(program)


@pytest.mark.parametrize("length", [0, 1, 231, 232, -8, -1])
def test_a_truncated_decision_is_not_followed(sysroot: LoaderSysroot, length: int) -> None:
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    decision = sysroot.decide(program, sysroot.system("libc.so.6"))
    decision.write_bytes(decision.read_bytes()[:length])
    assert "damaged" in refusal(program)


def test_both_readers_refuse_the_same_mutations(sysroot: LoaderSysroot) -> None:
    """Random words under a right sum: no crash, no hang, and never more than Python's reader accepts."""
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    path = sysroot.decide(program, sysroot.system("libc.so.6"))
    content, chance = path.read_bytes(), random.Random(6)  # a fixed seed: the same mutations each time
    for _ in range(_MUTATIONS):
        mutated = bytearray(content)
        at = chance.randrange(0, len(content) // 4) * 4
        value = chance.choice([0, 1, 7, len(content), len(content) - 1, 1 << 31, (1 << 32) - 1, at])
        mutated[at : at + 4] = value.to_bytes(4, "little")
        blank = bytes(mutated[:24]) + bytes(16) + bytes(mutated[40:])
        resigned = blank[:24] + sum_words(blank) + blank[40:]
        path.write_bytes(resigned)
        done = run(program)
        assert done.returncode in (0, 127), (at, value, done)
        if done.returncode == 0:
            assert decode(resigned).ldso == bytes(sysroot.ldso), (at, value)


def test_a_program_with_mutated_headers_never_hangs(sysroot: LoaderSysroot) -> None:
    """Whatever the kernel still starts ends by itself and is never given the decision of the original."""
    program = sysroot.ready("say", _SAY)
    content, chance = program.read_bytes(), random.Random(7)
    mutant, table = sysroot.root / "mutant", len(read(content).segments) * 56
    for _ in range(_MUTATIONS):
        mutated = bytearray(content)
        for _ in range(chance.randrange(1, 4)):
            mutated[64 + chance.randrange(0, table)] ^= chance.randrange(1, 256)
        mutant.unlink(missing_ok=True)
        mutant.write_bytes(mutated)
        mutant.chmod(0o755)
        try:
            done = run(mutant)
        except OSError:
            continue  # the kernel refused it
        assert done.stdout == "", bytes(mutated[64 : 64 + table])


def test_several_directories_are_looked_through_in_order(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY)
    sysroot.configure(LoaderSettings(directories=(b"/nowhere", os.fsencode(sysroot.decisions))))
    assert output_of(program) == "started\n"


def test_a_directory_may_name_the_user(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY)
    sysroot.decisions.rename(sysroot.root / f"of-{os.getuid()}-user")
    sysroot.configure(LoaderSettings(directories=(os.fsencode(sysroot.root) + b"/of-%u-user",)))
    assert output_of(program) == "started\n"


def test_the_configured_command_makes_the_decision_once(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY)
    kept = sysroot.root / "kept"
    sysroot.decisions.rename(kept)
    sysroot.decisions.mkdir()
    helper = sysroot.root / "helper"
    helper.write_text(f'#!/bin/sh\necho "deciding $*"\ncat\ncp "{kept}/"* "{sysroot.decisions}/"\n')
    helper.chmod(0o755)
    sysroot.configure(settings(sysroot, command=(os.fsencode(helper), b"--decide")))
    first = subprocess.run([program], capture_output=True, text=True, check=False, input="not for the helper")
    assert (first.returncode, first.stdout) == (0, "started\n")
    assert first.stderr == f"deciding --decide {program}\n"
    assert output_of(program) == "started\n"


def test_a_command_of_many_words_is_given_whole(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    helper = sysroot.root / "helper"
    helper.write_text("#!/bin/sh\necho $# $1\nexit 1\n")
    helper.chmod(0o755)
    words = [b"%d" % number for number in range(300)]
    sysroot.configure(settings(sysroot, command=(os.fsencode(helper), *words)))
    assert run(program).stderr.startswith("301 0\n")


def test_a_failing_helper_leaves_the_message(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    sysroot.configure(settings(sysroot, command=(b"/bin/false",)))
    assert "no decision yet" in refusal(program)


def test_a_helper_that_needs_a_decision_itself_ends_the_chain(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    helper = sysroot.compile("helper", _SAY)
    sysroot.configure(settings(sysroot, command=(os.fsencode(helper),)))
    done = run(program)
    assert done.returncode == 127
    assert done.stderr.count("no decision yet") == 2


def test_the_program_does_not_see_the_helpers_mark(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("env", "#include <stdio.h>\nextern char **environ;"
                          "int main() { for (char **e = environ; *e; e++) puts(*e); }")  # fmt: skip
    kept = sysroot.root / "kept"
    sysroot.decisions.rename(kept)
    sysroot.decisions.mkdir()
    helper = sysroot.root / "helper"
    helper.write_text(f'#!/bin/sh\n/bin/cp "{kept}/"* "{sysroot.decisions}/"\n')
    helper.chmod(0o755)
    sysroot.configure(settings(sysroot, command=(os.fsencode(helper),)))
    assert output_of(program, env={"A": "1"}) == "A=1\n"


def test_nix_ld_serves_where_no_decision_does(sysroot: LoaderSysroot) -> None:
    library = sysroot.library("libanswer.so", 'const char *answer() { return "by nix-ld"; }')
    program = sysroot.compile(
        "ask", "#include <stdio.h>\nchar *answer(); int main() { puts(answer()); }", str(library)
    )
    sysroot.system("libc.so.6")
    sysroot.configure(settings(sysroot, nix_ld=True))
    env = {"NIX_LD": str(sysroot.ldso), "NIX_LD_LIBRARY_PATH": f"/nowhere:{sysroot.lib}"}
    special = {f"{name}_x86_64_linux": text for name, text in env.items()}
    for variables in env, special | {"NIX_LD": "/nowhere"}:
        assert run(program, env=variables, user=somebody(sysroot)).stdout == "by nix-ld\n"


@pytest.mark.parametrize("asked_for", [False, True])
def test_nix_ld_serves_nobody_who_did_not_ask_for_it_and_never_root(
    sysroot: LoaderSysroot, *, asked_for: bool
) -> None:
    program = sysroot.compile("say", _SAY)
    sysroot.system("libc.so.6")
    sysroot.configure(settings(sysroot, nix_ld=asked_for))
    env = {"NIX_LD": str(sysroot.ldso), "NIX_LD_LIBRARY_PATH": str(sysroot.lib)}
    user = None if asked_for else somebody(sysroot)
    if asked_for and os.geteuid():
        pytest.skip("starts a program as root")
    done = run(program, env=env, user=user)
    assert (done.returncode, done.stdout) == (127, "")


def test_a_decision_comes_before_nix_ld(sysroot: LoaderSysroot) -> None:
    sysroot.configure(settings(sysroot, nix_ld=True))
    program = sysroot.ready("say", _SAY)
    assert output_of(program, env={"NIX_LD": "/nowhere"}) == "started\n"


def test_a_program_the_host_satisfies_goes_to_the_hosts_linker(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    sysroot.decide(program, [], host=True)
    assert output_of(program) == "started\n"


def test_programs_of_the_host_pass_where_the_loader_covers_the_hosts_linker(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("usr/bin/say", _SAY)
    prefix = os.fsencode(sysroot.root / "usr/")
    sysroot.configure(
        settings(sysroot, host_ldso=os.fsencode(sysroot.ldso), host_prefixes=(prefix,), directories=())
    )
    assert output_of(program) == "started\n"


def test_undecided_programs_pass_where_the_loader_covers_the_hosts_linker(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY)
    sysroot.configure(settings(sysroot, host_ldso=os.fsencode(sysroot.ldso)))
    assert output_of(program) == "started\n"


@pytest.mark.parametrize("gone", ["ld.so", "lib/libm.so.6"])
def test_a_file_that_is_gone_from_the_store_voids_the_decision(sysroot: LoaderSysroot, gone: str) -> None:
    program = sysroot.ready("say", _SAY, libraries=("libm.so.6",))
    (sysroot.root / gone).unlink()
    assert "a store object that it needs is gone" in refusal(program)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.write_bytes(b"#!/bin/sh\n"), "not an ELF file"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "outside the file"),
        (lambda path: path.write_bytes(path.read_bytes()[:18] + b"\3\0" + bytes(100)), "another machine"),
    ],
    ids=["a script", "cut short", "another machine"],
)
def test_a_broken_dynamic_linker_is_named(sysroot: LoaderSysroot, damage: object, why: str) -> None:
    program = sysroot.ready("say", _SAY)
    assert callable(damage)
    damage(sysroot.ldso)
    assert why in refusal(program)
    assert str(sysroot.ldso) in refusal(program)


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a set-user-ID program")
class TestSecureExecution:
    """A set-user-ID program started by another user."""

    def start(self, program: Path, **env: str) -> subprocess.CompletedProcess[str]:
        program.chmod(0o4755)
        return subprocess.run(
            [program], capture_output=True, text=True, check=False, env=env, user=12345, timeout=TIMEOUT
        )

    def readable(self, sysroot: LoaderSysroot) -> None:
        for directory in (sysroot.root, *sysroot.root.parents):
            if directory.stat().st_uid == 0 and directory != Path("/") and directory != Path("/tmp"):
                directory.chmod(0o755)

    def test_a_decision_below_a_directory_of_everybody_is_not_followed(self, sysroot: LoaderSysroot) -> None:
        program = sysroot.ready("say", _SAY)
        self.readable(sysroot)
        done = self.start(program)  # the sysroot is below /tmp, which everybody may write
        assert done.returncode == 127
        assert "cannot be opened" in done.stderr

    def test_roots_decision_below_roots_directories_is_followed(self, sysroot: LoaderSysroot) -> None:
        program = sysroot.ready("say", _SAY)
        self.readable(sysroot)
        trusted = Path("/var/lib") / f"denizen-test-{os.getpid()}"
        shutil.copytree(sysroot.decisions, trusted)
        try:
            sysroot.configure(LoaderSettings(directories=(os.fsencode(trusted),)))
            sysroot.decide(program, sysroot.system("libc.so.6"))
            program.chmod(0o4755)
            decision = replace(sysroot.decision(program, sysroot.system("libc.so.6")), search=b"")
            (trusted / os.fsdecode(identity_name(decision.identity))).write_bytes(encode(decision))
            assert self.start(program).stdout == "started\n"
        finally:
            shutil.rmtree(trusted)

    def test_the_environment_is_not_read(self, sysroot: LoaderSysroot) -> None:
        program = sysroot.compile("say", _SAY)
        self.readable(sysroot)
        done = self.start(program, NIX_LD=str(sysroot.ldso))
        assert (done.returncode, done.stdout) == (127, "")


def test_alias_files_are_named_by_build_id(sysroot: LoaderSysroot) -> None:
    program = sysroot.ready("say", _SAY, "-Wl,--build-id=0xabcdef")
    name = os.fsdecode(alias_name(bytes.fromhex("abcdef"), program.stat().st_size))
    assert (sysroot.decisions / name).exists()


def test_a_decision_larger_than_any_is_not_read(
    sysroot: LoaderSysroot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decision_codec, "MAX_SIZE", 1 << 20)
    program = sysroot.compile("say", _SAY)
    objects = tuple(b"/%d/" % number + b"x" * 100 for number in range(3000))
    written = sysroot.decide(program, sysroot.system("libc.so.6"), objects=objects)
    assert written.stat().st_size > 256 * 1024
    assert "its decision is damaged" in refusal(program)


def test_one_changed_letter_is_damage(sysroot: LoaderSysroot) -> None:
    program = sysroot.compile("say", _SAY, "-Wl,--build-id=none")
    written = sysroot.decide(program, sysroot.system("libc.so.6"))
    content = written.read_bytes()
    written.write_bytes(content.replace(b"libc.so.6\0", b"libc.so.7\0", 1))
    assert written.read_bytes() != content
    assert "its decision is damaged" in refusal(program)
