"""The entries for binfmt_misc: which files each takes."""

import pytest

from denizen.binfmt_misc import Handler, read_handler
from denizen.launch.strategies.emulated_children import entries
from denizen.machines import by_debian
from tests.support.elf_builder import Elf, build


def handlers(kernel: str) -> dict[str, Handler]:
    """Return the entries as the kernel would show them."""
    found = {}
    for line in entries(kernel, b"/loader"):
        _, name, _, offset, magic, mask, interpreter, flags = line.split(b":")
        assert (offset, flags) == (b"", b"")
        shown = b"enabled\ninterpreter %b\nflags: \noffset 0\nmagic %b\nmask %b\n"
        digits = (each.replace(b"\\x", b"") for each in (magic, mask))
        handler = read_handler(shown % (interpreter, *digits))
        assert handler is not None
        found[name.decode()] = handler
    return found


@pytest.mark.parametrize("debian", ["arm64", "armhf", "riscv64", "ppc64el", "s390x"])
def test_each_architecture_is_taken_by_one_entry(debian: str) -> None:
    machine = by_debian(debian)
    assert machine is not None
    content = build(Elf(machine=machine.e_machine, bits=machine.bits, little=machine.little))
    takers = [name for name, one in handlers("x86_64").items() if one.takes(b"/program", content)]
    assert takers == [f"denizen-{machine.qemu}"]


@pytest.mark.parametrize(("machine", "bits"), [(62, 64), (3, 32)])
def test_what_the_kernel_starts_itself_is_left_to_it(machine: int, bits: int) -> None:
    content = build(Elf(machine=machine, bits=bits))
    assert not any(one.takes(b"/program", content) for one in handlers("x86_64").values())


def test_a_line_is_not_longer_than_the_kernel_reads() -> None:
    assert all(len(line) < 1920 for line in entries("x86_64", b"/" + b"x" * 1000))
