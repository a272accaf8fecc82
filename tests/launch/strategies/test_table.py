"""What every strategy owes to the table, and what the table makes of it.

tests/contract/strategies tries the same strategies with real programs.
"""

from pathlib import Path

import pytest

from denizen.cli.commands.run import STRATEGY_WORDS as WORDS
from denizen.launch.decisions.decision_codec import decode, encode
from denizen.launch.decisions.host_decision import decision_of_host
from denizen.launch.loader.loader_settings import LoaderSettings, configure_loader
from denizen.launch.strategies.base import HostFindings, ProgramStart, Strategy, StrategyName
from denizen.launch.strategies.table import STRATEGIES, all_verdicts, choose
from denizen.value import replace
from tests.launch.loader.test_loader_settings import BINARY
from tests.launch.strategies.test_entry_stub import program
from tests.support.strategy_starts import REFUSED, start_of

_LACKING = HostFindings(satisfies=False, starts=False, lacking=("library-missing",), later=(b"libx.so.1",))
_OTHERWISE = (b"denizen", b"run", b"--except", b"namespace", b"--")

each = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: one.name.value)


@pytest.fixture
def hostile(tmp_path: Path) -> ProgramStart:
    """A static program that needs what this host lacks, where the kernel refuses namespaces."""
    return start_of(tmp_path, program(interpreter=False), _LACKING, refusal=REFUSED)


@pytest.fixture
def friendly(tmp_path: Path) -> ProgramStart:
    """A program that every strategy can start."""
    installed = tmp_path / "ld.so"
    directories = (bytes(tmp_path / "decisions"),)
    installed.write_bytes(configure_loader(BINARY, LoaderSettings(directories=directories)))
    found = HostFindings(satisfies=True, starts=True, asks_fhs=True)
    return start_of(tmp_path, program(), found, interpreter=bytes(installed))


def fitting(strategy: Strategy, start: ProgramStart) -> ProgramStart:
    """Return the start as of another architecture's program where the strategy is for those alone."""
    is_foreign = strategy.name is StrategyName.EMULATED
    return replace(start, findings=replace(start.findings, is_foreign=is_foreign))


def test_the_words_of_the_option_are_the_strategies_in_the_tables_order() -> None:
    assert {one.name.value for one in STRATEGIES} == {*WORDS} - {"auto"}
    assert len(STRATEGIES) == len(StrategyName)


@each
def test_it_has_a_title_that_follows_its_name(strategy: Strategy) -> None:
    assert strategy.title
    assert strategy.title == strategy.title.strip(" .")
    assert strategy.title.isprintable()


@each
def test_it_tells_what_stands_against_it_as_a_sentence(strategy: Strategy, hostile: ProgramStart) -> None:
    reason = strategy.obstacle(hostile)
    assert len(reason.split()) > 1
    assert reason.isprintable()
    assert not reason.endswith(".")


@each
def test_nothing_stands_against_it_where_all_it_needs_is_there(
    strategy: Strategy, friendly: ProgramStart
) -> None:
    assert strategy.obstacle(fitting(strategy, friendly)) == ""


@each
def test_a_file_that_nobody_may_map_is_started_by_a_copy_or_read_by_an_emulator(
    strategy: Strategy, friendly: ProgramStart
) -> None:
    start = replace(friendly, findings=replace(friendly.findings, unmappable="it is mounted noexec"))
    may = strategy.name in {StrategyName.STUB, StrategyName.EMULATED}
    assert strategy.obstacle(fitting(strategy, start)) == ("" if may else "it is mounted noexec")


@each
@pytest.mark.parametrize("otherwise", [(), _OTHERWISE])
def test_its_decision_is_data_about_the_same_program(
    strategy: Strategy, friendly: ProgramStart, otherwise: tuple[bytes, ...]
) -> None:
    base = replace(decision_of_host(friendly.program), host=False)
    made = strategy.decision(friendly, base, otherwise)
    assert (made.identity, made.headers, made.program) == (base.identity, base.headers, base.program)
    assert decode(encode(made)) == made
    # A program's own words follow it; () executes the program, or has the loader map it.
    assert made.command == () or made.command[-1] == b"--"


@each
def test_another_way_is_named_only_to_who_makes_a_namespace(
    strategy: Strategy, friendly: ProgramStart
) -> None:
    made = strategy.decision(friendly, decision_of_host(friendly.program), _OTHERWISE)
    makes_one = strategy.name in {StrategyName.NAMESPACE, StrategyName.FHS}
    assert (made.command[1:3] == (b"else", b"%d" % len(_OTHERWISE))) == makes_one


def test_the_first_that_nothing_stands_against_is_chosen(friendly: ProgramStart) -> None:
    choice = choose(friendly)
    assert choice.strategy is STRATEGIES[0]
    assert choice.obstacles == ()


def test_what_stands_against_those_before_it_is_told(friendly: ProgramStart) -> None:
    choice = choose(replace(friendly, findings=_LACKING), excluded=(StrategyName.LOADER,))
    assert choice.strategy is not None
    assert choice.strategy.name is StrategyName.NAMESPACE
    assert choice.obstacles == (
        ("host", "it lacks: library-missing, libx.so.1"),
        ("fhs", "the program needs nothing that only a whole /usr has"),
    )


def test_one_that_was_asked_for_is_the_only_one_considered(hostile: ProgramStart) -> None:
    choice = choose(hostile, StrategyName.NAMESPACE)
    assert choice.strategy is None
    assert choice.obstacles == (("namespace", REFUSED),)


def test_another_machines_program_is_emulated_and_nothing_else(friendly: ProgramStart) -> None:
    start = replace(friendly, findings=replace(friendly.findings, is_foreign=True))
    choice = choose(start)
    assert choice.strategy is not None
    assert choice.strategy.name is StrategyName.EMULATED
    assert {reason for _, reason in choice.obstacles} == {"it is built for another machine"}
    assert choose(start, StrategyName.STUB).strategy is None


def test_every_verdict_is_given_in_the_tables_order(friendly: ProgramStart) -> None:
    assert [one.strategy for one in all_verdicts(friendly)] == [*STRATEGIES]
