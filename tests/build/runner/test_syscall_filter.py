"""The seccomp filter, run by an interpreter of its own instructions."""

import struct

import pytest

from denizen.build.runner.syscall_filter import EPERM, NUMBERS, RULES, knows, syscall_filter

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
CREATE, TEMPORARY_FILE = 0o100, 0o20000000


def verdict(machine: str, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel would do about a call (seccomp(2))."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    program = list(struct.iter_unpack("<HBBI", syscall_filter(machine)))
    accumulator = position = 0
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, operand)
        elif code == 0x54:
            accumulator &= operand
        elif code == 0x15:
            position += if_true if accumulator == operand else if_false
        elif code == 0x45:
            position += if_true if accumulator & operand else if_false
        else:
            assert code == 0x06
            return int(operand)


FAMILIES = {"x86_64": (0xC000003E, 0x40000003), "aarch64": (0xC00000B7, 0x40000028)}
CASES = [(machine, architecture) for machine, found in FAMILIES.items() for architecture in found]


@pytest.mark.parametrize(("machine", "architecture"), CASES)
def test_each_rule_holds_for_each_architecture(machine: str, architecture: int) -> None:
    numbers = NUMBERS[architecture]
    for rule in RULES:
        if rule.call not in numbers:
            continue
        for mode in (0o4755, 0o2755, 0o6000):
            arguments = [0, 0, 0, 0]
            if rule.mode >= 0:
                arguments[rule.mode] = mode
            if rule.flags >= 0:
                arguments[rule.flags] = CREATE
            found = verdict(machine, architecture, numbers[rule.call], *arguments)
            assert found == ERRNO | rule.error, rule
            if rule.mode >= 0:
                arguments[rule.mode] = 0o1777
                assert verdict(machine, architecture, numbers[rule.call], *arguments) == ALLOW


def test_a_mode_counts_only_where_a_file_may_be_made() -> None:
    x86_64, openat = 0xC000003E, 257
    assert verdict("x86_64", x86_64, openat, 0, 0, 0, 0o6755) == ALLOW
    assert verdict("x86_64", x86_64, openat, 0, 0, TEMPORARY_FILE, 0o4755) == ERRNO | EPERM


def test_upper_halves_of_arguments_do_not_hide_a_mode() -> None:
    assert verdict("x86_64", 0xC000003E, 90, 0, 0o4755 | 1 << 40) == ERRNO | EPERM


def test_x32_calls_are_those_of_x86_64() -> None:
    assert verdict("x86_64", 0xC000003E, 0x40000000 | 90, 0, 0o4755) == ERRNO | EPERM


def test_other_calls_are_allowed_and_other_architectures_are_not() -> None:
    assert verdict("x86_64", 0xC000003E, 59) == ALLOW
    assert verdict("x86_64", 0xC00000B7, 59) == KILL
    assert knows("x86_64")
    assert not knows("vax")
