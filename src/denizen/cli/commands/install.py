"""`denizen install`, `remove`, `list`, `pin` and `unpin`: what is in a profile."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.fetch_options import FETCH_OPTIONS, fetch_limits
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.profiles.install_packages import InstallOutcome
    from denizen.app.profiles.install_request import InstallRequest
    from denizen.app.profiles.profile_access import ProfileChange
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.profiles.profile_links import Profile

PROFILE = Option(
    ("--profile",), "the profile: a name, or the path of its link (profile if not given)", metavar="NAME"
)
PROFILE_OPTIONS = (
    PROFILE,
    Option(
        ("--system",),
        "the system's profile, /var/lib/denizen/profiles/default, which all users have; for root",
    ),
)
SUITE = Option(("--suite",), "take packages from this suite", metavar="NAME", repeat=True)


def profile_from(parsed: Parsed, context: Context) -> Profile:
    """Return the profile that the option names. Raises BadProfileName."""
    from denizen.app.profiles.profile_access import profile_of

    return profile_of(context.session, parsed.text("profile"))


def request_from(parsed: Parsed, command: str, suites: tuple[str, ...] = ()) -> InstallRequest:
    """Return the options of an installation that every command which fetches has. Raises UsageError."""
    from denizen.app.profiles.install_request import InstallRequest

    offline, max_rate = fetch_limits(parsed, command)
    return InstallRequest(suites=suites, offline=offline, max_rate=max_rate)


def _request(parsed: Parsed) -> InstallRequest:
    """Return all options of `install`. Raises UsageError."""
    from denizen.value import replace

    text = parsed.text("priority")
    return replace(
        request_from(parsed, "install", parsed.texts("suite")),
        priority=None if text is None else _priority(text),
        sha256=_sha256(parsed.text("sha256")),
        name=parsed.text("name") or "",
    )


def _is_url(word: str) -> bool:
    from denizen.app.profiles.program_element import is_url

    return is_url(word)


def _sha256(text: str | None) -> str:
    """Return the hash that was given; "" for none. Raises UsageError."""
    if text is None:
        return ""
    from denizen.formats.hashes import HEX_DIGITS, SIZES

    if len(text) != 2 * SIZES["sha256"] or not HEX_DIGITS.issuperset(
        text.lower().encode("utf-8", "surrogatepass")
    ):
        raise UsageError("install", f"--sha256 wants 64 hexadecimal digits, not {text!r}")
    return text


def _priority(text: str) -> int:
    from denizen.formats.decimal_number import parse_number
    from denizen.profiles.profile_manifest import MAX_PRIORITY

    number = parse_number(text)
    if number is None or number >= MAX_PRIORITY:
        raise UsageError("install", f"{text!r} is not a priority", "a number; 5 is usual, the lower one wins")
    return number


def _install(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.install_packages import install

    words = tuple(dict.fromkeys(parsed.texts("NAME")))
    request = _request(parsed)
    if len(words) > 1 and (request.name or request.sha256):
        raise UsageError("install", "--name and --sha256 are for one program")
    if request.sha256 and not _is_url(words[0]):
        raise UsageError("install", f"--sha256 is for a URL, and {words[0]} is none")
    profile = profile_from(parsed, context)
    return show_installed(context, profile, install(context.session, profile, words, request))


def show_installed(context: Context, profile: Profile, done: InstallOutcome) -> int:
    """Print what an installation did; return the exit status."""
    from denizen.cli.views.profile_view import change_document, change_lines

    for sentence in done.failures:
        context.output.say(f"denizen: {sentence}")
    if context.json:
        context.output.document(change_document(profile, done.change))
        return 0
    for line in change_lines(done.change):
        context.output.line(line)
    if not done.change.changes:
        names = ", ".join(display(one.element.name) for one in done.elements)
        context.output.line(f"{names}: installed already, and the newest there is")
    _hint(context, profile, done)
    return 0


def _hint(context: Context, profile: Profile, done: InstallOutcome) -> None:
    """Say how the commands come into PATH, where they are not."""
    directory = os.path.join(profile.place, b"bin")
    paths = os.fsencode(context.environ.get("PATH", "")).split(b":")
    if directory not in paths and any(one.element.commands for one in done.elements):
        from denizen.app.profiles.profile_access import options_for

        options = "".join(f" {word}" for word in options_for(context.session, profile))
        fish = os.path.basename(context.environ.get("SHELL", "")) == "fish"
        words = f"denizen env{options} --shell fish | source" if fish else f'eval "$(denizen env{options})"'
        context.output.say(f"{display(directory)} is not in PATH; {words} puts it there")


def _remove(parsed: Parsed, context: Context) -> int:
    from denizen.app.profiles.remove_pin import remove

    profile = profile_from(parsed, context)
    return _show(context, profile, remove(context.session, profile, parsed.texts("NAME")))


def _pin(parsed: Parsed, context: Context) -> int:
    return _set_pinned(parsed, context, pinned=True)


def _unpin(parsed: Parsed, context: Context) -> int:
    return _set_pinned(parsed, context, pinned=False)


def _set_pinned(parsed: Parsed, context: Context, *, pinned: bool) -> int:
    from denizen.app.profiles.remove_pin import pin

    profile = profile_from(parsed, context)
    names = parsed.texts("NAME")
    pin(context.session, profile, names, pinned=pinned)
    word = "pinned: upgrades leave it alone" if pinned else "not pinned"
    context.show(
        lambda: [{"name": display(name), "pinned": pinned} for name in names],
        (f"{', '.join(map(display, names))}: {word}",),
    )
    return 0


def _show(context: Context, profile: Profile, change: ProfileChange) -> int:
    from denizen.cli.views.profile_view import change_document, change_lines

    context.show(lambda: change_document(profile, change), change_lines(change))
    return 0


def _list(parsed: Parsed, context: Context) -> int:
    from denizen.cli.views.list_view import summary_lines

    profile, verbose = profile_from(parsed, context), context.output.verbosity > 0
    rows = None if verbose or context.json else profile.summary()
    if rows is None:
        return _list_whole(context, profile)
    if not rows:
        context.output.say("nothing is installed; denizen install NAME")
    for line in summary_lines(rows):
        context.output.line(line)
    return 0


def _list_whole(context: Context, profile: Profile) -> int:
    """List all that the manifest has: as JSON, or with commands and packages."""
    from denizen.cli.views.list_view import summary_lines
    from denizen.cli.views.profile_view import detail_lines, element_document
    from denizen.profiles.summary import summary_row

    elements = profile.manifest().elements
    if context.json:
        context.output.document([element_document(one) for one in elements])
        return 0
    for one, line in zip(elements, summary_lines([summary_row(one) for one in elements]), strict=True):
        context.output.line(line)
        for detail in detail_lines(one) if context.output.verbosity > 0 else ():
            context.output.line(detail)
    return 0


_NAMES = Positional("NAME", "what is installed, as denizen list has it", many=True)

COMMANDS = (
    Command(
        ("install",),
        "install packages or programs into a profile",
        _install,
        (Positional("NAME", "a package, NAME=VERSION; a path of a program or directory; a URL", many=True),),
        (
            *PROFILE_OPTIONS,
            SUITE,
            Option(("--priority",), "of two with the same file the lower number wins (5)", metavar="NUMBER"),
            Option(("--sha256",), "the SHA-256 of a URL's file, in hex", metavar="HEX"),
            Option(("--name",), "the name in the profile", metavar="NAME"),
            *FETCH_OPTIONS,
        ),
        description=(
            "Bring what is named, and all it needs, into the store, and make a new generation of the\n"
            "profile in which its commands are. They run as denizen run would start them: by the host's\n"
            "libraries, by packages' libraries, or in an environment where a command needs more. Install\n"
            "again to upgrade."
        ),
    ),
    Command(("remove",), "remove from a profile", _remove, (_NAMES,), PROFILE_OPTIONS),
    Command(
        ("list",),
        "what is installed: versions, sources, sizes",
        _list,
        options=PROFILE_OPTIONS,
    ),
    Command(("pin",), "leave these alone when upgrading", _pin, (_NAMES,), PROFILE_OPTIONS),
    Command(("unpin",), "upgrade these again", _unpin, (_NAMES,), PROFILE_OPTIONS),
)
