"""Where links lead from a command in a package's tree."""

import os
from pathlib import Path

import pytest

from denizen.app.run_time.command_file import led_to
from denizen.disk_view import RootedView


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ("ruby3.1", b"/usr/bin/ruby3.1"),
        ("../lib/go-1.19/bin/go", b"/usr/lib/go-1.19/bin/go"),
        ("/opt/x/../y", b"/opt/y"),
        ("/bin/busybox", b"/usr/bin/busybox"),
        ("../../../../bin/x", b"/usr/bin/x"),
        ("other", b"/usr/share/program"),
    ],
)
def test_a_link_leads_to_its_place_whether_or_not_the_package_has_it(
    tmp_path: Path, target: str, place: bytes
) -> None:
    programs = tmp_path / "usr" / "bin"
    programs.mkdir(parents=True)
    (programs / "command").symlink_to(target)
    (programs / "other").symlink_to("/usr/share/program")
    assert led_to(RootedView(os.fsencode(tmp_path)), b"/usr/bin/command") == place


def test_links_in_a_loop_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="ELOOP"):
        led_to(RootedView(os.fsencode(tmp_path)), b"/a")
