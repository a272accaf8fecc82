import ast
from pathlib import Path

import pytest

import denizen
from denizen import machines
from denizen.elf import read
from denizen.index.library_paths import DirectoryKind, kind_of
from denizen.machines import MACHINES, kernel_behind
from tests.support.elf_builder import Elf, build

SOURCES = Path(denizen.__file__).parent


def test_each_name_means_one_row() -> None:
    for names in (
        [one.debian for one in MACHINES if one.debian],
        [one.triplet for one in MACHINES if one.triplet],
        [kernel for one in MACHINES for kernel in one.kernels],
    ):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("machine", [one for one in MACHINES if one.debian], ids=lambda one: one.debian)
def test_a_row_is_found_by_every_name_it_has(machine: machines.Machine) -> None:
    assert machines.by_debian(machine.debian) is machine
    assert all(machines.by_kernel(kernel) is machine for kernel in machine.kernels)
    found = machines.by_elf(machine.e_machine, machine.bits, little=machine.little)
    # armel and armhf have the same header.
    assert found is machine or machine.debian == "armel"


@pytest.mark.parametrize(
    ("kernel", "debian", "starts"),
    [
        ("x86_64", "i386", True),
        ("x86_64", "arm64", False),
        ("i686", "amd64", False),
        ("aarch64", "armhf", True),
    ],
)
def test_a_kernel_starts_the_programs_of_its_smaller_brothers(
    kernel: str, debian: str, *, starts: bool
) -> None:
    machine = machines.by_debian(debian)
    assert machine is not None
    assert machine.starts_on(kernel) is starts


@pytest.mark.parametrize(
    ("kernel", "debian", "emulated"),
    [
        ("x86_64", "arm64", True),
        ("x86_64", "i386", False),
        ("aarch64", "amd64", True),
        ("aarch64", "armhf", False),
        ("x86_64", "s390x", True),
    ],
)
def test_what_a_kernel_does_not_start_is_emulated(kernel: str, debian: str, *, emulated: bool) -> None:
    machine = machines.by_debian(debian)
    assert machine is not None
    assert machine.is_emulated_on(kernel) is emulated


def test_a_processor_nobody_knows_has_a_name_for_messages_and_no_row() -> None:
    assert machines.by_elf(9999, 64) is None
    assert machines.name_of(9999) == "machine 9999"
    assert machines.by_debian("") is None


def test_one_row_is_all_that_a_new_architecture_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown with riscv64: without its row nothing knows it, with the row everything does."""
    program = build(Elf(machine=243))
    place = b"usr/lib/riscv64-linux-gnu"

    def known() -> tuple[bool, bool]:
        return read(program).header.architecture is not None, kind_of(
            place, "riscv64"
        ) is DirectoryKind.DEFAULT

    assert known() == (True, True)
    monkeypatch.setattr(machines, "MACHINES", tuple(one for one in machines.MACHINES if one.e_machine != 243))
    assert known() == (False, False)


@pytest.mark.unmeasured
def test_no_other_module_keeps_a_table_of_architectures() -> None:
    """Names of architectures as keys of a dictionary elsewhere would be a second table."""
    names = set(machines.debian_names()) | {kernel for one in MACHINES for kernel in one.kernels}
    for path in SOURCES.rglob("*.py"):
        if path.name == "machines.py":
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            keys = node.keys if isinstance(node, ast.Dict) else []
            found = {key.value for key in keys if isinstance(key, ast.Constant) and key.value in names}
            assert not found, f"{path}:{getattr(node, 'lineno', 0)} {found}"


@pytest.mark.parametrize(
    ("told", "bits", "name"),
    [
        ("i686", 64, "x86_64"),
        ("armv8l", 64, "aarch64"),
        ("i686", 32, "i686"),
        ("x86_64", 64, "x86_64"),
        ("x86_64", 32, "x86_64"),
        ("unknown", 64, "unknown"),
    ],
)
def test_a_64_bit_process_knows_the_kernel_behind_a_personality(told: str, bits: int, name: str) -> None:
    assert kernel_behind(told, bits=bits) == name


def test_x32_is_the_32_bit_class_of_x86_64_alone() -> None:
    assert machines.is_x32(build(Elf(bits=32, machine=62)))
    others = (Elf(bits=64, machine=62), Elf(bits=32, machine=3), Elf(bits=32, machine=62, little=False))
    assert not any(machines.is_x32(build(other)) for other in others)
    assert not machines.is_x32(b"")
