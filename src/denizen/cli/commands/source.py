"""`denizen source list`, `add` and `remove`."""

from __future__ import annotations

import os

from denizen.cli.command import Command
from denizen.cli.options import Option, Positional, UsageError
from denizen.errors import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from denizen.cli.command import Context
    from denizen.cli.options import Parsed
    from denizen.sources.source_settings import Setting


def list_sources(parsed: Parsed, context: Context) -> int:
    """Print the sources of packages."""
    del parsed
    from denizen.app.supply.configured_sources import configured_settings

    found = configured_settings(context.session)
    context.show(
        lambda: [_row(setting) for setting in found],
        (line for setting in found for line in _lines(setting)),
    )
    return 0


def _lines(setting: Setting) -> Iterator[str]:
    """Yield a source's name and what it is made of."""
    yield f"{setting.name}  ({setting.kind}, from {setting.origin})"
    for label, text in (
        ("address", " ".join(setting.uris)),
        ("only where", setting.release_origin and f"the Release gives Origin: {setting.release_origin}"),
        ("suites", " ".join(setting.suites)),
        ("components", " ".join(setting.components) if setting.kind == "deb" else ""),
        ("keyrings", ", ".join(keyring.name for keyring in setting.keyrings)),
    ):
        if text:
            yield f"    {label:11} {text}"
    if not setting.check_valid_until:
        yield "    an expired Release is allowed"


def _row(setting: Setting) -> dict[str, object]:
    return {
        "name": setting.name,
        "kind": setting.kind,
        "uris": list(setting.uris),
        "suites": list(setting.suites),
        "components": list(setting.components),
        "keyrings": [keyring.name for keyring in setting.keyrings],
        "check_valid_until": setting.check_valid_until,
        "release_origin": setting.release_origin or None,
        "origin": setting.origin,
    }


def add(parsed: Parsed, context: Context) -> int:
    """Write a source's configuration, after reading it back as it would be used."""
    from denizen.app.supply.user_sources import write_source
    from denizen.formats.aptsources import parse_deb822
    from denizen.formats.percent import path_as_word

    name = parsed.required("NAME")
    _require_name(name)
    kind = "directory" if parsed.flag("directory") else "deb"
    fields = [
        ("Types", kind),
        ("URIs", " ".join(_address(uri, kind) for uri in parsed.texts("URI"))),
        ("Suites", " ".join(_names(parsed, "suite"))),
        ("Components", " ".join(_names(parsed, "component"))),
        (
            "Signed-By",
            " ".join(path_as_word(os.path.abspath(os.fsencode(path))) for path in parsed.texts("signed-by")),
        ),
        ("Check-Valid-Until", "no" if parsed.flag("allow-expired") else ""),
    ]
    text = "".join(f"{key}: {words}\n" for key, words in fields if words).encode()
    (entry,) = parse_deb822(text)
    if not entry.uris:
        raise UsageError("source add", "the URI is neither http, https nor file")
    if kind == "deb" and not entry.suites and name != "debian":
        raise UsageError("source add", "--suite is missing", "denizen source add NAME URI --suite stable")
    path = write_source(context.session, name, text)
    context.report(
        lambda: {"name": name, "path": display(path)},
        (f"wrote {display(path)}; 'denizen index update' makes its index",),
    )
    return 0


def remove(parsed: Parsed, context: Context) -> int:
    """Delete a source's configuration; "debian", which exists without one, is disabled by a file."""
    from denizen.app.supply.user_sources import remove_source

    name = parsed.required("NAME")
    _require_name(name)
    remove_source(context.session, name)
    context.report(lambda: {"removed": name}, ())
    return 0


def _require_name(name: str) -> None:
    # The name becomes a file name and part of index names.
    if not name or not name.replace("-", "").replace(".", "").replace("_", "").isalnum() or name[:1] in ".-":
        raise UsageError("source", f"{name!r} is not a name of letters, digits, '-', '.' and '_'")


def _address(uri: str, kind: str) -> str:
    from denizen.formats.percent import encoded_as_word, path_as_word

    raw = os.fsencode(uri)
    if kind == "directory" and not uri.startswith("file:"):
        return path_as_word(os.path.abspath(raw))
    return encoded_as_word(raw)


def _names(parsed: Parsed, option: str) -> Sequence[str]:
    """Return the names given with an option; they become words of a file. Raises UsageError."""
    found = parsed.texts(option)
    for name in found:
        if not name.isascii() or not name.isprintable() or " " in name or not name:
            raise UsageError("source add", f"--{option} {name!r} is not a name")
    return found


_NAME = Positional("NAME", "what it is called")

COMMANDS = (
    Command(words=("source", "list"), summary="where packages come from", run=list_sources),
    Command(
        words=("source", "add"),
        summary="configure a source",
        run=add,
        positionals=(_NAME, Positional("URI", "http, https or file address; several are mirrors", many=True)),
        options=(
            Option(("--suite",), "a suite to index (may be repeated)", metavar="NAME", repeat=True),
            Option(
                ("--component",), "a component (may be repeated; default main)", metavar="NAME", repeat=True
            ),
            Option(("--signed-by",), "the keyring that must have signed it", metavar="FILE", repeat=True),
            Option(("--allow-expired",), "use it past its Valid-Until"),
            Option(("--directory",), "URI is a directory of .deb files"),
        ),
    ),
    Command(
        words=("source", "remove"),
        summary="forget a source",
        run=remove,
        positionals=(_NAME,),
    ),
)
