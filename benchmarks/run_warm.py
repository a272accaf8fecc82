"""A decided program's start: `denizen run` beside `python -c pass`, our namespace beside bubblewrap's.

The program needs one library this host lacks. bubblewrap is given the same work: the host's root, and one
file bound over another.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.support import PYTHON_PASS, median_starts, table
from denizen.disk_view import DiskView
from denizen.launch.loader.configured_tools import Tools
from denizen.launch.strategies.namespace_plan import InterpreterMount, mount_point_for, operations
from tests.support.offline_roots import DenizenHome
from tests.support.peers import require

ROUNDS = int(os.environ.get("ROUNDS", "200"))
LDSO = b"/lib64/ld-linux-x86-64.so.2"


def main() -> None:
    """Print medians and ratios."""
    require("bwrap")
    with tempfile.TemporaryDirectory() as directory:
        home = DenizenHome(Path(directory))
        program = home.compile("greet", "int greeting(); int main() { greeting(); return 0; }")
        home.denizen("run", os.fspath(program))
        static = home.work / "static"
        subprocess.run(
            ["gcc", "-static", "-x", "c", "-", "-o", static],
            input=b"int main(void) { return 0; }",
            check=True,
        )
        command = Path(sys.executable).with_name("denizen")
        link = home.work / "greet-link"
        home.denizen("loader", "link", os.fspath(program), os.fspath(link))
        denizen = (os.fspath(command), "--root", os.fspath(home.root), "run", os.fspath(program))
        report(
            median_starts(
                [PYTHON_PASS, denizen, [os.fspath(link)], *namespaces(home, static)], repeats=ROUNDS
            )
        )


def namespaces(home: DenizenHome, static: Path) -> list[list[str]]:
    """A static program started natively, in our namespace, and in bubblewrap's."""
    tools = Tools(bytes(home.root / "state" / "tools"), os.uname().machine)
    spot = mount_point_for(DiskView(), LDSO)
    hidden = tools.hidden(spot.path)
    steps = operations([InterpreterMount(spot, tools.enter(), hidden)], tools.stage())
    ours = [os.fsdecode(word) for word in (tools.enter(), *steps, b"--")]
    target = os.path.realpath(LDSO.decode())
    theirs = ["bwrap", "--dev-bind", "/", "/", "--ro-bind", target, os.fsdecode(hidden)]
    theirs += ["--ro-bind", os.fsdecode(tools.enter()), target, "--"]
    # bwrap itself is a dynamic program of the host: what it starts is what is measured.
    return [[str(static)], [*ours, str(static)], [*theirs, str(static)]]


def report(times: list[float]) -> None:
    """The table, then each claim with its figure."""
    python, run, link, native, ours, theirs = times
    names = (
        "python -c pass", "denizen run, decided", "by a link to the loader",
        "static program", "in our namespace", "in bubblewrap's",
    )  # fmt: skip
    print(
        table(
            [
                ("start to exit, median", "ms"),
                *((n, f"{t * 1e3:.2f}") for n, t in zip(names, times, strict=True)),
            ]
        )
    )
    print(f"denizen run: {run / python:.2f} times python -c pass (claim: at most 1.6)")
    print(f"link: {link * 1e3:.2f} ms, {run / link:.1f} times as fast as denizen run")
    print(f"namespace: native + {(ours - native) * 1e3:.2f} ms (claim: at most 2)")
    ratio = (theirs - native) / (ours - native)
    print(f"bubblewrap: native + {(theirs - native) * 1e3:.2f} ms, {ratio:.1f} times ours")


if __name__ == "__main__":
    main()
