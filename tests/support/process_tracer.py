"""Executed at the start of each Python process of a measured test run: records its arcs, and nothing else.

Coverage's own tracer, in C, without the rest of coverage: to import that, to configure it and to write a
database takes 0.17 s, more than most commands of denizen. Unlike it this also writes where a process ends by
os._exit or becomes another program, as `denizen run` does. `process_coverage` gives the files to coverage.

Nothing is recorded while a module is imported: that is most of what a short command does, each does it again,
and the tests' own processes import the same modules and are measured.

It imports only what every process has: `threading` and `importlib` would take as long as Python's own start.
"""

import _frozen_importlib
import _thread
import atexit
import marshal
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

NAME = "process_tracer"
# Of the file of a process that was killed while it wrote, or may write so much and no more.
UNFINISHED = ".unfinished"
# From 3.12 on each start of a tracer has the interpreter instrument all code anew.
STOPS_AT_ONCE = sys.version_info < (3, 12)


class Arcs:
    """What runs below a directory of sources, by file, as the tracer packs it."""

    def __init__(self, extension: str, sources: str, directory: str) -> None:
        loader = ExtensionFileLoader("coverage.tracer", extension)
        self._module = loader.create_module(ModuleSpec("coverage.tracer", loader, origin=extension))
        loader.exec_module(self._module)
        self._sources, self._directory = os.path.join(sources, ""), directory
        self._judged: dict[str, object] = {}
        self.packed: dict[str, set[int]] = {}

    def start(self) -> object:
        """Trace this thread; return the trace function."""
        tracer = self._module.CTracer()
        tracer.data = self.packed
        tracer.trace_arcs = True
        tracer.should_trace, tracer.should_trace_cache = self._judge, self._judged
        tracer.lock_data = tracer.unlock_data = lambda: None
        tracer.warn = tracer.concur_id_func = tracer.should_start_context = tracer.switch_context = None
        tracer.disable_plugin, tracer.file_tracers = None, {}
        return tracer.start()

    def leave_out_imports(self) -> None:
        """Trace nothing while a module is found and executed."""
        if not STOPS_AT_ONCE:
            return
        plain = _frozen_importlib._find_and_load  # type: ignore[attr-defined]  # what the interpreter calls
        kind = self._module.CTracer

        def found(*words: object) -> object:
            tracer = sys.gettrace()
            if not isinstance(tracer, kind):
                return plain(*words)
            # Not by sys.settrace: the tracer would miss the end of this function, and give it later lines.
            tracer.stop()
            try:
                return plain(*words)
            finally:
                tracer.start()

        _frozen_importlib._find_and_load = found  # type: ignore[attr-defined]

    def _judge(self, file: str, _: object) -> object:
        """Return whether a file is traced, in the structure that the tracer reads."""
        wanted = self._module.CFileDisposition()
        wanted.original_filename = wanted.canonical_filename = file
        wanted.trace = file.startswith(self._sources)
        wanted.source_filename = file if wanted.trace else None
        wanted.reason, wanted.file_tracer, wanted.has_dynamic_filename = "", None, False
        return wanted

    def save(self) -> None:
        """Write what was recorded since the last time."""
        found = {file: tuple(arcs) for file, arcs in self.packed.copy().items() if arcs}
        if not found:
            return
        for file, arcs in found.items():
            self.packed[file].difference_update(arcs)
        # A name that nobody has: processes in namespaces have the same numbers.
        place = os.path.join(self._directory, os.urandom(12).hex())
        try:
            with open(f"{place}{UNFINISHED}", "xb") as stream:
                stream.write(marshal.dumps(found))
            os.rename(f"{place}{UNFINISHED}", place)
        except OSError:  # the directory is not there, full, or somebody else's
            return


def _saving(arcs: Arcs, name: str) -> None:
    plain = getattr(os, name)

    def saving(*arguments: object) -> object:
        arcs.save()
        return plain(*arguments)

    setattr(os, name, saving)


def _tracing(arcs: Arcs, name: str) -> None:
    plain = getattr(_thread, name)

    def starting(function: object, *arguments: object, **named: object) -> object:
        def traced(*given: object, **by_name: object) -> object:
            arcs.start()
            return function(*given, **by_name)  # type: ignore[operator]  # what a thread is to call

        return plain(traced, *arguments, **named)

    setattr(_thread, name, starting)
    # Where another .pth file has imported it, it has taken the function already.
    if "threading" in sys.modules:
        setattr(sys.modules["threading"], f"_{name}", starting)


def begin(extension: str, sources: str, directory: str) -> None:
    """Record this process until it ends, or becomes another program."""
    arcs = Arcs(extension, sources, directory)
    atexit.register(arcs.save)
    for name in ("_exit", "execv", "execve"):
        _saving(arcs, name)
    # By these `threading` starts threads, of which it takes one when it is imported.
    for name in ("start_new_thread", "start_joinable_thread"):
        if hasattr(_thread, name):
            _tracing(arcs, name)
    arcs.leave_out_imports()
    arcs.start()


# The .pth file is read twice where a virtual environment has lib64 beside lib.
if __name__ == NAME and not hasattr(sys, NAME):
    setattr(sys, NAME, True)
    begin(*os.environ["COV_TRACED"].split("\t")[1:])
