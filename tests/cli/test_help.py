from denizen.cli.help import describe, usage
from tests.cli.test_options import OPTIONS, RUN


def test_help_shows_metavars_and_hides_what_has_no_text() -> None:
    assert usage("run", RUN) == "usage: denizen run [options] PROGRAM [ARG…]"
    text = "\n".join(describe(OPTIONS))
    assert "-o, --output FILE  where to" in text
    assert "--when" not in text
