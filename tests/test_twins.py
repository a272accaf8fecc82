"""What is said in two places is the same: in Python and in C, in code and in a sentence of the help.

docs/where-to-change.md names one of the two places, and the other in brackets.
"""

import re
from pathlib import Path

import pytest

from denizen.app import appimage, session
from denizen.app.exports import bill_of_materials
from denizen.app.exports.export import DEB_VERSION
from denizen.app.retention import MISSING_FOR, UNUSED_FOR
from denizen.app.supply.create_store import PADDED_LENGTH
from denizen.cli.commands import bundle, export, gc, sbom, store_upkeep, x
from denizen.cli.views import list_view
from denizen.formats import bundle_image
from denizen.launch import (
    bundle_launcher,
    bundle_layout,
    command_links,
    decisions,
    dlopen_record,
    joined_libraries,
    kept_out,
)
from denizen.launch.decisions import decision_codec
from denizen.launch.loader import loader_settings
from denizen.launch.resources import command_paths
from denizen.profiles.profile_manifest import DEFAULT_PRIORITY

ROOT = Path(__file__).parents[1]
DAY = 86_400


def source(name: str) -> str:
    return (ROOT / "loader" / name).read_text(encoding="utf-8")


def number(name: str, text: str) -> int:
    """Return the value of an enumerator or constant of C: a product or a shift of numbers."""
    (found,) = re.findall(rf"\b{name} = ([^,;}}]+)", text)
    first, *shift = found.replace("ULL", "").split("<<")
    value = 1
    for factor in first.split("*"):
        value *= int(factor, 0)
    return value << int(shift[0]) if shift else value


def strings(name: str, text: str) -> list[str]:
    """Return the strings of an array of characters in which each ends with a NUL."""
    (found,) = re.findall(rf'\b{name}\[\] = ((?:\s*"[^"]*")+);', text)
    return [one for one in "".join(re.findall(r'"([^"]*)"', found)).split("\\0") if one]


def test_the_help_says_how_long_what_nobody_uses_is_kept() -> None:
    options = {option.names[0]: option.help for command in gc.COMMANDS for option in command.options}
    assert f"({MISSING_FOR // DAY}d if not given)" in options["--grace"]
    assert f"({UNUSED_FOR // DAY}d if not given)" in options["--older-than"]
    (command,) = x.COMMANDS
    assert f"not used for {UNUSED_FOR // DAY} days" in command.description.replace("\n", " ")


def test_the_help_says_how_long_a_padded_path_is() -> None:
    options = [option for command in store_upkeep.COMMANDS for option in command.options]
    (length,) = (option.help for option in options if option.names == ("--length",))
    assert f"else {PADDED_LENGTH}" in length


def test_the_help_says_which_version_a_package_has() -> None:
    (version,) = (one.help for one in export.COMMANDS[0].options if one.names == ("--deb-version",))
    assert f"else {DEB_VERSION}" in version


def test_the_list_leaves_out_the_usual_priority() -> None:
    assert list_view._USUAL_PRIORITY == DEFAULT_PRIORITY


def test_commands_are_brought_in_the_same_directories_by_the_same_names() -> None:
    text = source("command_names.c")
    own = {one.decode() + "/" for one in command_paths._DIRECTORIES}
    assert set(strings("DIRECTORIES", text)) == own
    limit = number("NAME_LIMIT", text)
    assert command_links.is_command(b"a" * limit)
    assert not command_links.is_command(b"a" * (limit + 1))


def test_libraries_are_brought_by_the_same_names() -> None:
    limit = number("LIBRARY_NAME_ROOM", source("resident/library_names.h"))
    name = b"lib" + b"x" * (limit - 6) + b".so"
    assert dlopen_record.is_soname(name)
    assert not dlopen_record.is_soname(b"x" + name)


def test_a_line_leaves_room_for_the_program_and_the_name_by_the_same_bytes() -> None:
    text = source("failure_note.c")
    found = [chr(number(name, text)) for name in ("PROGRAM_HERE", "NAME_HERE")]
    assert found == [kept_out._PROGRAM, kept_out._NAME]


@pytest.mark.parametrize(
    ("file", "names"),
    [
        (
            "command_records.c",
            (
                *(command_links._ABSENT, command_links._SEEN, command_links._SEEN_BY_SCRIPTS),
                *(command_links._UNSEEN, command_links._UNSEEN_BY_PROGRAMS, kept_out.KEPT_OUT),
            ),
        ),
        (
            "inside/missing_command.c",
            (command_links._UNSEEN, command_links._UNFILLED, command_links._LOCKED, kept_out.KEPT_OUT),
        ),
        ("resident/missing_library.c", (dlopen_record._HOST,)),
        ("resident/library_names.c", (dlopen_record._ABSENT, dlopen_record._INDEX)),
        ("resident/mentioned_files.c", (dlopen_record._EXAMINED,)),
        ("ldconfig/ldconfig.c", (dlopen_record._LISTED, dlopen_record._LOCKED, dlopen_record._ABSENT)),
        ("library_facts.c", (dlopen_record._ALL,)),
        ("joined_libraries.c", (joined_libraries.TABLE,)),
        ("budget.c", (kept_out._SETTINGS,)),
    ],
)
def test_records_of_what_came_and_what_did_not_are_called_the_same(
    file: str, names: tuple[bytes, ...]
) -> None:
    said = {one.encode() for one in re.findall(r'"/?(\.[a-z-]+)/?"', source(file))} - {b".so"}
    assert said == set(names)


def test_a_table_of_links_has_one_largest_size() -> None:
    assert number("MAX_SIZE", source("joined_libraries.c")) == joined_libraries.MAX_SIZE


def test_the_file_of_the_budget_has_one_name() -> None:
    assert f'SETTINGS, "/{kept_out.BUDGET.decode()}")' in source("budget.c")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLACE", bundle_layout.PLACE),
        ("DIRECTORY", bundle_layout.DIRECTORY),
        ("IGNORED", bundle_layout.IGNORED_SIGNALS),
        ("DECISIONS[]", bundle_layout.DECISIONS + b"/"),
    ],
)
def test_a_bundle_is_read_as_it_is_laid_out(name: str, value: bytes) -> None:
    assert f'{name} = "{value.decode()}";' in source("bundle.c")


def test_a_launcher_keeps_as_many_arguments_and_an_end() -> None:
    assert number("MAX_ARGUMENTS", source("bundle.c")) == bundle_layout.MAX_ARGUMENTS + 1


def test_an_appimage_has_the_same_directories_of_its_own() -> None:
    (table,) = re.findall(r"PORTABLE\[\] = \{(.*)\};", source("unpack/appimage.c"))
    said = {variable + suffix for suffix, variable in re.findall(r'\{"([^"]*)", "([^"]*)"\}', table)}
    assert said == {one.decode() for one in appimage._PORTABLE if one != b"portable"}


def test_commands_are_looked_for_in_the_same_directories_without_path() -> None:
    assert f'DEFAULT_PATH = "{session._DEFAULT_PATH}";' in source("inside/search_path.c")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VERSION", decision_codec.VERSION),
        ("MAX_SIZE", decisions.MAX_SIZE),
        ("MAX_ROWS", decision_codec.MAX_ROWS),
        ("MAX_EDITS", decision_codec.MAX_EDITS),
    ],
)
def test_the_loader_reads_the_decisions_that_are_written(name: str, value: int) -> None:
    assert number(name, source("decision.c")) == value


@pytest.mark.parametrize("name", ["VERSION", "MAX_ENTRIES", "MAX_BLOCK"])
def test_the_launcher_reads_the_images_that_are_written(name: str) -> None:
    assert number(name, source("unpack/packed_image.c")) == getattr(bundle_image, name)


def test_an_appimage_has_room_for_what_tools_and_the_runtime_look_for() -> None:
    text = source("unpack/appimage.c")
    update, signature = bundle_launcher._TOOL_SECTIONS[:2]
    assert bundle._UPDATE_ROOM == update[1] == number("SIGNATURE_AT", text) == number("SIZE", text)
    assert (update[0], signature) == (b".upd_info", (b".sha256_sig", number("SIZE", text)))
    assert number("SECTIONS", text) == bundle_launcher._TOOL_ROOM


def test_the_command_line_has_the_formats_of_bills_of_materials() -> None:
    assert tuple(bill_of_materials.FORMATS) == sbom._FORMATS


def test_a_setting_of_the_loader_has_one_letter() -> None:
    letters = dict(re.findall(r"SETTING_(\w+) = '(.)'", source("loader_settings.h")))
    own = {name: getattr(loader_settings, f"_{name}", None) for name in letters}
    known = {name: value.decode() for name, value in own.items() if value is not None}
    assert len(known) > 15
    assert known == {name: letters[name] for name in known}
