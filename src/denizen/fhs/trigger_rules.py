"""The rules of triggers.toml as values (pure)."""

from __future__ import annotations

from denizen.errors import BadInput
from denizen.formats.toml_file import toml_document
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BadRules(BadInput):
    """The error that the rules in a derivation cannot be read."""

    problem: str
    WHAT = "the rules of an FHS environment cannot be read"
    WHY = "{problem:text}"


class Base(Value):
    """The packages that every environment has."""

    packages: tuple[str, ...]
    foreign: tuple[str, ...]
    locales: tuple[str, ...]


class TriggerLink(Value):
    """A symbolic link; with `replace` also where a package has a file."""

    path: str
    target: str
    replace: bool


class Copy(Value):
    """A file that is a copy of another."""

    path: str
    source: str


class Text(Value):
    """A file with a given content, made if the tree has the path `when`."""

    path: str
    when: str
    content: str


class Expose(Value):
    """Files that get a link by their name in a directory."""

    of: str
    into: str


class Enable(Value):
    """Files that get links whose names begin with a priority.

    Attributes:
        of: a path pattern with a directory of any name.
        each: a path pattern; there is a link for each match. {*} stands for that directory's name.
        into: the directory of the link; {each} stands for the name of what `each` matched.
        priority: the words before the number, in a line of the file.
        otherwise: the number for a file without such a line.
    """

    of: str
    each: str
    into: str
    priority: str
    otherwise: str


class Trigger(Value):
    """A tool of the tree that is to be run.

    Attributes:
        when: a path pattern; the tool is run for each match.
        each: "locales": the tool is run for each wanted locale.
        run: the command's words; the first is looked for in PATH.
        otherwise: the words for trees where the tool has another path.
        makes: a directory to be made first.
        writes: directories that the tool may write to.
        stands: the tool works where the tree lies: it finds its places by its words, or beside its libraries.
    """

    name: str
    when: str
    each: str
    run: tuple[str, ...]
    otherwise: tuple[str, ...]
    makes: str
    writes: tuple[str, ...]
    stands: bool = False


class StatePlaces(Value):
    """The places of directories of state; what lies below `without` is left out."""

    below: tuple[str, ...]
    without: tuple[str, ...]


class TriggerRules(Value):
    """All rules of the file."""

    base: Base
    links: tuple[TriggerLink, ...]
    copies: tuple[Copy, ...]
    exposed: tuple[Expose, ...]
    enabled: tuple[Enable, ...]
    texts: tuple[Text, ...]
    bundles: tuple[Copy, ...]
    triggers: tuple[Trigger, ...]
    state: StatePlaces


def read_rules(text: bytes) -> TriggerRules:
    """Return the rules in a file's text. Raises BadRules."""
    try:
        return _rules(toml_document(text))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadRules(str(problem)) from problem


def _rules(table: dict[str, Any]) -> TriggerRules:
    base = table["base"]
    return TriggerRules(
        Base(tuple(base["packages"]), tuple(base["foreign"]), tuple(base["locales"])),
        tuple(link for row in table.get("link", ()) for link in _links(row)),
        tuple(Copy(row["path"], row["source"]) for row in table.get("copy", ())),
        tuple(Expose(row["of"], row["into"]) for row in table.get("expose", ())),
        tuple(map(_enable, table.get("enable", ()))),
        tuple(Text(row["path"], row["when"], row["content"]) for row in table.get("text", ())),
        tuple(Copy(row["path"], row["source"]) for row in table.get("bundle", ())),
        tuple(map(_trigger, table.get("trigger", ()))),
        StatePlaces(*(tuple(table.get("state", {}).get(key, ())) for key in ("below", "without"))),
    )


def _links(row: dict[str, Any]) -> list[TriggerLink]:
    paths = [row["path"]] if isinstance(row["path"], str) else list(row["path"])
    return [
        TriggerLink(path, row["target"].replace("{name}", path.rpartition("/")[2]), bool(row.get("replace")))
        for path in paths
    ]


def _enable(row: dict[str, Any]) -> Enable:
    if "*" not in row["of"].split("/"):
        raise ValueError(f"no directory of {row['of']} may have any name")
    return Enable(row["of"], row["each"], row["into"], row["priority"], row["otherwise"])


def _trigger(row: dict[str, Any]) -> Trigger:
    return Trigger(
        row["name"],
        row["when"],
        row.get("each", ""),
        tuple(row["run"]),
        tuple(row.get("or", ())),
        row.get("makes", ""),
        tuple(row["writes"]),
        bool(row.get("stands")),
    )
