"""One file for another prefix: the way that its form allows, and back to the same bytes."""

import marshal
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.elf import read
from denizen.relocate.prefix import Prefix
from denizen.relocate.relocate_file import relocate_file
from tests.support.elf_builder import Elf, Symbol, build, replace

SHORTER = Prefix(b"/nix/store", b"/h/st")
LONGER = Prefix(b"/nix/store", b"/home/somebody/.local/share/denizen/store")
BOTH = pytest.mark.parametrize("prefix", [SHORTER, LONGER], ids=["shorter", "longer"])

PROGRAM = Elf(
    interpreter=b"/nix/store/abc-glibc/lib/ld.so",
    needed=(b"libc.so.6", b"/nix/store/abc-x/lib/libx.so"),
    runpath=b"/nix/store/abc-glibc/lib:$ORIGIN/../lib:/nix/store/abc-x/lib",
    symbols=(Symbol(b"f", defined=False, version=b"V_1", file=b"libc.so.6"),),
)


def there_and_back(content: bytes, prefix: Prefix) -> bytes:
    there = relocate_file(content, prefix)
    assert there.content is not None
    back = relocate_file(there.content, Prefix(prefix.new, prefix.old))
    assert back.content == content
    return there.content


@BOTH
@pytest.mark.parametrize("form", [(64, True), (32, False)], ids=["64", "32"])
def test_a_program_names_the_new_directory(prefix: Prefix, form: tuple[int, bool]) -> None:
    """Where it grows by a patch, and filled up else; changed back it has the old bytes."""
    program = build(replace(PROGRAM, bits=form[0], little=form[1]))
    image = read(there_and_back(program, prefix))
    assert image.dynamic is not None

    def clean(name: bytes | None) -> bytes:
        assert name is not None
        return name.replace(prefix.new + b"/////", prefix.new)

    new = prefix.new
    assert clean(image.interpreter) == new + b"/abc-glibc/lib/ld.so"
    assert image.dynamic.runpath is not None
    assert list(map(clean, image.dynamic.runpath.split(b":"))) == [
        new + b"/abc-glibc/lib", b"$ORIGIN/../lib", new + b"/abc-x/lib",
    ]  # fmt: skip
    assert list(map(clean, image.dynamic.needed)) == [b"libc.so.6", new + b"/abc-x/lib/libx.so"]


def test_a_program_moved_twice_is_as_if_moved_once() -> None:
    program = build(PROGRAM)
    first = relocate_file(program, LONGER).content
    other = Prefix(LONGER.new, b"/scratch/project/users/somebody/a/store/elsewhere")
    assert first is not None
    second = relocate_file(first, other).content
    assert second == relocate_file(program, Prefix(LONGER.old, other.new)).content


def test_a_run_path_can_become_relative_to_the_file() -> None:
    done = relocate_file(build(PROGRAM), LONGER, origin=b"/nix/store/abc-x/bin")
    assert done.content is not None
    dynamic = read(done.content).dynamic
    assert dynamic is not None
    assert dynamic.runpath == b"$ORIGIN/../../abc-glibc/lib:$ORIGIN/../lib:$ORIGIN/../lib"


def test_what_does_not_fit_into_a_program_is_told_or_goes_by_a_link() -> None:
    program = build(replace(PROGRAM, segments=((0x70001234, b"data: /nix/store/abc-x/share\0"),)))
    done = relocate_file(program, LONGER)
    assert [program[left.offset :][:10] for left in done.left] == [b"/nix/store"]
    linked = relocate_file(program, Prefix(LONGER.old, LONGER.new, b"/n"))
    assert linked.left == ()
    assert linked.content is not None
    assert b"data: /n/////////abc-x/share\0" in linked.content
    assert linked.ways == ("elf", "link")


@BOTH
def test_text_is_changed_as_it_is(prefix: Prefix) -> None:
    script = b'#!/nix/store/abc-bash/bin/bash\nexec /nix/store/abc-x/bin/x "$@"  # not /nix/stored\n'
    assert there_and_back(script, prefix) == script.replace(b"/nix/store/", prefix.new + b"/")


def test_text_that_names_the_new_path_already_would_not_come_back() -> None:
    assert relocate_file(b"/nix/store/x or /h/st/x\n", SHORTER).remarks


def test_a_first_line_longer_than_the_kernel_reads_is_refused_or_goes_by_a_link() -> None:
    """Linux fs/binfmt_script.c: 255 bytes since 5.1, 127 before."""
    script = b"#!/nix/store/" + b"a" * 100 + b"/bin/sh\n"
    far = b"/" + b"d/" * 60 + b"store"
    assert relocate_file(script, Prefix(b"/nix/store", far)).remarks
    farther = b"/" + b"d/" * 90 + b"store"
    assert relocate_file(script, Prefix(b"/nix/store", farther)).left
    linked = relocate_file(script, Prefix(b"/nix/store", farther, b"/n"))
    assert linked.content == b"#!/n/" + b"a" * 100 + b"/bin/sh\n"


@BOTH
def test_compiled_python_has_strings_of_another_length(prefix: Prefix, tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        "HOME = '/nix/store/abc-x/share'\ndef f(): return HOME, {'/nix/store/k': b'/nix/store/b'}\n"
    )
    compiled = tmp_path / "module.pyc"
    py_compile.compile(str(source), str(compiled), dfile="/nix/store/abc-x/lib/module.py", doraise=True)
    content = there_and_back(compiled.read_bytes(), prefix)
    code = marshal.loads(content[16:])
    names: dict[str, object] = {}
    exec(code, names)
    new = prefix.new.decode()
    assert code.co_filename == f"{new}/abc-x/lib/module.py"
    assert names["HOME"] == f"{new}/abc-x/share"
    assert names["f"]() == (f"{new}/abc-x/share", {f"{new}/k": f"{new}/b".encode()})  # type: ignore[operator]  # a function


@BOTH
def test_members_of_an_archive_keep_their_places(prefix: Prefix) -> None:
    member = b"\x7fobject: /nix/store/abc-x/src.c\0rest" + b"\0" * 29
    header = b"a.o/            0           0     0     100644  64        `\n"
    archive = b"!<arch>\n" + header + member[:64]
    done = relocate_file(archive, prefix)
    if prefix is LONGER:
        assert done.content is None
        assert len(done.left) == 1
        return
    assert len(there_and_back(archive, prefix)) == len(archive)


def test_a_line_whose_path_would_have_a_space_is_left() -> None:
    """The kernel ends the interpreter's path there; the rest of the script is changed."""
    script = b"#!/nix/store/abc/bin/sh\necho /nix/store/abc\n"
    spaced = Prefix(b"/nix/store", b"/home/some body/store")
    done = relocate_file(script, spaced)
    assert done.content == b"#!/nix/store/abc/bin/sh\necho /home/some body/store/abc\n"
    assert [one.offset for one in done.left] == [0]
    assert relocate_file(done.content, Prefix(spaced.new, spaced.old)).content == script
    linked = relocate_file(script, Prefix(spaced.old, spaced.new, b"/n"))
    assert linked.content == b"#!/n/abc/bin/sh\necho /home/some body/store/abc\n"
    assert not linked.left
    assert len(relocate_file(b"see /nix/store\n", spaced).remarks) == 1


@pytest.mark.parametrize("options", [b"", b" -I"])
def test_a_python_script_can_find_its_interpreter_itself(options: bytes, tmp_path: Path) -> None:
    line = b"#!/nix/store/abc-python/bin/python3%b\n" % options
    code = b"import sys\nprint(sys.flags.isolated, sys.argv[1:], __file__)\n"
    done = relocate_file(line + code, LONGER, origin=b"/nix/store/abc-x/bin")
    assert done.content is not None
    assert done.ways == ("relative",)
    script = tmp_path / "with space" / "abc-x" / "bin" / "script"
    script.parent.mkdir(parents=True)
    script.write_bytes(done.content)
    script.chmod(0o755)
    python = tmp_path / "with space" / "abc-python" / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    link = tmp_path / "link"
    link.symlink_to(script)
    for path in (script, link):
        printed = subprocess.run([path, "a b", "c"], capture_output=True, text=True, check=True).stdout
        assert printed == f"{len(options) // 3} ['a b', 'c'] {path}\n"


@pytest.mark.parametrize(
    ("python", "declared", "letter"),
    [
        (b"python3", b"utf-8", "é"), (b"python3.11", b"UTF_8", "é"), (b"python3", b"ascii", "e"),
        (b"python", b"utf-8", "e"),
    ],
)  # fmt: skip
def test_a_script_that_declares_the_usual_encoding_can_too(
    python: bytes, declared: bytes, letter: str
) -> None:
    """As all of pip's do; the declaration comes behind the lines in which Python looks for one."""
    text = b"# -*- coding: %b -*-\nprint('%b')\n" % (declared, letter.encode())
    script = b"#!/nix/store/abc/bin/%b\n%b" % (python, text)
    done = relocate_file(script, LONGER, origin=b"/nix/store/abc/bin")
    assert done.ways == ("relative",)
    assert done.content is not None
    assert done.content.endswith(text)
    written = subprocess.run([sys.executable, "-"], input=done.content, capture_output=True, check=False)
    assert written.returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        b"#!/nix/store/abc-bash/bin/bash\n",
        b"#!/nix/store/abc-python/bin/python3 -c 'x'\n",
        b"#!/nix/store/abc-python/bin/python3\n# -*- coding: latin-1 -*-\n",
        b"#!/nix/store/abc-python/bin/python2\n# -*- coding: utf-8 -*-\n# \xc3\xa9\n",
        b"#!/usr/bin/python3\n# /nix/store\n",
    ],
)
def test_other_scripts_name_the_new_path(text: bytes) -> None:
    done = relocate_file(text, LONGER, origin=b"/nix/store/abc-x/bin")
    assert done.content == text.replace(LONGER.old, LONGER.new)
