"""The options of commands that build: `realise`, `build` and `develop`."""

from __future__ import annotations

from denizen.cli.options import Option, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from denizen.app.builds.realise_files import RealiseFilesRequest
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed

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
# Of those that build recipes.
ALLOW_PATH = Option(
    ("--allow-path",),
    "let recipes take files below this path, too, not only from their own directory",
    metavar="PATH",
    repeat=True,
)

_LARGEST = 1 << 50
# (field of the request, option, largest)
_NUMBERS = (("jobs", "jobs", 1000), ("cores", "cores", 100_000))
# (field of BuildLimits, which has the defaults; option, largest)
_LIMITS = (
    ("timeout", "timeout", _LARGEST),
    ("max_silent_time", "max-silent-time", _LARGEST),
    ("max_log", "max-log-size", _LARGEST),
)


def realise_request(
    parsed: Parsed, context: Context, command: str, files: tuple[str, ...] = (), link: str = ""
) -> RealiseFilesRequest:
    """Return the request to realise derivations by `BUILD_OPTIONS`. Raises UsageError."""
    from denizen.app.builds.realise_files import RealiseFilesRequest
    from denizen.build.runner.build_limits import BuildLimits
    from denizen.cli.views.build_progress import BuildProgress

    numbers = given_numbers(parsed, command)
    progress = BuildProgress(context.output, logs=parsed.flag("print-build-logs"))
    return RealiseFilesRequest(
        files,
        progress,
        progress.heard,
        **_fields(numbers, _NUMBERS),
        limits=BuildLimits(**_fields(numbers, _LIMITS)),
        sandbox=not parsed.flag("no-sandbox"),
        paths=parsed.texts("sandbox-path"),
        keep_failed=context.environ.get("TMPDIR", "/tmp") if parsed.flag("keep-failed") else "",  # noqa: S108  # mkdir with mode 0700 there
        check=parsed.flag("check"),
        keep_going=parsed.flag("keep-going"),
        link=link,
    )


def _fields(numbers: Mapping[str, int], table: Iterable[tuple[str, str, int]]) -> dict[str, int]:
    return {field: numbers[option] for field, option, _ in table if option in numbers}


def given_numbers(parsed: Parsed, command: str) -> dict[str, int]:
    """Return the numbers that options give, by option. Raises UsageError."""
    rows = [(option, parsed.text(option), most) for _, option, most in (*_NUMBERS, *_LIMITS)]
    return {option: _number(command, option, text, most) for option, text, most in rows if text is not None}


def _number(command: str, key: str, text: str, largest: int) -> int:
    from denizen.formats.decimal_number import parse_number

    number = parse_number(text)
    if number is None or number > largest:
        raise UsageError(command, f"{text!r} is not a number for --{key}", f"--{key} 2")
    if key == "jobs" and not number:
        raise UsageError(command, "without a job nothing is built", "--jobs 2")
    return number
