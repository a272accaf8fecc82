"""Words of a static program's arguments that may be commands."""

from denizen.launch.named_commands import names_in


def test_words_of_a_command_line_may_be_commands() -> None:
    assert names_in([b"gcc", b"-c", b"/src/a.c", b"-o", b"a.o"]) == (b"gcc",)


def test_so_may_those_of_a_script() -> None:
    script = b"printf 'b\\na' | sort>out; x=$(sed -n 1p) && [ \"$x\" ]"
    assert names_in([b"-c", script])[:4] == (b"printf", b"b", b"na", b"sort")
    assert b"sed" in names_in([b"-c", script])


def test_long_arguments_are_looked_through_in_part() -> None:
    assert names_in([b" ".join(b"w%d" % number for number in range(9999))])[-1] == b"w39"
