"""The result of `denizen patch`, for people and as a document."""

from __future__ import annotations

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.app.relocate.patch_program import Patched


def lines(done: Patched, *, written: bool) -> Iterator[str]:
    """Yield what was done, what was lost, and what no longer fits."""
    name = display(done.target)
    if done.plan.is_empty:
        yield f"{name}: it is so already" if written else f"{name}: nothing would change"
        yield from _remarks(done)
        return
    verb = "patched" if written else "would be patched"
    yield f"{name}: {verb}, {_bytes(done)}"
    for step in done.plan.steps:
        yield f"  {step}"
    if written:
        yield f"  verified: parsed again{_loaded(done)}"
    if done.tried:
        yield "  started with --help in a sandbox, as the old one"
    for lost in done.lost:
        yield f"  not kept: {display(lost)}"
    for unfound in done.unfound:
        yield f"  no longer found by ld.so on this host: {display(unfound)}"
    yield from _remarks(done)


def _remarks(done: Patched) -> Iterator[str]:
    for name in done.not_needed:
        yield f"  it does not need {display(name)}"
    if done.no_interpreter is not None:
        yield f"  this host has no {display(done.no_interpreter)}, without which it does not start"


def document(done: Patched, *, written: bool) -> dict[str, object]:
    """Return the fields of docs/cli.md."""
    plan = done.plan
    return {
        "program": display(done.target),
        "changed": not plan.is_empty,
        "written": written,
        "steps": list(plan.steps),
        "edits": [{"offset": one.offset, "size": len(one.content), "part": one.part} for one in plan.edits],
        "grown": _grown(done),
        "loaded": done.linker,
        "tried": done.tried,
        "not_kept": [display(name) for name in done.lost],
        "unfound": [display(name) for name in done.unfound],
        "not_needed": [display(name) for name in done.not_needed],
        "no_interpreter": None if done.no_interpreter is None else display(done.no_interpreter),
    }


def _grown(done: Patched) -> int:
    plan = done.plan
    return plan.padding + len(plan.inserted) - plan.cut + len(plan.tail) if plan.inserted else 0


def _loaded(done: Patched) -> str:
    if done.linker:
        return ", and loaded by ld.so --list"
    if not done.asked_linker:
        return "; this host has no dynamic linker for it"
    if done.unfound:
        return "; ld.so --list finds less than before"
    return "; ld.so --list loads neither it nor the old file"


def _bytes(done: Patched) -> str:
    changed = sum(len(one.content) for one in done.plan.edits)
    grown = _grown(done)
    return f"{changed} bytes changed" + (f", {grown} more" if grown else ", none more")
