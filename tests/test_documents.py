"""The documents are held to the code: what they name exists, and their lines can be read in a terminal.

A document is any Markdown file of the repository. Code is what stands between backquotes, in a fence,
or indented by four columns.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from denizen.cli.dispatch import GLOBAL_OPTIONS, TABLE, commands_of
from denizen.launch.strategies.table import STRATEGIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.cli.command import Command

ROOT = Path(__file__).parent.parent
# The folders that are the repository's; others at its root are made by tools.
FOLDERS = (".github", "benchmarks", "docs", "fuzz", "loader", "scripts", "src", "tests", "tools")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(found for top in FOLDERS for found in (ROOT / top).rglob("*.md")))
)
# Where a name in a document may begin. Modules are named from the package, C files from loader/.
BASES = ("", "src/denizen/", "docs/", "loader/")
# Two documents are about names that are gone.
CURRENT = [document for document in DOCUMENTS if document not in ("CHANGELOG.md", "docs/renames.md")]
# Files of a user's project, and Nix's own sources.
FOREIGN = re.compile(r"denizen\.(toml|lock)$|recipe\.toml$|^doc/manual/|^\./")
WIDTH = 100


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def prose(document: str) -> Iterator[tuple[int, str]]:
    """Give the lines that are neither code nor a row of a table, with their numbers."""
    fenced = False
    for number, line in enumerate(text_of(document).splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("|", "    ", "\t")):
            yield number, line


def code(document: str) -> Iterator[str]:
    """Give each piece of code: a line of a block, or what stands between backquotes."""
    fenced = False
    inline: list[str] = []
    for line in text_of(document).splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip()
        else:
            inline.append(line)
    for span in re.findall(r"`([^`]+)`", "\n".join(inline)):
        yield " ".join(span.split())


@cache
def files() -> frozenset[str]:
    """Return the paths of all files of the repository, from its root."""
    below = (path for top in FOLDERS for path in (ROOT / top).rglob("*"))
    return frozenset(path.relative_to(ROOT).as_posix() for path in (*ROOT.iterdir(), *below))


def exists(name: str, document: str) -> bool:
    """Return whether a name leads to a file: from the document, from a base, or as a file's last name."""
    if "/" not in name:
        return any(path.rpartition("/")[2] == name for path in files())
    beside = Path(document).parent.as_posix() + "/"
    return any(base + name in files() for base in (*BASES, beside.removeprefix("./")))


@cache
def commands() -> tuple[Command, ...]:
    return tuple(command for row in TABLE for command in commands_of(row))


def command_of(words: list[str]) -> Command | None:
    """Return the command that words name, or the first of the group where only its name is given."""
    exact = [command for command in commands() if tuple(words[: len(command.words)]) == command.words]
    if exact:
        return max(exact, key=lambda command: len(command.words))
    bare = len(words) == 1 or not re.fullmatch(r"[a-z][a-z-]*", words[1])
    return next((command for command in commands() if bare and command.words[0] == words[0]), None)


def invocations(document: str) -> Iterator[list[str]]:
    """Give the words behind each `denizen` in code, up to the end of its command."""
    for piece in code(document):
        for match in re.finditer(r"(?:^|[\s(|;&$])denizen ((?:-\S+ )*[a-z][^|;&#]*)", piece):
            yield match[1].split()


def test_there_are_documents() -> None:
    assert {"README.md", "docs/run.md", "loader/README.md", ".github/pull_request_template.md"} <= set(
        DOCUMENTS
    )


def test_lines_fit_a_terminal() -> None:
    assert not [
        f"{document}:{number}"
        for document in DOCUMENTS
        for number, line in prose(document)
        if document != "CHANGELOG.md" and len(re.sub(r"\]\([^)]*\)|https?://\S+", "", line)) > WIDTH
    ]


def test_headings_have_something_below_them() -> None:
    """Before the next of their depth, or of a lesser one; a fenced line may begin with # too."""
    heading = re.compile(r"^(#+) .*\n+(?=#)", re.MULTILINE)
    assert not [
        f"{document}: {match[0].strip()}"
        for document in DOCUMENTS
        if not document.startswith(".github/")  # forms, which their users fill in
        for match in heading.finditer(re.sub(r"(?ms)^```.*?^```", "code", text_of(document)))
        if not re.compile(rf"#{{{len(match[1]) + 1}}}").match(match.string, match.end())
    ]


def test_files_that_are_named_exist() -> None:
    name = re.compile(
        r"(?<![\w/.*-])(?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|json|tsv|yml|yaml)\b"
        # Other C files with a folder are glibc's and the kernel's.
        r"|(?<![\w/.-])(?:(?:loader|enter|front|inside|resident)/)*[a-z_]+\.[ch]\b"
    )
    assert not [
        f"{document}: {found}"
        for document in CURRENT
        for found in sorted(set(name.findall(text_of(document))))
        if not FOREIGN.search(found) and not exists(found, document)
    ]


def test_decisions_that_are_named_exist() -> None:
    assert not [
        f"{document}: {number}"
        for document in CURRENT
        for number in re.findall(r"decisions/(\d{4})", text_of(document))
        if not list(ROOT.glob(f"docs/decisions/{number}-*.md"))
    ]


def test_decisions_are_numbered_from_one_without_a_gap() -> None:
    names = sorted(path.name for path in (ROOT / "docs/decisions").iterdir())
    assert [name[:5] for name in names] == [f"{number:04}-" for number in range(1, len(names) + 1)]


def test_modules_that_are_named_exist() -> None:
    source = ROOT / "src/denizen"
    tops = sorted(
        path.stem for path in source.iterdir() if path.suffix in ("", ".py") and path.stem[0] != "_"
    )
    dotted = re.compile(rf"(?<![\w/.-])(?:denizen\.)?((?:{'|'.join(tops)})(?:\.[A-Za-z_]+)+)(?![\w/])")

    def is_there(name: str) -> bool:
        path = source / name.replace(".", "/")
        # The last word may be a name in the module.
        return any(p.is_dir() or p.with_name(p.name + ".py").exists() for p in (path, path.parent))

    assert not [
        f"{document}: {name}"
        for document in CURRENT
        for piece in code(document)
        for name in dotted.findall(piece)
        if not re.search(r"\.(py|md|[ch]|toml|lock|json|at)$", name) and not is_there(name)
    ]


def test_figures_of_the_readme_are_those_of_the_corpus() -> None:
    figures = set(re.findall(r"\b\d+ of \d+\b", text_of("README.md")))
    assert len(figures) >= 2
    assert figures <= set(re.findall(r"\b\d+ of \d+\b", text_of("docs/corpus.md")))


def test_commands_that_are_shown_exist() -> None:
    def is_known(words: list[str]) -> bool:
        # `denizen store export/import` shows two.
        seconds = words[1].split("/") if len(words) > 1 and re.fullmatch(r"[a-z/-]+", words[1]) else [""]
        return all(command_of([words[0], *filter(None, [second])]) for second in seconds)

    assert not [
        f"{document}: denizen {' '.join(words)}"
        for document in CURRENT
        for words in invocations(document)
        if not is_known(words)
    ]


def test_options_that_are_shown_exist() -> None:
    def unknown(words: list[str]) -> set[str]:
        command = command_of(words)
        options = (*command.options, *GLOBAL_OPTIONS) if command else ()
        shown = {match[1] for word in words if (match := re.match(r"\[?(--[a-z][a-z-]+)", word))}
        return shown - {name for option in options for name in option.names}

    assert not [
        f"{document}: denizen {' '.join(words)}"
        for document in CURRENT
        for words in invocations(document)
        if unknown(words)
    ]


def test_targets_of_make_that_are_shown_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {
        match[1]
        for document in CURRENT
        for piece in code(document)
        if (match := re.match(r"(?:\$ )?make ([a-z-]+)", piece))
    }
    assert {"demo", "test"} <= shown <= targets


def test_every_package_has_a_page_in_the_reference() -> None:
    packages = {path.parent.name for path in (ROOT / "src/denizen").glob("*/__init__.py")}
    assert packages <= {path.stem for path in (ROOT / "docs/reference").glob("*.md")}


def test_every_module_beside_the_packages_is_in_the_reference() -> None:
    modules = {path.stem for path in (ROOT / "src/denizen").glob("*.py")} - {"__init__", "__main__"}
    assert modules <= set(
        re.findall(r"^::: denizen\.(\w+)$", text_of("docs/reference/foundations.md"), re.MULTILINE)
    )


def test_the_contract_has_every_command() -> None:
    contract = text_of("docs/cli.md")
    assert not [row.word for row in TABLE if not re.search(rf"`{row.word}[ `]", contract)]


def test_the_table_of_strategies_has_the_order_in_which_they_are_tried() -> None:
    shown = re.findall(r"^\| `(\w+)` \|", text_of("docs/run.md").partition("| strategy |")[2], re.MULTILINE)
    assert shown[: len(STRATEGIES)] == [strategy.name.value for strategy in STRATEGIES]


def test_the_contract_has_the_words_of_strategies() -> None:
    sentence = re.search(r"^The words of `--strategy` are ([^.]*)\.", text_of("docs/cli.md"), re.MULTILINE)
    assert sentence
    assert set(re.findall(r"`(\w+)`", sentence[1])) == {"auto", *(one.name.value for one in STRATEGIES)}


def test_docstrings_describe_each_error_that_is_raised() -> None:
    # `make docs` fails there too: the reference has a column for it.
    bare = re.compile(r"^ +(?:Raises|Args|Attributes):\n +[\w, *]+\.?$", re.MULTILINE)
    sources = (ROOT / "src/denizen").rglob("*.py")
    assert not [
        str(path.relative_to(ROOT)) for path in sources if bare.search(path.read_text(encoding="utf-8"))
    ]


def test_every_source_of_the_loader_is_explained() -> None:
    named = text_of("loader/README.md")
    sources = {path.name for path in (ROOT / "loader").rglob("*.c")}
    assert not [name for name in sorted(sources) if f"{name}`" not in named]


def places_to_change(document: str) -> list[tuple[str, str]]:
    """Return the rows of a document's tables of where to change a thing: the question, and the place."""
    tables = text_of(document).split("\n| to change | begin in |\n|---|---|\n")[1:]
    lines = [line for table in tables for line in table.partition("\n\n")[0].splitlines()]
    return [(question, place) for question, place in (line.strip("| ").split(" | ") for line in lines)]


def test_each_question_of_where_to_change_names_one_place() -> None:
    rows = places_to_change("docs/where-to-change.md")
    questions = [question for question, _ in rows]
    assert len(questions) == len(set(questions)) >= 80
    for question, place in rows:
        # In brackets: a table inside that file, or the same for C.
        names = re.findall(r"`([^`]+)`", re.sub(r"\([^)]*\)", "", place))
        assert len(names) == 1, f"{question}: {place}"
        assert any((ROOT / base / names[0]).exists() for base in BASES), f"{question}: {names[0]}"


def test_what_stands_in_brackets_of_where_to_change_is_there() -> None:
    for question, place in places_to_change("docs/where-to-change.md"):
        first = re.sub(r"\([^)]*\)", "", place).split("`")[1]
        named = next(ROOT / base / first for base in BASES if (ROOT / base / first).exists())
        said = [
            one
            for brackets in re.findall(r"\(([^)]*)\)", place)
            for one in re.findall(r"`([^`]+)`", brackets)
        ]
        others = {
            base / one: one for one in said for base in (ROOT, ROOT / "src/denizen") if (base / one).exists()
        }
        texts = [path.read_text(encoding="utf-8") for path in (named, *others) if path.is_file()]
        for word in set(said) - set(others.values()):
            found = re.compile(rf"(?<!\w){re.escape(word.rpartition('.')[2])}(?!\w)")
            assert any(found.search(text) for text in texts), f"{question}: {word}"


def test_the_short_table_of_where_to_change_has_rows_of_the_whole_one() -> None:
    short = places_to_change("ARCHITECTURE.md")
    assert 20 <= len(short) <= 25
    assert not set(short) - set(places_to_change("docs/where-to-change.md"))


def test_the_architecture_is_two_pages() -> None:
    assert len(text_of("ARCHITECTURE.md").splitlines()) <= 140
