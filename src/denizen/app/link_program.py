"""A link that starts a program by the loader, without Python: `denizen loader link`."""

from __future__ import annotations

from denizen.app.decisions.decision_maker import decide
from denizen.app.helper_command import helper_words
from denizen.app.session import tools_of
from denizen.app.start_request import RunRequest
from denizen.launch.decisions import GENERATION
from denizen.launch.decisions.decision_variants import beginning_for
from denizen.launch.loader.loader_settings import HOST_PREFIXES, LoaderSettings
from denizen.launch.program_links import make_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from denizen.app.session import Session


def link_program(session: Session, program: bytes, link: bytes, *, offline: bool) -> None:
    """Decide about a program, and make the link that starts it; both paths are absolute.

    Raises the errors of `decide` and `make_link`.
    """
    made = decide(session, program, RunRequest(offline=offline))
    tools = tools_of(session)
    settings = LoaderSettings(
        directories=(made.directory,),
        command=helper_words(session, "decide"),
        host_prefixes=HOST_PREFIXES,
        inside=tools.inside(),
        resident=tools.resident(),
        generation=GENERATION,
        library_paths=(beginning_for(session.paths.decisions),),
    )
    make_link(link, program, tools.loader(settings), made.directory)
