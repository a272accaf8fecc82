"""Options and positionals as data, and the parser that reads argument lists by them.

One table per command gives its parser, its `--help`, its completion and its manual page. argparse
would read them too, but importing it costs more than a whole `python3 -c pass` allows `denizen run`
(16 ms against 8), and it cannot be asked for its table.

Grammar, as GNU getopt_long's with permutation, and no abbreviation of long options:
    --name VALUE | --name=VALUE | -nVALUE | -n VALUE | -abc (flags together) | -- (the rest is positional)
A positional of kind REST ends option parsing at its first word: the rest belongs to that program.
"""

from __future__ import annotations

from denizen.errors import EXIT_USAGE, DenizenError, display
from denizen.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Option(Value):
    """One option.

    Attributes:
        names: as written, short ones first: ("-q", "--quiet"). The last one is the key of its value.
        help: one line; empty hides the option.
        metavar: the placeholder of its value in help; "" for a flag.
        choices: the values allowed, empty for any.
        retired: values that are allowed too, for a release, and not offered.
        repeat: it may be given more than once: a flag is counted, values are collected in a tuple.
        default: the value of an absent option with a value.
        may_be_empty: an empty value means something. Else it is refused: it is a shell variable that is not
            set, and would be taken for an absent option. Hidden options, which denizen gives itself, may.
    """

    names: tuple[str, ...]
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    repeat: bool = False
    default: str | None = None
    may_be_empty: bool = False

    @property
    def key(self) -> str:
        """The key of its value: "max-freed" for --max-freed."""
        return self.names[-1].lstrip("-")


class Positional(Value):
    """One positional argument.

    Attributes:
        name: its metavar, and the key of its value.
        help: one line.
        many: it takes all remaining words, as a tuple.
        optional: it may be absent.
        rest: it takes everything after it unparsed, options included (a program's own arguments).
    """

    name: str
    help: str
    many: bool = False
    optional: bool = False
    rest: bool = False


class UsageError(DenizenError):
    """The error that a command line does not follow the command's table.

    Attributes:
        command: the words of the command, "store add".
        problem: the fault, in one clause.
        hint: the remedy; "" for the command's --help.
    """

    exit_status = EXIT_USAGE
    command: str
    problem: str
    hint: str = ""

    @property
    def what(self) -> str:
        # The words may be another's: of a script, a link, a file name that the shell put in.
        return display(f"{self.command}: {self.problem}" if self.command else self.problem)

    @property
    def remedy(self) -> str:
        return self.hint or f"denizen {self.command} --help".replace("  ", " ")


class Parsed:
    """The values of one command line, by option key or positional name."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = dict(values)

    def has(self, key: str) -> bool:
        """Tell whether the command has an option or positional of that name."""
        return key in self._values

    def flag(self, key: str) -> bool:
        """Tell whether a flag was given."""
        return bool(self._values[key])

    def count(self, key: str) -> int:
        """Return how many times a repeatable flag was given."""
        number = self._values[key]
        assert isinstance(number, int)
        return number

    def text(self, key: str) -> str | None:
        """Return the value of an option or optional positional, None if it is absent and has no default."""
        found = self._values[key]
        assert found is None or isinstance(found, str)
        return found

    def required(self, key: str) -> str:
        """Return the value of a required positional."""
        found = self._values[key]
        assert isinstance(found, str)
        return found

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the values of a repeatable option, or of a positional that takes many."""
        found = self._values[key]
        assert isinstance(found, tuple)
        return found


def parse(
    command: str, options: Sequence[Option], positionals: Sequence[Positional], arguments: Sequence[str]
) -> Parsed:
    """Return the values in `arguments` (without the command's own words). Raises UsageError."""
    by_name = {name: option for option in options for name in option.names}
    values: dict[str, object] = {option.key: _initial(option) for option in options}
    words: list[str] = []
    pending = list(arguments)[::-1]
    while pending:
        word = pending.pop()
        if word == "--":
            words += pending[::-1]
            break
        if not word.startswith("-") or word == "-":
            words.append(word)
            if _is_rest(positionals, len(words)):
                words += pending[::-1]
                break
            continue
        for name, attached in _split(word, by_name):
            _take(command, by_name, values, pending, name=name, attached=attached)
    return Parsed(values | _distribute(command, positionals, words))


def own_words(
    options: Sequence[Option], positionals: Sequence[Positional], arguments: Sequence[str]
) -> list[str]:
    """Return the arguments up to a program's own, or up to `--`."""
    by_name = {name: option for option in options for name in option.names}
    words, position = 0, 0
    while position < len(arguments) and arguments[position] != "--":
        word = arguments[position]
        position += 1
        if not word.startswith("-") or word == "-":
            words += 1
            if _is_rest(positionals, words):
                break
            continue
        name, attached = _split(word, by_name)[-1]
        option = by_name.get(name)
        if option is not None and option.metavar and attached is None:
            position += 1
    return list(arguments[:position])


def _initial(option: Option) -> object:
    if option.metavar:
        return () if option.repeat else option.default
    return 0 if option.repeat else False


def _is_rest(positionals: Sequence[Positional], given: int) -> bool:
    return given <= len(positionals) and any(p.rest for p in positionals[given : given + 1])


def _split(word: str, by_name: Mapping[str, Option]) -> list[tuple[str, str | None]]:
    """Return the options in one word, each with the value attached to it."""
    if word.startswith("--"):
        name, equals, attached = word.partition("=")
        return [(name, attached if equals else None)]
    found: list[tuple[str, str | None]] = []
    for position in range(1, len(word)):
        name = "-" + word[position]
        option = by_name.get(name)
        if option is not None and option.metavar:
            return [*found, (name, word[position + 1 :].removeprefix("=") or None)]
        found.append((name, None))
    return found


def _take(
    command: str,
    by_name: Mapping[str, Option],
    values: dict[str, object],
    pending: list[str],
    *,
    name: str,
    attached: str | None,
) -> None:
    option = by_name.get(name)
    if option is None:
        raise UsageError(command, f"there is no option {name}", _nearest(name, by_name))
    if not option.metavar:
        if attached is not None:
            raise UsageError(command, f"{name} takes no value")
        old = values[option.key]
        values[option.key] = old + 1 if option.repeat and isinstance(old, int) else True
        return
    if attached is None and not pending:
        raise UsageError(command, f"{name} wants a value: {name} {option.metavar}")
    found = attached if attached is not None else pending.pop()
    if not (found or option.may_be_empty) and option.help:
        raise UsageError(command, f"the value of {name} is an empty word")
    if option.choices and found not in (*option.choices, *option.retired):
        raise UsageError(command, f"{name} is one of {', '.join(option.choices)}, not {found!r}")
    old = values[option.key]
    values[option.key] = (*old, found) if option.repeat and isinstance(old, tuple) else found


def _nearest(name: str, known: Mapping[str, Option]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else ""


def _distribute(command: str, positionals: Sequence[Positional], words: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    left = list(words)
    # The name of a program to start is the kernel's to judge, and its arguments are its own.
    if "" in words and not any(positional.rest for positional in positionals):
        raise UsageError(command, f"{_taker(positionals, words.index(''))} is an empty word")
    for positional in positionals:
        if positional.many or positional.rest:
            values[positional.name] = tuple(left)
            if not left and not positional.optional:
                raise UsageError(command, f"{positional.name} is missing")
            left = []
        elif left:
            values[positional.name] = left.pop(0)
        elif positional.optional:
            values[positional.name] = None
        else:
            raise UsageError(command, f"{positional.name} is missing")
    if left:
        raise UsageError(command, f"unexpected argument {left[0]!r}")
    return values


def _taker(positionals: Sequence[Positional], index: int) -> str:
    """Return the name of the positional that takes the word at an index."""
    return positionals[min(index, len(positionals) - 1)].name if positionals else "an argument"
