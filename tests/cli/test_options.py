import pytest

from denizen.cli.options import Option, Positional, UsageError, own_words, parse
from denizen.errors import EXIT_USAGE

OPTIONS = (
    Option(("-q", "--quiet"), "be quiet"),
    Option(("-v", "--verbose"), "say more", repeat=True),
    Option(("-o", "--output"), "where to", metavar="FILE"),
    Option(("--with",), "more", metavar="NAME", repeat=True),
    Option(("--path",), "directories", metavar="PATH", may_be_empty=True),
    Option(("--when",), "", metavar="WHEN", choices=("now", "later"), retired=("soon",), default="now"),
)
PROGRAM = (Positional("PROGRAM", "what to look at"),)
RUN = (Positional("PROGRAM", "what to run"), Positional("ARG", "its own", optional=True, rest=True))


def test_values_may_be_attached_or_follow_and_options_may_follow_positionals() -> None:
    for words in (["-oout", "p"], ["-o", "out", "p"], ["--output=out", "p"], ["p", "--output", "out"]):
        parsed = parse("why", OPTIONS, PROGRAM, words)
        assert (parsed.text("output"), parsed.required("PROGRAM")) == ("out", "p")


def test_short_flags_stand_together_and_repeatable_ones_count() -> None:
    parsed = parse("why", OPTIONS, PROGRAM, ["-qvv", "p", "-v"])
    assert (parsed.flag("quiet"), parsed.count("verbose")) == (True, 3)


def test_the_last_short_flag_of_a_cluster_may_have_a_value() -> None:
    assert parse("why", OPTIONS, PROGRAM, ["-qofile", "p"]).text("output") == "file"


def test_repeatable_values_collect_and_absent_ones_have_their_default() -> None:
    parsed = parse("why", OPTIONS, PROGRAM, ["--with", "a", "--with=b", "p"])
    assert (parsed.texts("with"), parsed.text("when"), parsed.text("output")) == (("a", "b"), "now", None)


def test_two_dashes_end_the_options() -> None:
    assert parse("why", OPTIONS, PROGRAM, ["--", "-q"]).required("PROGRAM") == "-q"


def test_everything_after_the_program_is_the_programs_own() -> None:
    parsed = parse("run", OPTIONS, RUN, ["-q", "p", "-o", "--help", "--"])
    assert (parsed.flag("quiet"), parsed.required("PROGRAM")) == (True, "p")
    assert parsed.texts("ARG") == ("-o", "--help", "--")


def test_two_dashes_before_the_program_leave_the_rest_to_it() -> None:
    parsed = parse("run", OPTIONS, RUN, ["--", "p", "-q"])
    assert (parsed.required("PROGRAM"), parsed.texts("ARG"), parsed.flag("quiet")) == ("p", ("-q",), False)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "PROGRAM is missing"),
        (["p", "extra"], "unexpected argument 'extra'"),
        (["--nope", "p"], "there is no option --nope"),
        (["-x", "p"], "there is no option -x"),
        (["p", "-o"], "-o wants a value: -o FILE"),
        (["", "p"], "PROGRAM is an empty word"),
        (["-o", "", "p"], "the value of -o is an empty word"),
        (["--output=", "p"], "the value of --output is an empty word"),
        (["--with", "a", "--with", "", "p"], "the value of --with is an empty word"),
        (["--quiet=yes", "p"], "--quiet takes no value"),
        (["--when", "never", "p"], "--when is one of now, later, not 'never'"),
    ],
)
def test_a_wrong_line_says_what_is_wrong_and_exits_2(words: list[str], problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse("why", OPTIONS, PROGRAM, words)
    assert (caught.value.problem, caught.value.exit_status) == (problem, EXIT_USAGE)


def test_an_empty_word_is_taken_where_it_means_something() -> None:
    parsed = parse("run", OPTIONS, RUN, ["--path", "", "p", "", "x"])
    assert (parsed.text("path"), parsed.texts("ARG")) == ("", ("", "x"))
    # A program of that name is looked for as a shell does, and not there.
    assert parse("run", OPTIONS, RUN, [""]).required("PROGRAM") == ""


def test_own_words_end_where_a_programs_begin() -> None:
    assert own_words(OPTIONS, RUN, ["-o", "out", "--help", "p", "--debug"]) == ["-o", "out", "--help", "p"]
    assert own_words(OPTIONS, PROGRAM, ["p", "-qoout", "--help", "--", "--debug"]) == [
        "p",
        "-qoout",
        "--help",
    ]
    # The value that is wanted is taken for a question.
    assert own_words(OPTIONS, RUN, ["p2", "-o"]) == ["p2"]
    assert own_words(OPTIONS, PROGRAM, ["-o", "--help"]) == ["-o", "--help"]


def test_a_retired_value_is_taken_and_not_offered() -> None:
    assert parse("why", OPTIONS, PROGRAM, ["--when", "soon", "p"]).text("when") == "soon"
    with pytest.raises(UsageError) as caught:
        parse("why", OPTIONS, PROGRAM, ["--when", "never", "p"])
    assert "soon" not in caught.value.problem


def test_a_typo_names_the_nearest_option() -> None:
    with pytest.raises(UsageError) as caught:
        parse("why", OPTIONS, PROGRAM, ["--quite", "p"])
    assert caught.value.remedy == "did you mean --quiet?"


def test_words_of_others_are_shown_without_their_escape_sequences() -> None:
    hostile = "\x1b]0;title\x07\udcff"
    for word in (f"--{hostile}", f"-{hostile}", f"--when={hostile}"):
        with pytest.raises(UsageError) as caught:
            parse("why", OPTIONS, PROGRAM, [word, "p"])
        assert caught.value.what.isprintable()
