"""The cost and the content of a resolution, for display before anything is done (pure)."""

from __future__ import annotations

from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from denizen.resolve.resolution import Pin, ProviderChoice, Resolution, ResolutionProblem

# Policy 5.6.20: Installed-Size is in KiB.
_KIB = 1024


def download_size(resolution: Resolution) -> int:
    """Return the size of all package files, in bytes."""
    return sum(pin.size for pin in resolution.packages)


def installed_size(resolution: Resolution) -> int:
    """Return the size of all unpacked packages, in bytes, as their Installed-Size estimates it."""
    return sum(pin.installed_size for pin in resolution.packages) * _KIB


def libraries_of(resolution: Resolution, pin: Pin) -> tuple[ProviderChoice, ...]:
    """Return the libraries for which a package is in the resolution."""
    return tuple(choice for choice in resolution.choices if choice.package == pin.sha256)


def recommenders_of(resolution: Resolution, pin: Pin) -> tuple[bytes, ...]:
    """Return the packages whose library's plugins a package holds."""
    return tuple(one.by for one in resolution.recommended if one.package == pin.sha256)


def sentence(problem: ResolutionProblem) -> str:
    """Return a problem in words."""
    text = f"{_WORDS[problem.kind.value]} {display(problem.subject)}"
    if problem.needed_by:
        text += f", needed by {display(problem.needed_by)}"
    text += f": {problem.detail}"
    return text + (f"; near: {', '.join(map(display, problem.near))}" if problem.near else "")


def omissions(resolution: Resolution) -> Iterator[str]:
    """Yield a sentence for each library that is left out or only suggested, with the reason."""
    for one in resolution.left_out:
        asker = f", asked for by {display(one.needed_by)}" if one.needed_by else ""
        yield f"{display(one.soname)}{asker}: left out: {one.reason}"
    suggested: dict[str, list[str]] = {}
    for wish in resolution.wishes:
        suggested.setdefault(f"{wish.priority} by {wish.origin}", []).append(
            " or ".join(map(display, wish.sonames))
        )
    told = {display(one.soname) for one in resolution.left_out}
    for origin, names in suggested.items():
        if left := [name for name in names if name not in told]:
            yield f"{', '.join(left)}: {origin}, not brought unless asked for (--with)"


_WORDS = {
    "missing-library": "library",
    "missing-version": "version",
    "unresolved-symbol": "symbol",
    "missing-interpreter": "dynamic linker",
    "unreadable": "unreadable",
    "executable-stack": "library",
}


def document(resolution: Resolution) -> dict[str, object]:
    """Return the resolution for --json; docs/resolve.md describes the fields."""
    names = {pin.sha256: display(pin.name) for pin in resolution.packages}
    floor = resolution.floor
    return {
        "architecture": resolution.architecture,
        "base": resolution.base,
        "glibc_required": ".".join(map(str, floor)) if floor else None,
        "complete": resolution.is_complete,
        "download": download_size(resolution),
        "installed": installed_size(resolution),
        "interpreter": _interpreter(resolution, names),
        "packages": [_package(pin) for pin in resolution.packages],
        "libraries": [_library(choice, names) for choice in resolution.choices],
        "override": [display(soname) for soname in resolution.override],
        "host": [
            {"soname": display(one.soname), "needed_by": display(one.needed_by), "reason": one.reason}
            for one in resolution.from_host
        ],
        "wishes": [
            {"sonames": [display(n) for n in wish.sonames], "from": wish.origin, "priority": wish.priority}
            for wish in resolution.wishes
        ],
        "open": [_problem(problem) for problem in resolution.problems],
        "left_out": [
            {"soname": display(one.soname), "needed_by": display(one.needed_by), "reason": one.reason}
            for one in resolution.left_out
        ],
        "recommended": [
            {"package": names[one.package], "by": display(one.by)} for one in resolution.recommended
        ],
    }


def _interpreter(resolution: Resolution, names: dict[bytes, str]) -> dict[str, str] | None:
    if resolution.interpreter is None:
        return None
    path, package, file = resolution.interpreter
    return {"path": display(path), "package": names[package], "file": display(file)}


def _package(pin: Pin) -> dict[str, object]:
    return {
        "name": display(pin.name),
        "version": display(pin.version),
        "arch": display(pin.architecture),
        "source": pin.source,
        "suite": pin.suite,
        "snapshot": pin.snapshot,
        "sha256": display(pin.sha256),
        "size": pin.size,
        "installed": pin.installed_size * _KIB,
    }


def _library(choice: ProviderChoice, names: dict[bytes, str]) -> dict[str, object]:
    return {
        "soname": display(choice.soname),
        "package": names.get(choice.package),
        "path": display(choice.path),
        "rule": choice.rule.value,
        "reason": choice.rule.title,
        "needed_by": display(choice.needed_by),
        "wish": choice.wish or None,
        "rejected": [
            {"package": display(r.package), "suite": r.suite, "reason": r.reason} for r in choice.rejected
        ],
    }


def _problem(problem: ResolutionProblem) -> dict[str, object]:
    return {
        "code": problem.kind.value,
        "subject": display(problem.subject),
        "needed_by": display(problem.needed_by),
        "detail": problem.detail,
        "near": [display(name) for name in problem.near],
    }
