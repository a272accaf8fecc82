"""`denizen realise`."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from denizen.app.builds.realise_files import RealiseFilesRequest
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

# Bytes a builder may say before it is stopped; gcc's own build says 30 MB.
_MAX_LOG = 1 << 30
_LARGEST = 1 << 50
# (field of the request, option, default, largest)
_NUMBERS = (
    ("jobs", "jobs", 0, 1000),
    ("cores", "cores", 0, 100_000),
    ("timeout", "timeout", 0, _LARGEST),
    ("max_silent_time", "max-silent-time", 0, _LARGEST),
    ("max_log", "max-log-size", _MAX_LOG, _LARGEST),
)


def _realise(parsed: Parsed, context: Context) -> int:
    """Make the outputs valid, and print their paths."""
    from denizen.app.builds.made_already import made_already

    limits = _limits(parsed, "realise")
    quick = not (parsed.flag("check") or parsed.text("add-root"))
    made = made_already(context.session, parsed.texts("FILE")) if quick else None
    show_made(_made(parsed, context, limits) if made is None else made, context)
    return 0


def _made(parsed: Parsed, context: Context, limits: Mapping[str, int]) -> Mapping[str, Mapping[str, bytes]]:
    from denizen.app.builds.realise_files import realise_files

    link = parsed.text("add-root") or ""
    return realise_files(context.session, _request(parsed, context, limits, parsed.texts("FILE"), link))


def realise_request(
    parsed: Parsed, context: Context, command: str, files: tuple[str, ...]
) -> RealiseFilesRequest:
    """Return the request to realise derivations by `BUILD_OPTIONS`. Raises UsageError."""
    return _request(parsed, context, _limits(parsed, command), files)


def _request(
    parsed: Parsed, context: Context, limits: Mapping[str, int], files: tuple[str, ...], link: str = ""
) -> RealiseFilesRequest:
    from denizen.app.builds.realise_files import RealiseFilesRequest
    from denizen.cli.views.build_progress import BuildProgress

    progress = BuildProgress(context.output, logs=parsed.flag("print-build-logs"))
    return RealiseFilesRequest(
        files,
        progress,
        progress.heard,
        **limits,
        sandbox=not parsed.flag("no-sandbox"),
        paths=parsed.texts("sandbox-path"),
        keep_failed=context.environ.get("TMPDIR", "/tmp") if parsed.flag("keep-failed") else "",  # noqa: S108  # mkdir with mode 0700 there
        check=parsed.flag("check"),
        keep_going=parsed.flag("keep-going"),
        link=link,
    )


def _limits(parsed: Parsed, command: str) -> dict[str, int]:
    return {
        key: _number(parsed, command, option, default, largest) for key, option, default, largest in _NUMBERS
    }


def _number(parsed: Parsed, command: str, key: str, default: int, largest: int) -> int:
    text = parsed.text(key)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= largest):
        raise UsageError(command, f"{text!r} is not a number for --{key}", f"--{key} 2")
    if key == "jobs" and not int(text):
        raise UsageError(command, "without a job nothing is built", "--jobs 2")
    return int(text)


def show_made(made: Mapping[str, Mapping[str, bytes]], context: Context) -> None:
    """Print where outputs are, by derivation and name of the output; `out` comes first."""
    if context.json:
        context.output.document(
            {
                drv: {name: os.fsdecode(place) for name, place in outputs.items()}
                for drv, outputs in made.items()
            }
        )
        return
    for outputs in made.values():
        for _, place in sorted(outputs.items(), key=lambda one: one[0] != "out"):
            context.output.line(os.fsdecode(place))


# Options of every command that builds.
BUILD_OPTIONS = (
    Option(("-j", "--max-jobs", "--jobs"), "derivations to build at once; else one a core", metavar="N"),
    Option(("--cores",), "processors that one build may use; else all", metavar="N"),
    Option(("--timeout",), "stop a builder after this time", metavar="SECONDS"),
    Option(("--max-silent-time",), "stop a builder that is silent for this time", metavar="SECONDS"),
    Option(("--max-log-size",), "stop a builder that has said more; else 1 GiB", metavar="BYTES"),
    Option(("-K", "--keep-failed"), "keep the directory of a failed build"),
    Option(("-k", "--keep-going"), "after a failure, build what does not depend on it"),
    Option(("--check",), "build once more what is there, and compare"),
    Option(("-L", "--print-build-logs"), "print what builders say"),
    Option(("--no-sandbox",), "run builders without a sandbox"),
    Option(
        ("--sandbox-path",),
        "show a path of this machine in sandboxes; optional with ? at its end",
        metavar="PATH[=SOURCE][?]",
        repeat=True,
    ),
)

COMMANDS = (
    Command(
        ("realise",),
        "make the outputs of derivations valid, and print where they are",
        _realise,
        positionals=(Positional("FILE", "a derivation's file, in the store or elsewhere", many=True),),
        options=(
            Option(
                ("--add-root",),
                "keep the outputs by this link to 'out'; LINK-NAME is that to another, LINK-2 the second's",
                metavar="LINK",
            ),
            *BUILD_OPTIONS,
        ),
        description="What an output needs is made first; what is there already is not made again.\n\n"
        "Builders run in a sandbox: they see their inputs, a directory to build in, and nothing else of\n"
        "this machine; those that fetch what has a known hash see the network too. denizen log prints what\n"
        "they said.",
    ),
)
