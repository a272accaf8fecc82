"""triggers.toml turned into values (pure)."""

from __future__ import annotations

import tomllib

from denizen.errors import BadInput
from denizen.value import value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BadRules(BadInput):
    """The rules in a derivation cannot be read."""

    problem: str
    WHAT = "the rules of an FHS environment cannot be read"
    WHY = "{problem:text}"


@value
class Base:
    """What is always there."""

    packages: tuple[str, ...]
    foreign: tuple[str, ...]
    locales: tuple[str, ...]


@value
class TriggerLink:
    """A symbolic link; `replace`: also where a package has something."""

    path: str
    target: str
    replace: bool


@value
class Copy:
    """A file that is another one again."""

    path: str
    source: str


@value
class Text:
    """A file of ours, where `when` is in the tree."""

    path: str
    when: str
    content: str


@value
class Expose:
    """Files that get a link by their name in a directory."""

    of: str
    into: str


@value
class Trigger:
    """A tool of the tree to be run.

    Attributes:
        when: a path; run for each match.
        each: "locales": run for each locale that is wanted.
        run: its words; the first is looked for in PATH.
        otherwise: words for trees where the tool lies elsewhere.
        makes: a directory to be made first.
        writes: where it may write.
    """

    name: str
    when: str
    each: str
    run: tuple[str, ...]
    otherwise: tuple[str, ...]
    makes: str
    writes: tuple[str, ...]


@value
class TriggerRules:
    """All of the file."""

    base: Base
    links: tuple[TriggerLink, ...]
    copies: tuple[Copy, ...]
    exposed: tuple[Expose, ...]
    texts: tuple[Text, ...]
    bundles: tuple[Copy, ...]
    triggers: tuple[Trigger, ...]


def read_rules(text: bytes) -> TriggerRules:
    """The rules. Raises BadRules."""
    try:
        table = tomllib.loads(text.decode("utf-8"))
        return _rules(table)
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise BadRules(str(problem)) from problem


def _rules(table: dict[str, Any]) -> TriggerRules:
    base = table["base"]
    return TriggerRules(
        Base(tuple(base["packages"]), tuple(base["foreign"]), tuple(base["locales"])),
        tuple(link for row in table.get("link", ()) for link in _links(row)),
        tuple(Copy(row["path"], row["source"]) for row in table.get("copy", ())),
        tuple(Expose(row["of"], row["into"]) for row in table.get("expose", ())),
        tuple(Text(row["path"], row["when"], row["content"]) for row in table.get("text", ())),
        tuple(Copy(row["path"], row["source"]) for row in table.get("bundle", ())),
        tuple(map(_trigger, table.get("trigger", ()))),
    )


def _links(row: dict[str, Any]) -> list[TriggerLink]:
    paths = [row["path"]] if isinstance(row["path"], str) else list(row["path"])
    return [
        TriggerLink(path, row["target"].replace("{name}", path.rpartition("/")[2]), bool(row.get("replace")))
        for path in paths
    ]


def _trigger(row: dict[str, Any]) -> Trigger:
    return Trigger(
        row["name"],
        row["when"],
        row.get("each", ""),
        tuple(row["run"]),
        tuple(row.get("or", ())),
        row.get("makes", ""),
        tuple(row["writes"]),
    )
