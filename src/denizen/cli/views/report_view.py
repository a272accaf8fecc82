"""A `Report` drawn for people: the tree of libraries, and the problems with their remedies.

Every library is drawn with its own dependencies once, where it is first met from the top (breadth first, so
never deep inside another if the program itself needs it); later it is one dim line. The C and C++ run-time
libraries are drawn only where the program itself needs them, unless everything is asked for or they have a
problem: every library needs them, so they tell nothing.
"""

from __future__ import annotations

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from denizen.app.start_outcome import StartOutcome
from denizen.diagnose.problem import Severity, counted
from denizen.errors import display, shell_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from denizen.diagnose.problem import Problem
    from denizen.diagnose.report import LibraryRow, Report

RUNTIME = (
    b"ld-linux", b"ld-musl", b"libc.so", b"libm.so", b"libdl.so", b"libpthread.so", b"librt.so",
    b"libgcc_s.so", b"libstdc++.so", b"linux-vdso", b"linux-gate",
)  # fmt: skip
# Rules whose directories are the system's own; they are not listed one by one.
SYSTEM_RULES = ("cache", "default", "system-path")
MARKS = {
    Severity.ERROR: ("✗", "bold red"),
    Severity.WARNING: ("!", "bold yellow"),
    Severity.NOTE: ("·", "dim"),
}


def draw(report: Report, *, everything: bool) -> RenderableType:
    """Return the drawing of a report.

    `everything` includes all repeats, run-time libraries and failed attempts.
    """
    parts: list[RenderableType] = [_headline(report)]
    if report.libraries and not any(problem.code == "wrong-machine" for problem in report.problems):
        parts.append(_Drawing(report, everything=everything).tree())
    parts += [line for problem in report.problems for line in _problem(problem)]
    return Group(*parts)


def page(drawing: RenderableType, closing: Text) -> RenderableType:
    """Return a drawing followed by the closing line, for a file."""
    return Group(drawing, closing)


def _headline(report: Report) -> Text:
    line = Text(display(report.program), style="bold")
    facts = [report.kind, report.machine, report.libc]
    if report.glibc_required:
        found = f", here {report.glibc_found}" if report.glibc_found else ""
        facts.append(f"needs GLIBC_{report.glibc_required}{found}")
    line.append("  " + ", ".join(fact for fact in facts if fact), style="not bold dim")
    for step in report.chain:
        line.append(f"\n  run by {display(step)}", style="not bold")
    if report.interpreter and not report.chain:
        line.append(f"\n  interpreter {display(report.interpreter)}", style="not bold dim")
    return line


class _Drawing:
    """One traversal of the closure, which remembers what it has drawn."""

    def __init__(self, report: Report, *, everything: bool) -> None:
        self._report = report
        self._everything = everything
        self._home = _homes(report)

    def tree(self) -> Tree:
        last = self._report.chain[-1] if self._report.chain else self._report.program
        tree = Tree(Text(display(last.rpartition(b"/")[2])), guide_style="dim")
        self._grow(tree, self._report.roots, parent=-1, top=True)
        return tree

    def _grow(self, tree: Tree, children: tuple[int, ...], *, parent: int, top: bool = False) -> None:
        for place in children:
            row = self._report.libraries[place]
            if self._hidden(row, top=top):
                continue
            at_home = self._home.get(place) == parent
            if not (at_home or row.path is None or self._everything):
                continue
            branch = tree.add(_label(row, repeated=not at_home))
            if at_home:
                self._tried(branch, row)
                self._grow(branch, row.children, parent=place)

    def _hidden(self, row: LibraryRow, *, top: bool) -> bool:
        return not top and not self._everything and row.path is not None and row.soname.startswith(RUNTIME)

    def _tried(self, branch: Tree, row: LibraryRow) -> None:
        if self._everything:
            for attempt in row.tried:
                where = f"{display(attempt.path)}  {attempt.reason}"
                branch.add(Text(f"{where}  ({attempt.title})", style="dim"))
        elif row.path is None:
            branch.add(Text(f"looked in {_looked_in(row)}", style="dim"))


def _homes(report: Report) -> dict[int, int]:
    """Return for every library the parent under which it is drawn in full, the first met.

    -1 is the program.
    """
    homes = dict.fromkeys(report.roots, -1)
    queue = list(dict.fromkeys(report.roots))
    for place in queue:
        for child in report.libraries[place].children:
            if child not in homes:
                homes[child] = place
                queue.append(child)
    return homes


def _looked_in(row: LibraryRow) -> str:
    """Return every searched place once: directories of run paths by name, the system's by their rule."""
    places: dict[str, None] = {}
    for attempt in row.tried:
        if attempt.rule in SYSTEM_RULES:
            places[attempt.title] = None
        else:
            directory = attempt.path[: attempt.path.rfind(b"/")] or b"/"
            places[f"{display(directory)} ({attempt.title})"] = None
    return ", ".join(places)


def _label(row: LibraryRow, *, repeated: bool) -> Text:
    if row.path is None:
        return Text(f"{display(row.soname)}  not found", style="bold red")
    text = Text(display(row.soname), style="dim" if repeated else "")
    if repeated:
        return text.append("  (above)", style="dim")
    if row.path != row.soname:
        text.append(f" → {display(row.path)}", style="cyan")
    return text.append(f"  {row.title}", style="dim")


def _problem(problem: Problem) -> Iterator[Text]:
    mark, style = MARKS[problem.severity]
    yield Text.assemble((f"\n{mark} ", style), problem.message)
    for detail in problem.details:
        yield Text(f"    {detail}", style="dim")
    if problem.hint:
        yield Text.assemble(("  try: ", "bold"), problem.hint)


def verdict(report: Report, outcome: StartOutcome) -> Text:
    """Return the closing line: whether the program starts, and the command that starts it."""
    number = sum(problem.severity is Severity.ERROR for problem in report.problems)
    problems = "another machine's" if report.is_emulated else counted(number, "problem", "problems")
    command = f"denizen run {shell_word(report.program)}"
    match outcome:
        case StartOutcome.HOST if report.is_no_program:
            return Text("\nNothing here keeps programs from loading it.", style="bold green")
        case StartOutcome.HOST:
            return Text("\nNothing keeps it from starting here.", style="bold green")
        case StartOutcome.DENIZEN:
            words = f"\nIt does not start here by itself: {problems}. This starts it: "
            return Text.assemble((words, "bold yellow"), (command, "bold"))
        case StartOutcome.PERHAPS:
            words = f"\nIt does not start here: {problems}."
            return Text.assemble(
                (words, "bold red"), " denizen may bring what is missing: ", (command, "bold")
            )
        case StartOutcome.NOTHING:
            return Text(f"\nIt does not start here: {problems}.", style="bold red")
