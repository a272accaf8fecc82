"""Parsing of sizes, ages, generations and output files in options."""

from __future__ import annotations

import os

from denizen.cli.options import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.options import Parsed

_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def parse_size(command: str, text: str) -> int:
    """Return a size in bytes: a number, with K, M, G or T for powers of 1024. Raises UsageError."""
    from denizen.formats.decimal_number import parse_number

    unit = text[-1:].upper()
    number = parse_number(text[:-1] if unit in _SIZES else text)
    if number is None:
        raise UsageError(command, f"{text!r} is not a size", "a size is written 500M or 10G")
    return number * _SIZES.get(unit, 1)


def parse_age(command: str, text: str) -> int:
    """Return an age in seconds: a number with s, m, h, d or w. Raises UsageError."""
    from denizen.formats.decimal_number import parse_number

    number, unit = parse_number(text[:-1]), text[-1:]
    if unit not in _AGES or number is None:
        raise UsageError(command, f"{text!r} is not an age", "an age is written 12h or 30d")
    return number * _AGES[unit]


def parse_generation(command: str, text: str, shown_by: str) -> int:
    """Return the number of a generation; `shown_by` is the command that lists them. Raises UsageError."""
    from denizen.formats.decimal_number import parse_number

    number = parse_number(text)
    if number is None:
        raise UsageError(command, f"{text!r} is not a generation", f"{shown_by} shows them")
    return number


def output_file(parsed: Parsed, option: str = "output") -> bytes | None:
    """Return the file that an option names; None where it was not given.

    Raises as `check_output_file`: nothing can be written there.
    """
    from denizen.output_place import check_output_file

    target = parsed.text(option)
    if target is None:
        return None
    check_output_file(os.fsencode(target))
    return os.fsencode(target)
