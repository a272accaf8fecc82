"""The tables that a `denizen.toml` may have (pure). Their keys are checked where each table is read."""

from __future__ import annotations

from denizen.formats.toml_file import BadTomlFile, parse_toml, unknown_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FHS, PROFILE, DEVELOP = "fhs", "profile", "develop"
TABLES = (FHS, PROFILE, DEVELOP)


def project_table(name: str, text: bytes, path: str, error: type[BadTomlFile]) -> dict[str, Any] | None:
    """Return a table of a project file's content, None where the file has no such table.

    A mistyped name of another table is an error too: nothing else would ever tell of it.

    Args:
        name: the table's, one of TABLES.
        text: the content; it may be cut behind `toml_file.MAX_SIZE` + 1 bytes.
        path: the file's, for the error.
        error: the class of the error to raise.

    Raises `error`: the file is no TOML, it has other tables, or a value where the table belongs.
    """
    document = parse_toml(text, path, error)
    problems = tuple(unknown_keys(document, TABLES, " outside the tables"))
    table = document.get(name)
    if problems or not isinstance(table, dict | None):
        raise error(path, problems or (f"{name} is no table",))
    return table
