from denizen.cli.dispatch import GLOBAL_OPTIONS, TABLE, commands_of
from denizen.cli.help import command_help, describe, usage
from tests.cli.test_options import OPTIONS, RUN


def test_help_shows_metavars_and_hides_what_has_no_text() -> None:
    assert usage("run", RUN) == "usage: denizen run [options] PROGRAM [ARG…]"
    text = "\n".join(describe(OPTIONS))
    assert "-o, --output FILE  where to" in text
    assert "--when" not in text


def test_lines_fit_a_terminal_and_words_stay_whole() -> None:
    for command in [command for group in TABLE for command in commands_of(group)]:
        text = command_help(command, GLOBAL_OPTIONS)
        assert max(map(len, text.split("\n"))) <= 110, command.words
        about = " ".join(text.split())
        helps = [row.help for row in command.positionals] + [row.help for row in command.options]
        for text in helps:
            assert " ".join(text.split()) in about
