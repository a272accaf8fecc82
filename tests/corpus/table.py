"""The table of docs/corpus.md."""

from collections.abc import Sequence

from tests.corpus.smoke import Result


def table(results: Sequence[Result], hosts: Sequence[str]) -> str:
    """Programs as rows, hosts as columns, and the sum of those that count."""
    found = {(result.entry.id, result.host): result for result in results}
    entries = list({result.entry.id: result.entry for result in results}.values())
    lines = [
        "| program | machine | " + " | ".join(hosts) + " |",
        "|---|---|" + "---|" * len(hosts),
    ]
    for entry in entries:
        cells = [_cell(found.get((entry.id, host))) for host in hosts]
        lines.append(f"| {entry.id} | {entry.machine}{' musl' if entry.musl else ''} | {' | '.join(cells)} |")
    lines.append(f"| **x86-64, glibc** | | {' | '.join(_sum(results, host) for host in hosts)} |")
    return "\n".join(lines) + "\n"


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    if result.absent:
        return "n/a"
    if result.passed and result.entry.refusal:
        return "refused, rightly"
    return f"{result.last.seconds:.2f} s" if result.passed else "✗"


def _sum(results: Sequence[Result], host: str) -> str:
    counted = [r for r in results if r.host == host and r.counts]
    passed = sum(result.passed for result in counted)
    return f"**{passed} of {len(counted)}**, {passed / len(counted):.1%}" if counted else ""
