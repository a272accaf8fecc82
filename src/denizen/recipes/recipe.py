"""`recipe.toml`: the file that says how a program is built (pure).

recipe_derivation.py makes the builder's variables of its keys.

name = "hello"
version = "2.10"
kind = "autotools"                # plain, make, autotools, cmake, meson, python, cargo
suite = "trixie"                  # the sources' own base suite where it is left out
patches = ["fix.patch"]           # relative to the recipe
check = true
opened = ["libssl.so.3"]          # libraries that programs open by name, besides those that they note

[[sources]]                       # url (text or list), archive (a path in Debian's archive), or path
archive = "pool/main/h/hello/hello_2.10.orig.tar.gz"
sha256 = "31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b"

[inputs]
packages = ["zlib1g-dev"]         # of Debian
recipes = ["../libfoo"]           # other recipes: a file, or the directory of a recipe.toml
paths = ["./data"]                # files and directories

[phases]                          # shell text in place of a phase
install = "make install-bin"

[hooks]                           # shell text before and after a phase: pre-PHASE, post-PHASE
post-install = "rm -r $out/share/info"

[flags]                           # words for configure, cmake, meson, make, check, install, cargo
configure = ["--disable-nls"]

[env]                             # further variables of the build
CFLAGS = "-O2"
"""

from __future__ import annotations

import re

from denizen.errors import display
from denizen.formats import hashes
from denizen.formats.hashes import MalformedHash
from denizen.formats.storepath import is_object_name
from denizen.formats.toml_file import BadTomlFile, meant_instead, parse_toml, unknown_keys
from denizen.recipes.build_kinds import FLAGS, KINDS, PLAIN
from denizen.recipes.phases import HOOKS, PHASES
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from denizen.formats.hashes import Hash

FILE = "recipe.toml"
# Shown if there is no usable file; it can be copied as it is.
EXAMPLE = """\
name = "hello"
version = "1.0"
kind = "make"

[[sources]]
path = "."
"""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# Variables of the builder itself, which a recipe cannot set (those of Nix begin with NIX_).
_RESERVED = frozenset(
    {"out", "debug", "outputs", "name", "version", "builder", "system", "phases", "opened", "PATH", "HOME",
     "TMPDIR", "NIX_STORE", "NIX_BUILD_TOP", "NIX_BUILD_CORES", "allowedReferences", "allowedRequisites",
     "disallowedReferences", "disallowedRequisites", "outputHash", "outputHashAlgo", "outputHashMode",
     "impureEnvVars", "passAsFile"}
)  # fmt: skip
_PLACES = ("url", "archive", "path")
_TEXTS = ("name", "version", "kind", "suite")
_KEYS = (*_TEXTS, "patches", "check", "opened", "sources", "inputs", "phases", "hooks", "flags", "env")
_INPUTS = ("packages", "recipes", "paths")


class BadRecipe(BadTomlFile):
    """The error that a recipe.toml cannot be used, with all reasons."""

    SUCH_AS = f"a {FILE} such as this"
    EXAMPLE = EXAMPLE


class RecipeSource(Value):
    """A file or tree that a recipe builds from.

    Attributes:
        urls: addresses, tried in order.
        archive: a path below the roots of Debian's mirrors.
        path: a path, relative to the recipe's directory.
        content: the SHA-256 of the file; None for a path, which is named by its content.
    """

    urls: tuple[str, ...] = ()
    archive: str = ""
    path: str = ""
    content: Hash | None = None


class Recipe(Value):
    """The content of a recipe.toml.

    Attributes:
        opened: names of libraries that programs open, besides those that they note.
        opened_by: programs with libraries that they opened when they ran (`findings_table`).
        packages: Debian packages to build with.
        recipes, paths, patches: paths relative to the recipe's directory.
        phases: shell text by the names of phases.
        hooks: shell text by names such as `pre-build`.
        flags: words by the program they are for.
    """

    name: str
    version: str
    kind: str = PLAIN
    suite: str = ""
    check: bool = True
    sources: tuple[RecipeSource, ...] = ()
    patches: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    phases: tuple[tuple[str, str], ...] = ()
    hooks: tuple[tuple[str, str], ...] = ()
    flags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    opened: tuple[str, ...] = ()
    opened_by: tuple[tuple[str, str], ...] = ()

    @property
    def full_name(self) -> str:
        """The name of the store object."""
        return f"{self.name}-{self.version}"

    @property
    def files(self) -> tuple[str, ...]:
        """The files and directories that it takes into the store, relative to its own directory."""
        sources = [one.path for one in self.sources if one.content is None]
        return (*sources, *self.patches, *self.paths)


def parse_recipe(text: bytes, path: str) -> Recipe:
    """Return the recipe in a file's content; `path` is the file's. Raises BadRecipe."""
    document = parse_toml(text, path, BadRecipe)
    problems = list(recipe_problems(document))
    if problems:
        raise BadRecipe(path, tuple(problems))
    return recipe_of(document)


def recipe_problems(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield all reasons for which a document is no recipe."""
    yield from unknown_keys(document, _KEYS, "")
    for key in _TEXTS:
        if not _is_text(document.get(key, "")):
            yield f"{key} is a text on one line"
            return
    if not is_object_name(f"{document.get('name', '')}-{document.get('version', '')}") or not all(
        document.get(key) for key in ("name", "version")
    ):
        yield "name and version are needed, of letters, digits and + - . _ ? ="
    kind = document.get("kind", PLAIN)
    if kind not in KINDS:
        yield f"kind is one of {', '.join(KINDS)}{meant_instead(kind, KINDS)}"
    if not isinstance(document.get("check", True), bool):
        yield "check is true or false"
    if not _is_list(document.get("patches", [])):
        yield "patches is a list of texts"
    opened = document.get("opened", [])
    if not _is_list(opened) or any(len(one.split()) != 1 or "/" in one for one in opened):
        yield "opened is a list of names of libraries, such as libssl.so.3"
    yield from _source_problems(document.get("sources", []))
    yield from _table_problems(document)


def _is_text(item: object) -> bool:
    return isinstance(item, str) and "\n" not in item and "\0" not in item


def _is_list(item: object) -> bool:
    return isinstance(item, list) and all(_is_text(one) and one for one in item)


def _source_problems(sources: object) -> Iterator[str]:
    if not isinstance(sources, list) or not all(isinstance(one, dict) for one in sources):
        yield "sources are tables [[sources]]"
        return
    for number, source in enumerate(sources, 1):
        where = f" in source {number}"
        yield from unknown_keys(source, (*_PLACES, "sha256"), where)
        if sum(key in source for key in _PLACES) != 1:
            yield f"one of {', '.join(_PLACES)} is needed{where}"
            continue
        url = source.get("url", [])
        if not _is_list([url] if isinstance(url, str) else url):
            yield f"url is a text or a list of texts{where}"
        if not all(_is_text(source.get(key, "")) for key in ("archive", "path")):
            yield f"archive and path are texts{where}"
        yield from _hash_problems(source, where)


def _hash_problems(source: Mapping[str, Any], where: str) -> Iterator[str]:
    digest = source.get("sha256")
    if "path" in source:
        if digest is not None:
            yield f"a path has no sha256: it is named by its content{where}"
        return
    try:
        hashes.parse(digest if isinstance(digest, str) else "", "sha256")
    except MalformedHash:
        yield f"sha256 is needed, what sha256sum says of the file{where}"


def _table_problems(document: Mapping[str, Any]) -> Iterator[str]:
    tables = {"inputs": _INPUTS, "phases": PHASES, "hooks": HOOKS, "flags": FLAGS}
    for name in (*tables, "env"):
        table = document.get(name, {})
        if not isinstance(table, dict):
            yield f"{name} is a table [{name}]"
            continue
        if name in tables:
            yield from unknown_keys(table, tables[name], f" in [{name}]")
        lists = name in ("inputs", "flags")
        for key, item in table.items():
            if not (_is_list(item) if lists else isinstance(item, str) and "\0" not in item):
                yield f"{display(key)} in [{name}] is a {'list of texts' if lists else 'text'}"
            elif name == "env" and (_VARIABLE.fullmatch(key) is None or _is_reserved(key)):
                yield f"{display(key)} cannot be set in [env]: the builder sets it; a hook can change it"


def _is_reserved(name: str) -> bool:
    return name in _RESERVED or name.startswith(("__", "NIX_"))


def recipe_of(document: Mapping[str, Any]) -> Recipe:
    """Return the recipe in a document that has no problems."""
    inputs = document.get("inputs", {})
    packages, recipes, paths = (tuple(dict.fromkeys(inputs.get(key, ()))) for key in _INPUTS)
    return Recipe(
        document["name"],
        document["version"],
        document.get("kind", PLAIN),
        document.get("suite", ""),
        document.get("check", True),
        tuple(map(_source, document.get("sources", ()))),
        tuple(document.get("patches", ())),
        packages,
        recipes,
        paths,
        phases=tuple(document.get("phases", {}).items()),
        hooks=tuple(document.get("hooks", {}).items()),
        flags=tuple((name, tuple(words)) for name, words in document.get("flags", {}).items()),
        environment=tuple(document.get("env", {}).items()),
        opened=tuple(document.get("opened", ())),
    )


def _source(table: Mapping[str, Any]) -> RecipeSource:
    url = table.get("url", ())
    return RecipeSource(
        (url,) if isinstance(url, str) else tuple(url),
        table.get("archive", ""),
        table.get("path", ""),
        hashes.parse(table["sha256"], "sha256") if "sha256" in table else None,
    )
