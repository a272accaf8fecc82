"""The table of strategies as `run --plan`, `why` and `doctor` show it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.launch.strategies.table import StrategyVerdict


def strategy_document(verdicts: Sequence[StrategyVerdict], emulator: str = "") -> dict[str, object]:
    """Return the table of strategies for --json: the chosen one, and the reasons against the others."""
    chosen = next((v.strategy.name.value for v in verdicts if not v.obstacle), None)
    rows = [
        {"name": v.strategy.name.value, "possible": not v.obstacle, "reason": v.obstacle} for v in verdicts
    ]
    return {"chosen": chosen, "table": rows, "emulator": emulator or None}


def strategy_lines(verdicts: Sequence[StrategyVerdict], emulator: str = "") -> Iterator[str]:
    """Yield the table of strategies as lines for people."""
    if emulator:
        yield f"emulator: {emulator}"
    chosen = next((v for v in verdicts if not v.obstacle), None)
    if verdicts:
        yield "strategy:"
    for one in verdicts:
        mark = "*" if one is chosen else " "
        words = one.strategy.title if not one.obstacle else f"no: {one.obstacle}"
        yield f" {mark} {one.strategy.name.value:<10} {words}"
