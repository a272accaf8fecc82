"""Resolving programs made here against the real archive's index, beside apt's solver on the same packages.

Claims (issue 5), with the index there and packages fetched: 40 missing libraries within 0.5 s though no
package was looked into before; 100 programs within 10 s; again 0.1 s each, and nothing is asked of an index
or a package then. "facts known" is another program with the same libraries.
`apt-get --simulate install` is told the packages, which finding out is most of our work.

Packages are decoded as after an index update: by the archive's liblzma where Python's is older than 5.6.
"""

import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.support import table
from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.session import Session
from denizen.app.supply.liblzma_setup import decoder_words, provide_decoder
from denizen.cli.command import Context
from denizen.resolve.resolution import Resolution
from denizen.sources.fetch_policy import FetchPolicy
from denizen.value import replace
from tests.support.elf_builder import Elf, build
from tests.support.real_archive import one_at_a_time, real_archive

SUITES = ("bookworm",)
REPEATS = 5
RESOLUTIONS = "resolutions"
# Nothing is kept of programs that were written a moment ago.
STILL = 2.1
PROGRAMS = 100
# 40 with what they need in turn, libc's own included.
FORTY = (b"libcurl.so.4", b"libSM.so.6", b"libfontconfig.so.1", b"libsqlite3.so.0", b"libstdc++.so.6")
MANY = (
    b"libX11.so.6 libXext.so.6 libXrender.so.1 libXi.so.6 libXtst.so.6 libxcb.so.1 libGL.so.1 libEGL.so.1 "
    b"libcairo.so.2 libpango-1.0.so.0 libgtk-3.so.0 libgdk_pixbuf-2.0.so.0 libglib-2.0.so.0 libdbus-1.so.3 "
    b"libasound.so.2 libpulse.so.0 libudev.so.1 libusb-1.0.so.0 libssl.so.3 libcrypto.so.3 libcurl.so.4 "
    b"libz.so.1 libbz2.so.1.0 liblzma.so.5 libzstd.so.1 libpng16.so.16 libjpeg.so.62 libtiff.so.6 "
    b"libwebp.so.7 libxml2.so.2 libxslt.so.1 libsqlite3.so.0 libpq.so.5 libncursesw.so.6 libtinfo.so.6 "
    b"libreadline.so.8 libpython3.11.so.1.0 libffi.so.8 libstdc++.so.6 libgomp.so.1 "
).split()


def main() -> None:
    context = real_archive()
    with tempfile.TemporaryDirectory(prefix="denizen-resolve-") as top, one_at_a_time(context):
        work = Path(top)
        ours = _own_facts(context, work / "root")
        provide_decoder(ours.session, FetchPolicy())
        print(decoder_words(ours.session)[0])
        forty = _program(work / "forty", FORTY)
        all_of_them = _program(work / "direct", MANY)
        chance = random.Random(1)
        hundred = [
            _program(work / f"p{number}", chance.sample(MANY, chance.randint(1, 12)))
            for number in range(PROGRAMS)
        ]
        for path in (forty, all_of_them):
            _resolve(ours, path)  # fetches what is not there yet
        time.sleep(STILL)
        columns = ["nothing known, ms", "facts known, ms", "again, ms", "apt-get -s, ms"]
        rows = [["", "libraries", "packages", *columns, "apt-get is"]]
        for name, path in (("a program", forty), ("one with 40 of its own", all_of_them)):
            rows.append(_row(name, ours, path))
        print(table(rows))
        _forget(ours)
        each = [_timed(ours, path) for path in hundred]
        _forget(ours, RESOLUTIONS)
        known = [_timed(ours, path) for path in hundred]
        again = [_timed(ours, path) for path in hundred]
        print(f"{PROGRAMS} programs: {sum(each):.2f} s, nothing known before; each then, median and most:")
        for name, taken in (("facts known", known), ("again", again)):
            print(f"  {name}: {statistics.median(taken) * 1e3:.0f} ms, {max(taken) * 1e3:.0f} ms")


def _row(name: str, context: Context, path: Path) -> list[str]:
    cold = []
    for _ in range(REPEATS):
        _forget(context)
        cold.append(_timed(context, path))
    known = []
    for _ in range(REPEATS):
        _forget(context, RESOLUTIONS)
        known.append(_timed(context, path))
    warm = statistics.median(_timed(context, path) for _ in range(REPEATS))
    made = _resolve(context, path)
    assert made.is_complete, made.problems
    names = [pin.name.decode() for pin in made.packages]
    theirs = statistics.median(_apt(names) for _ in range(REPEATS))
    figures = (statistics.median(cold), statistics.median(known), warm, theirs)
    shown = [f"{taken * 1e3:,.0f}" for taken in figures]
    return [
        name,
        str(len(made.choices)),
        str(len(names)),
        *shown,
        f"{theirs / statistics.median(known):.1f} x",
    ]


def _own_facts(context: Context, root: Path) -> Context:
    """The kept indexes and packages, and facts of our own."""
    assert context.session.root is not None
    (root / "cache").mkdir(parents=True)
    for name in ("index", "lists", "packages"):
        (Path(context.session.root) / "cache" / name).mkdir(parents=True, exist_ok=True)
        (root / "cache" / name).symlink_to(Path(context.session.root) / "cache" / name)
    session = Session(context.session.environ, os.fspath(root), context.session.reporter)
    return replace(context, session=session)


def _forget(context: Context, *names: str) -> None:
    assert context.session.root is not None
    for name in names or ("facts", RESOLUTIONS):
        shutil.rmtree(Path(context.session.root) / "cache" / name, ignore_errors=True)


def _program(path: Path, needed: Sequence[bytes]) -> Path:
    path.mkdir()
    interpreter = b"/lib64/ld-linux-x86-64.so.2"
    (path / "program").write_bytes(build(Elf(interpreter=interpreter, needed=(*needed, b"libc.so.6"))))
    return path / "program"


def _resolve(context: Context, path: Path) -> Resolution:
    return resolve_path(context.session, os.fsencode(path), FetchPolicy(), SUITES)


def _timed(context: Context, path: Path) -> float:
    before = time.perf_counter()
    _resolve(context, path)
    return time.perf_counter() - before


def _apt(names: Sequence[str]) -> float:
    before = time.perf_counter()
    subprocess.run(["apt-get", "--simulate", "-qq", "install", *names], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before
