import os

import pytest

from denizen.host import gather_host, kernel_release, read_cpuinfo


@pytest.mark.parametrize(
    ("release", "numbers"),
    [
        ("6.1.0-13-amd64", (6, 1, 0)),
        ("5.15", (5, 15, 0)),
        ("6.18.44-fc-v595", (6, 18, 44)),
        ("odd", (0, 0, 0)),
    ],
)
def test_a_kernel_release_is_three_numbers(release: str, numbers: tuple[int, int, int]) -> None:
    assert kernel_release(release) == numbers


def test_this_machine_is_described_as_uname_does() -> None:
    host = gather_host()
    assert host.machine == os.uname().machine
    assert host.kernel >= (3, 2, 0)
    assert host.uid == os.geteuid()


def test_cpuinfo_tells_the_first_processors_vendor_and_flags() -> None:
    block = "processor\t: {}\nvendor_id\t: GenuineIntel\nflags\t\t: fpu abm {}\nbugs\t\t: spectre_v1\n"
    text = "\n".join([block.format(0, "avx2"), block.format(1, "amx_tile")])
    assert read_cpuinfo(text.encode()) == ("GenuineIntel", frozenset({"fpu", "abm", "avx2"}))
    assert read_cpuinfo(b"") == ("", frozenset())
