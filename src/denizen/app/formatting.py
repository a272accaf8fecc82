"""Sizes, ages and times formatted for people."""

from __future__ import annotations

import time


def human_size(count: int) -> str:
    """Return a number of bytes as "12.7 MB": powers of ten, as disks and networks are measured."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


def binary_size(count: int) -> str:
    """Return a number of bytes as "12.7 MiB": powers of 1024, as file systems count."""
    number, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while number >= 1024 and len(units) > 1:
        number /= 1024
        units.pop(0)
    return f"{number:.0f} {units[0]}" if units[0] == "B" else f"{number:.1f} {units[0]}"


def mebibytes(count: int) -> str:
    """Return a number of bytes in MiB, whatever it is: sizes that stand below one another."""
    return f"{count / (1 << 20):.1f} MiB"


def human_age(seconds: float) -> str:
    """Return a duration in seconds as "3 days": the largest unit that fits."""
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        number = int(seconds // length)
        if number:
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def local_time(seconds: float) -> str:
    """Return a time, in seconds since 1970, as "2026-01-31 12:59:00" of the local time zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
