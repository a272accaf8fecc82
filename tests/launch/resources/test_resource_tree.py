"""What packages have at fixed paths, as a tree of links beside a decision."""

import os
from pathlib import Path

from denizen.launch.resources.fixed_paths import FixedPathResource
from denizen.launch.resources.resource_tree import lay_system, make_resource_tree, show_by_links, show_in_tree


def resource(target: str, source: Path) -> FixedPathResource:
    return FixedPathResource(target.encode(), os.fsencode(source), source.is_dir())


def test_each_is_a_link_at_its_path_below_the_top(tmp_path: Path) -> None:
    fonts = tmp_path / "store" / "fonts"
    fonts.mkdir(parents=True)
    (fonts / "a.ttf").write_bytes(b"a font")
    top = os.fsencode(tmp_path / "resources" / "one")
    (fonts / "large.ttf").write_bytes(bytes(1 << 20))
    asked = [resource("/usr/share/fonts/truetype", fonts), resource("/etc/fonts", fonts)]
    assert make_resource_tree(top, asked) == top
    made = Path(os.fsdecode(top))
    assert (made / "usr/share/fonts/truetype/a.ttf").read_bytes() == b"a font"
    assert os.readlink(made / "etc/fonts/a.ttf") == str(fonts / "a.ttf")


def test_small_files_are_files_for_who_copies_them(tmp_path: Path) -> None:
    """`git init` copies the links that it finds among its templates as links."""
    templates = tmp_path / "store" / "templates"
    (templates / "hooks").mkdir(parents=True)
    (templates / "hooks" / "sample").write_text("#!/bin/sh\n")
    (templates / "hooks" / "sample").chmod(0o555)
    top = os.fsencode(tmp_path / "resources")
    made = Path(os.fsdecode(make_resource_tree(top, [resource("/usr/share/git/templates", templates)])))
    shown = made / "usr/share/git/templates/hooks/sample"
    assert not shown.is_symlink()
    assert shown.stat().st_mode & 0o777 == 0o555


def test_parts_of_a_configuration_are_files_for_who_passes_over_links(tmp_path: Path) -> None:
    """glibc does in gconv-modules.d, beside which lie the converters, far more than a few."""
    parts = tmp_path / "store" / "gconv" / "gconv-modules.d"
    parts.mkdir(parents=True)
    (parts / "extra.conf").write_text("module\n")
    (parts.parent / "KOI8-R.so").write_bytes(b"\x7fELF")
    top = os.fsencode(tmp_path / "resources")
    make_resource_tree(top, [resource("/usr/lib/gconv", parts.parent)])
    made = Path(os.fsdecode(top)) / "usr/lib/gconv"
    assert (made / "gconv-modules.d/extra.conf").read_text() == "module\n"
    assert not (made / "gconv-modules.d/extra.conf").is_symlink()
    assert (made / "KOI8-R.so").is_symlink()


def test_objects_stay_where_they_lie(tmp_path: Path) -> None:
    plugins = tmp_path / "store" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "a.so").write_bytes(b"\x7fELF and so on")
    (plugins / "a.conf").write_bytes(b"")
    top = os.fsencode(tmp_path / "resources")
    made = Path(os.fsdecode(make_resource_tree(top, [resource("/usr/lib/plugins", plugins)])))
    assert (made / "usr/lib/plugins/a.so").is_symlink()
    assert (made / "usr/lib/plugins/a.conf").is_symlink()


def test_it_replaces_what_was_there(tmp_path: Path) -> None:
    top = os.fsencode(tmp_path / "one")
    make_resource_tree(top, [resource("/usr/share/old", tmp_path)])
    make_resource_tree(top, [resource("/usr/share/new", tmp_path)])
    assert os.listdir(os.path.join(top, b"usr/share")) == [b"new"]
    assert os.listdir(tmp_path) == ["one"]


def test_where_there_is_nothing_there_is_no_tree(tmp_path: Path) -> None:
    top = os.fsencode(tmp_path / "one")
    make_resource_tree(top, [resource("/usr/share/old", tmp_path)])
    assert make_resource_tree(top, []) == b""
    assert not os.path.exists(top)


def test_a_link_to_another_package_is_resolved_where_it_is_shown(tmp_path: Path) -> None:
    """libgs10-common's iccprofiles is a link to ../../color/icc/ghostscript, which libgs-common has."""
    scripts, colours = tmp_path / "scripts", tmp_path / "colours"
    (scripts / "10.05/lib").mkdir(parents=True)
    (scripts / "10.05/lib/a.ps").write_bytes(b"%!")
    (scripts / "10.05/own").symlink_to("lib")
    (scripts / "10.05/iccprofiles").symlink_to("../../color/icc")
    (colours / "icc").mkdir(parents=True)
    (colours / "icc/grey.icc").write_bytes(b"a profile")
    top = os.fsencode(tmp_path / "resources")
    asked = [resource("/usr/share/ghostscript", scripts), resource("/usr/share/color", colours)]
    shown = Path(os.fsdecode(make_resource_tree(top, asked)), "usr/share")
    assert (shown / "ghostscript/10.05/iccprofiles/grey.icc").read_bytes() == b"a profile"
    assert (shown / "ghostscript/10.05/own/a.ps").read_bytes() == b"%!"


def test_what_lists_directories_without_following_links_finds_the_files(tmp_path: Path) -> None:
    fonts = tmp_path / "fonts"
    (fonts / "truetype/dejavu").mkdir(parents=True)
    (fonts / "truetype/dejavu/a.ttf").write_bytes(b"a font")
    for place, copied in ((b"links", 0), (b"copies", 6), (b"too-large", 5)):
        top = os.fsencode(tmp_path) + b"/" + place
        show_by_links(top, os.fsencode(fonts), copied=copied)
        ((_, _, [name]),) = [one for one in os.walk(top) if one[2]]
        file = os.path.join(top, b"truetype/dejavu", name)
        assert os.path.islink(file) == (place != b"copies")
        assert Path(os.fsdecode(file)).read_bytes() == b"a font"


def test_a_tree_of_thousands_is_one_link(tmp_path: Path) -> None:
    icons = tmp_path / "icons"
    icons.mkdir()
    for number in range(2_001):
        (icons / f"{number}.svg").touch()
    top = os.fsencode(tmp_path / "shown")
    show_by_links(top, os.fsencode(icons))
    assert os.readlink(top) == os.fsencode(icons)


def _system(place: Path, *files: str) -> Path:
    for file in files:
        (place / file).parent.mkdir(parents=True, exist_ok=True)
        (place / file).write_text(place.name)
    (place / "packages").write_text("")
    return place


def test_of_two_systems_every_file_is_there_and_the_first_ones_comes_first(tmp_path: Path) -> None:
    one = _system(tmp_path / "one", "usr/share/both/a", "usr/share/own/b", "usr/lib/c")
    two = _system(tmp_path / "two", "usr/share/both/a", "usr/share/both/d", "etc/e")
    top = tmp_path / "tree"
    for system in (one, two):
        lay_system(os.fsencode(top), os.fsencode(system))
    texts = {
        path: (top / path).read_text() for path in ("usr/share/both/a", "usr/share/both/d", "etc/e", "lib/c")
    }
    assert texts == {"usr/share/both/a": "one", "usr/share/both/d": "two", "etc/e": "two", "lib/c": "one"}


def test_nothing_is_written_through_a_link_into_a_system(tmp_path: Path) -> None:
    system = _system(tmp_path / "system", "usr/share/own/a")
    made = tmp_path / "made"
    made.mkdir()
    (made / "b").write_text("b")
    top = tmp_path / "tree"
    lay_system(os.fsencode(top), os.fsencode(system))
    show_in_tree(os.fsencode(top), resource("/usr/share/other", made))
    assert (top / "usr/share/other/b").read_text() == "b"
    assert (top / "usr/share/own/a").read_text() == "system"
    assert sorted(os.listdir(system / "usr/share")) == ["own"]
