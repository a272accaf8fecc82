"""The table of strategies as `run --plan`, `why` and `doctor` show it."""

from __future__ import annotations

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.resources.static_program_paths import LookedForFiles
    from denizen.launch.strategies.table import StrategyVerdict


def strategy_document(
    verdicts: Sequence[StrategyVerdict],
    emulator: str = "",
    files: Sequence[LookedForFiles] = (),
    variables: Sequence[bytes] = (),
    *,
    unstarted: str = "",
) -> dict[str, object]:
    """Return the table of strategies for --json: the chosen one, and the reasons against the others."""
    chosen = next((v.strategy.name.value for v in verdicts if not v.obstacle), None)
    rows = [
        {"name": v.strategy.name.value, "possible": not v.obstacle, "reason": v.obstacle} for v in verdicts
    ]
    return {
        "chosen": chosen,
        "table": rows,
        "emulator": emulator or None,
        "files": [
            {
                "path": display(one.path),
                "packages": [*map(display, one.packages)],
                "reason": one.reason,
                "mounted": one.is_mounted,
                "variables": [*map(display, one.variables)],
            }
            for one in files
        ],
        "variables": [*map(display, variables)],
        "unstarted": unstarted or None,
    }


def strategy_lines(
    verdicts: Sequence[StrategyVerdict],
    emulator: str = "",
    files: Sequence[LookedForFiles] = (),
    variables: Sequence[bytes] = (),
    *,
    unstarted: str = "",
) -> Iterator[str]:
    """Yield what a static program looks for, and the table of strategies, as lines for people."""
    for one in files:
        packages = ", ".join(map(display, one.packages))
        yield f"it looks for {display(one.path)}, of {packages}: {_means(one)}"
    if unstarted:
        yield unstarted
    if emulator:
        yield f"emulator: {emulator}"
    chosen = next((v for v in verdicts if not v.obstacle), None)
    if verdicts:
        yield "strategy:"
    for each in verdicts:
        mark = "*" if each is chosen else " "
        words = each.strategy.title if not each.obstacle else f"no: {each.obstacle}"
        yield f" {mark} {each.strategy.name.value:<10} {words}"
    for variable in variables:
        yield f"given where it is not set: {display(variable)}"


def _means(files: LookedForFiles) -> str:
    if files.is_mounted:
        return "shown there"
    if files.variables:
        return f"named by {', '.join(map(display, files.variables))}"
    return "not shown: no namespace shows it here, and the program reads no variable for it"
