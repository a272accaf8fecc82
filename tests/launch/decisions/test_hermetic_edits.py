"""Edits by which a package's dynamic linker finds nothing of the host's."""

from pathlib import Path

from denizen.elf.image import read
from denizen.launch.decisions.hermetic_edits import hermetic_edits
from denizen.launch.decisions.ldso_addresses import r_debug_of
from tests.support.compiled_loaders import HOST_LDSO
from tests.support.elf_builder import Elf, build


def test_a_file_without_the_strings_needs_no_edits() -> None:
    image = read(build(Elf()))
    assert hermetic_edits(image) == ()
    assert r_debug_of(image) == 0


def test_every_copy_of_glibcs_directories_is_edited_to_the_same_length() -> None:
    content = Path(HOST_LDSO).read_bytes()
    edits = hermetic_edits(read(content))
    files = {edit.old for edit in edits if edit.new.startswith(b"/dev/null/")}
    assert files == {b"/etc/ld.so.cache\0", b"/etc/ld.so.preload\0"}
    assert sum(edit.old.endswith(b"/usr/lib/\0") for edit in edits) == content.count(b"\0/lib/\0/usr/lib/\0")
    assert all(len(edit.old) == len(edit.new) for edit in edits)
    blanked = {part.strip(b"/") for edit in edits if edit.old not in files for part in edit.new.split(b"\0")}
    assert blanked == {b"", b"sys"}


def test_a_short_directory_takes_a_default_ones_place() -> None:
    ldso = read(Path(HOST_LDSO).read_bytes())
    runs = [edit.new for edit in hermetic_edits(ldso, b"/home/u/.dz/abcd") if b"/sys" in edit.new]
    assert runs
    assert all(
        sum(name.rstrip(b"/") == b"/home/u/.dz/abcd" for name in run.split(b"\0")) == 1 for run in runs
    )
    assert hermetic_edits(ldso, b"/" + b"x" * 60) == hermetic_edits(ldso)
