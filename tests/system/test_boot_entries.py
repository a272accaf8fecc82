import subprocess
from pathlib import Path

import pytest

from denizen.system.boot_entries import (
    BootEntry,
    BootFiles,
    bls_text,
    grub_conf,
    loader_conf,
    plan_boot,
)
from denizen.system.spec import Bootloader
from tests.support.peers import require

BOTH = (Bootloader.BLS, Bootloader.GRUB)


def entry(number: int, loaders: tuple[Bootloader, ...] = BOTH) -> BootEntry:
    return BootEntry(
        "box", number, b"k%d-linux" % number, b"i%d-initrd" % number, f"init=/{number} quiet", loaders
    )


def test_an_entry_has_the_fields_of_the_specification() -> None:
    assert bls_text(entry(2)).splitlines() == [
        b"title box, generation 2 (denizen)",
        b"version 2",
        b"sort-key denizen-box",
        b"linux /denizen/k2-linux",
        b"initrd /denizen/i2-initrd",
        b"options init=/2 quiet",
    ]


def test_of_loader_conf_only_the_line_of_the_default_is_replaced() -> None:
    """Also a line that ends in a carriage return, which systemd-boot takes for a line's end."""
    lines = b"\tdefault x.conf\rdefaults y\n# default z\rtimeout 3"
    assert loader_conf(lines, entry(1)) == (
        b"default denizen-box-generation-1.conf\ndefaults y\n# default z\rtimeout 3"
    )


def test_the_default_is_written_last_and_others_lines_stay() -> None:
    found = BootFiles(loader=b"timeout 3\ndefault windows.conf\n", grub=b"set timeout=1\n")
    plan = plan_boot([entry(1), entry(2)], 2, found)
    assert [path for path, _ in plan.writes] == [
        b"boot/loader/entries/denizen-box-generation-1.conf",
        b"boot/loader/entries/denizen-box-generation-2.conf",
        b"boot/grub/custom.cfg",
        b"boot/loader/loader.conf",
    ]
    written = dict(plan.writes)
    assert written[b"boot/loader/loader.conf"] == b"default denizen-box-generation-2.conf\ntimeout 3\n"
    grub = written[b"boot/grub/custom.cfg"]
    assert grub.startswith(b"set timeout=1\n### begin")
    assert grub.index(b"generation-2 {") < grub.index(b"generation-1 {")
    assert b'set default="denizen-box-generation-2"' in grub


def test_what_is_right_is_not_written_again() -> None:
    first = dict(plan_boot([entry(1)], 1, BootFiles()).writes)
    found = BootFiles(
        tuple((path.rpartition(b"/")[2], text) for path, text in first.items() if b"entries" in path),
        first[b"boot/loader/loader.conf"],
        first[b"boot/grub/custom.cfg"],
        (b"k1-linux", b"i1-initrd"),
    )
    again = plan_boot([entry(1)], 1, found)
    assert (again.writes, again.removals) == ((), ())
    none = plan_boot([], None, found)
    assert dict(none.writes) == {b"boot/grub/custom.cfg": b""}
    assert none.removals == (
        b"boot/loader/entries/denizen-box-generation-1.conf",
        b"boot/denizen/k1-linux",
        b"boot/denizen/i1-initrd",
    )


def test_a_test_leaves_the_default_as_it_is() -> None:
    text = grub_conf(b"", [entry(1)], entry(1))
    assert b'set default="denizen-box-generation-1"' in grub_conf(text, [entry(1), entry(2)], None)


def test_the_choice_of_loaders_is_each_entrys() -> None:
    plan = plan_boot([entry(1, (Bootloader.GRUB,))], 1, BootFiles())
    assert [path for path, _ in plan.writes] == [b"boot/grub/custom.cfg"]


@pytest.mark.peer
def test_grub_can_read_its_block(tmp_path: Path) -> None:
    require("grub-script-check")
    place = tmp_path / "custom.cfg"
    place.write_bytes(grub_conf(b"set timeout=1\n", [entry(1), entry(2)], entry(2)))
    subprocess.run(["grub-script-check", place], check=True)


def test_a_block_that_was_cut_short_takes_no_line_of_the_administrators() -> None:
    cut = grub_conf(b"", [entry(1)], None).partition(b"menuentry")[0] + b"set timeout=1\n"
    once = grub_conf(cut, [entry(1)], None)
    assert once.startswith(cut)
    assert grub_conf(once, [entry(1)], None) == once
    assert grub_conf(once, [], None) == cut
