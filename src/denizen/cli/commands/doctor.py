"""`denizen doctor`: the features that this host offers, found by trial, and denizen's use of them."""

from __future__ import annotations

from denizen.app.session import search_path
from denizen.cli.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.cli.command import Context
    from denizen.cli.options import Parsed


def _doctor(_: Parsed, context: Context) -> int:
    """Print all findings; return 1 if one keeps denizen from starting programs."""
    from denizen.app.decisions.emulator import host_emulators
    from denizen.app.session import tools_of
    from denizen.app.supply.liblzma_setup import decoder_words
    from denizen.disk_view import DiskView
    from denizen.launch.doctor_checks import Examined, Finding, examine_host

    place, emulators = context.session.paths, host_emulators(search_path(context.environ))
    examined = Examined(DiskView(), tools_of(context.session), place.store, place.state, emulators)
    findings = list(examine_host(examined))
    detail, consequence = decoder_words(context.session)
    findings.append(Finding("decoder", None, detail, consequence))
    if context.json:
        context.output.document(
            [
                {"name": f.name, "good": f.good, "detail": f.detail, "consequence": f.consequence}
                for f in findings
            ]
        )
    else:
        width = max(len(f.name) for f in findings)
        for f in findings:
            mark = {True: "+", False: "-", None: " "}[f.good]
            then = f" → {f.consequence}" if f.consequence else ""
            context.output.line(f"{mark} {f.name:<{width}}  {f.detail}{then}")
    return 1 if any(f.name in _NEEDED and f.good is False for f in findings) else 0


# Without a loader, or a directory to execute from, only the strategy host is left.
_NEEDED = frozenset({"loader", "store-directory", "state-directory"})

COMMANDS = (
    Command(
        ("doctor",),
        "features that this host allows, found by trying them, and denizen's use of them",
        _doctor,
        description=(
            "Tell what this host allows: namespaces, executing from denizen's directories, seccomp, FUSE,\n"
            "graphics. Each is tried, not concluded from settings.\n\n"
            "Exit status 0: programs can be started; 1: something in the way is marked -."
        ),
    ),
)
