"""The options of commands that take a program with its closure: `bundle`, `export` and `sbom`."""

from __future__ import annotations

from denizen.cli.options import Option, Positional

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.session import Session
    from denizen.cli.options import Parsed

SUBJECT = Positional("SUBJECT", "a program, an environment (env:NAME) or a profile (profile:NAME)")
CLOSURE_OPTIONS = (
    Option(("--with",), "also a soname, package or object", metavar="NAME", repeat=True),
    Option(("--suite",), "resolve a program in SUITE", metavar="SUITE", repeat=True),
    Option(("--offline",), "use only what is there already"),
)


def closure_request(session: Session, parsed: Parsed, program: bytes) -> ClosureRequest:
    """Return the request for a program's closure; for a subject that is no program, `program` is empty.

    Raises the errors of `wished` about --with.
    """
    from denizen.app.bundles.program_closure import ClosureRequest
    from denizen.app.resolution.extra_inputs import wished

    extra = tuple(wished(session, parsed.texts("with"), program)) if program else ()
    return ClosureRequest(program, extra, parsed.texts("suite"), parsed.flag("offline"))
