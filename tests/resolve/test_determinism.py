"""The same question has the same answer, byte for byte, in whatever order the archive is told."""

import random

import pytest

from denizen.resolve.lock import write
from tests.support.market import DIRECTORY, PROGRAM, Market, libc, library, program


@pytest.mark.parametrize("seed", range(8))
def test_the_order_in_which_packages_are_known_does_not_matter(seed: int) -> None:
    assert _lock(random.Random(seed)) == _lock(None)


def _lock(order: random.Random | None) -> bytes:
    packages = [
        ("new", b"lib%d" % number, {DIRECTORY + b"lib%d.so" % number: _library(number)})
        for number in range(20)
    ]
    packages.append(("new", b"libc6", libc(b"GLIBC_2.36")))
    if order is not None:
        order.shuffle(packages)
    market = Market()
    for suite, name, files in packages:
        market.add(suite, name, files)
    return write(market.resolve({PROGRAM: program(b"lib1.so", b"lib2.so", b"lib3.so")}))


def _library(number: int) -> bytes:
    needed = [
        b"lib%d.so" % follow
        for follow in (2 * number, 3 * number + 1)
        if 0 < follow < 20 and follow != number
    ]
    return library(b"lib%d.so" % number, *needed, b"libc.so.6")
