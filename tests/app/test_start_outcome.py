"""What starts a program that `why` looked at."""

from denizen.app.start_outcome import StartOutcome, outcome_of
from denizen.resolve.resolution import ProblemKind, Resolution, ResolutionProblem
from denizen.value import replace
from tests.support.glibc_systems import FREE, Case, program

CHOSEN = Resolution("amd64", interpreter=(b"/lib64/ld.so", b"package", b"ld.so"))
LACK = ResolutionProblem(ProblemKind.LIBRARY, b"libgone.so.1", b"program", "no package of any suite has it")
SYMBOL = ResolutionProblem(ProblemKind.SYMBOL, b"f", b"program", "no library defines it")


def test_a_program_with_all_it_needs_is_the_hosts() -> None:
    assert outcome_of(Case(program()).report(), None) is StartOutcome.HOST


def test_what_packages_have_makes_it_denizens() -> None:
    report = Case(program(b"libgone.so.1")).report()
    assert outcome_of(report, CHOSEN) is StartOutcome.DENIZEN
    assert outcome_of(report, replace(CHOSEN, problems=(SYMBOL,))) is StartOutcome.DENIZEN
    assert outcome_of(report, replace(CHOSEN, problems=(LACK,))) is StartOutcome.NOTHING
    assert outcome_of(report, None) is StartOutcome.PERHAPS


def test_what_no_package_mends_is_nobodys() -> None:
    report = Case(program(b"libgone.so.1"), placement=replace(FREE, executable=False)).report()
    assert outcome_of(report, CHOSEN) is StartOutcome.NOTHING
