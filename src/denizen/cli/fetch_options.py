"""The options of every command that fetches."""

from __future__ import annotations

from denizen.cli.options import Option, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.options import Parsed
    from denizen.sources.fetch_policy import FetchPolicy

FETCH_OPTIONS = (
    Option(("--offline",), "fetch nothing"),
    Option(("--limit-rate",), "bytes a second at most: 500K, 2M", metavar="RATE"),
)


def fetch_policy(parsed: Parsed, command: str) -> FetchPolicy:
    """Return the policy for the options above. Raises UsageError."""
    from denizen.sources.fetch_policy import FetchPolicy

    offline, max_rate = fetch_limits(parsed, command)
    return FetchPolicy(offline=offline, max_rate=max_rate)


def fetch_limits(parsed: Parsed, command: str) -> tuple[bool, int]:
    """Return whether nothing is to be fetched, and the largest rate, 0 for none. Raises UsageError."""
    rate = parsed.text("limit-rate")
    return parsed.flag("offline"), _rate(rate, command) if rate else 0


def _rate(text: str, command: str) -> int:
    from denizen.formats.decimal_number import parse_number

    factor = {"K": 1000, "M": 1_000_000, "G": 1_000_000_000}.get(text[-1:].upper(), 1)
    number = parse_number(text[:-1] if factor > 1 else text)
    if not number:
        raise UsageError(command, f"{text!r} is not a rate", "--limit-rate 500K")
    return number * factor
