"""Coverage of the Python processes that tests start: what `process_tracer` records becomes coverage's data.

A plugin of pytest, which does something only where pytest-cov measures. It relies on how coverage's tracer is
used and how it packs arcs, which no documentation promises: where a trial shows anything else, coverage's own
way is taken, which is slower.
"""

import marshal
import os
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import coverage.tracer
import pytest
from coverage import CoverageData

import denizen
from denizen.cli.main import SITE
from tests.support import process_tracer

# Read by the line below, and by coverage's own: which code to execute, and what it is handed.
VARIABLE, OFFICIAL = "COV_TRACED", "COVERAGE_PROCESS_CONFIG"
LINE = (
    f"import os; exec('w = os.environ.get(\"{VARIABLE}\")\\nif w:\\n import marshal\\n'"
    f"' with open(w.split(chr(9))[0], \"rb\") as f:\\n  c = marshal.load(f)\\n'"
    f'\' exec(c, {{"__name__": "{process_tracer.NAME}"}})\')\n'
)
# Bits of a line number in an arc, as versions of coverage pack it.
WIDTHS = (28, 20)
KNOWN = "def known(flag):\n    if flag:\n        return 1\n    return 2\nknown(1)\n"
KNOWN_ARCS = {(1, 5), (2, 3)}
Arc = tuple[int, int]
_KEY = "processes"


def unpacked(packed: int, width: int) -> Arc:
    """Return the lines of an arc; a negative one is that of a code object which is entered or left."""
    first, second = packed & (1 << width) - 1, packed >> width & (1 << width) - 1
    return (
        -first if packed >> 2 * width & 1 else first,
        -second if packed >> 2 * width + 1 & 1 else second,
    )


def handed(sources: str | Path, directory: str | Path) -> str:
    """Return the variable by which processes record what runs below `sources`, in files of `directory`."""
    words = (code_place(), coverage.tracer.__file__, sources, directory)
    return "\t".join(str(word) for word in words)


def recorded(directory: str | Path) -> Mapping[str, set[int]]:
    """Return the packed arcs by file that all processes have written."""
    found: dict[str, set[int]] = {}
    for place in Path(directory).iterdir():
        if place.suffix == process_tracer.UNFINISHED:
            continue
        place.chmod(0o600)  # the umask of a process under test may leave its owner no right to read it
        for file, arcs in marshal.loads(place.read_bytes()).items():
            found.setdefault(file, set()).update(arcs)
    return found


def code_place() -> Path:
    """Return the file of the tracer's code: to compile it takes a tenth of Python's start."""
    return Path(sysconfig.get_path("purelib")) / "denizen_process_coverage.code"


def installed() -> bool:
    """Install the line and the code in this virtual environment; return whether they are there."""
    if sys.prefix == sys.base_prefix:
        return False
    source = process_tracer.__file__
    code = marshal.dumps(compile(Path(source).read_bytes(), source, "exec"))
    try:
        _write(code_place(), code)
        _write(code_place().with_suffix(".pth"), LINE.encode())
    except OSError:
        return False
    return True


def _write(place: Path, content: bytes) -> None:
    if not place.exists() or place.read_bytes() != content:
        unfinished = place.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.rename(place)


def width_of_lines() -> int | None:
    """Return the bits of a line number as a trial shows them, None where it shows nothing that is known."""
    with TemporaryDirectory() as name:
        sources, directory = Path(name, "sources"), Path(name, "arcs")
        sources.mkdir()
        directory.mkdir()
        program = sources / "known.py"
        program.write_text(KNOWN)
        environment = {**os.environ, VARIABLE: handed(sources.resolve(), directory)}
        environment.pop(OFFICIAL, None)
        command = [sys.executable, os.fspath(program.resolve())]
        subprocess.run(command, env=environment, check=False, capture_output=True)
        found = [arc for arcs in recorded(directory).values() for arc in arcs]
    for width in WIDTHS:
        arcs = {unpacked(arc, width) for arc in found}
        if arcs >= KNOWN_ARCS and all(abs(line) <= 5 for arc in arcs for line in arc):
            return width
    return None


class ProcessCoverage:
    """The plugin of the process that distributes the tests, or runs them all."""

    def __init__(self, controller: Any, width: int) -> None:
        self._controller, self._width = controller, width
        self._directory = TemporaryDirectory()
        # Processes of another user record nothing, and need not know of each other.
        sources = os.path.dirname(os.path.realpath(denizen.__file__))
        self.variable = handed(sources, self._directory.name)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist."""
        node.workerinput[_KEY] = self.variable

    # The innermost: pytest-cov combines all there is as soon as the loop has ended.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write what processes recorded where pytest-cov takes all data from."""
        if not getattr(session.config.option, "tx", None):
            measure_processes(self.variable)
        result = yield
        os.environ.pop(VARIABLE, None)
        os.environ.pop(SITE, None)
        data = CoverageData(self._controller.cov.config.data_file, suffix=_KEY)
        found = recorded(self._directory.name)
        data.add_arcs({file: [unpacked(arc, self._width) for arc in arcs] for file, arcs in found.items()})
        data.close()
        self._directory.cleanup()
        return result


class WorkerCoverage:
    """The plugin of a worker of xdist."""

    def __init__(self, variable: str) -> None:
        self._variable = variable

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Have the processes of this worker record themselves."""
        measure_processes(self._variable)


def measure_processes(variable: str) -> None:
    """Set the environment of all processes to come."""
    os.environ.pop(OFFICIAL, None)
    os.environ[VARIABLE] = variable
    # The installed line is in a .pth file.
    os.environ[SITE] = "1"


def pytest_configure(config: pytest.Config) -> None:
    """Measure processes where pytest-cov measures this one."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        if _KEY in worker:
            config.pluginmanager.register(WorkerCoverage(worker[_KEY]), "denizen-worker-coverage")
        return
    measuring = config.pluginmanager.getplugin("_cov")
    controller = getattr(measuring, "cov_controller", None)
    if controller is None or not installed() or (width := width_of_lines()) is None:
        return
    config.pluginmanager.register(ProcessCoverage(controller, width), "denizen-process-coverage")
