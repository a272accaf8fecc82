"""Which files are in a bundle."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from denizen.app.bundles.left_out import parts_nothing_needs
from denizen.disk_view import DiskView
from denizen.launch.program import open_program
from tests.support.elf_builder import Elf, build


@pytest.mark.parametrize(
    ("needed", "is_spared"),
    [((b"libc.so.6",), True), ((b"libresolv.so.2", b"libc.so.6"), False)],
    ids=["a part of libc.so.6", "opened"],
)
def test_the_name_service_is_spared_where_it_is_a_part_of_the_c_library(
    tmp_path: Path,
    needed: tuple[bytes, ...],
    is_spared: bool,  # noqa: FBT001  # a parameter of the table above
) -> None:
    """As since glibc 2.34."""
    (tmp_path / "program").write_bytes(build(Elf()))
    (tmp_path / "libnss_dns.so.2").write_bytes(build(Elf(needed=needed)))
    used = SimpleNamespace(name=b"libm.so.6")
    closure = SimpleNamespace(
        program=open_program(DiskView(), os.fsencode(tmp_path / "program")),
        decision=SimpleNamespace(search=os.fsencode(tmp_path), libraries=(used,)),
    )
    spared = parts_nothing_needs(closure)  # type: ignore[arg-type]  # all that it looks at
    assert ({b"libresolv.so.2", b"libnss_dns.so.2", b"libnss_files.so.2"} <= spared) is is_spared
    assert b"libm.so.6" not in spared
    assert b"libdl.so.2" in spared
