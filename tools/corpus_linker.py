#!/usr/bin/env python3
"""Hold the resolutions of the corpus to the real dynamic linker.

    tools/corpus_linker.py [--programs DIR] [ID...]

For each program: is the resolution complete, does the linker model over it find what `ld.so --list` finds in
a root that holds nothing else, and does ld.so know a definition of every symbol (`ldd -r`). Programs of musl
and of other processors are left out. The closing line counts.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from denizen.app.resolution.resolve_program import resolve_path
from denizen.app.supply.configured_sources import configured_sources
from denizen.cli.command import Context
from denizen.cli.views.download_progress import open_progress
from denizen.resolve.cache.package_cache import package_of
from denizen.resolve.resolution import Resolution
from denizen.sources.fetch_policy import FetchPolicy
from tests.corpus.entries import Entry, load
from tests.corpus.fetching import fetch
from tests.corpus.linking import DIRECTORIES, extracted, linked, modelled
from tests.support.kept_files import kept_by_tests
from tests.support.real_archive import one_at_a_time, real_archive


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these programs")
    parser.add_argument("--programs", type=Path, default=kept_by_tests() / "corpus" / "programs")
    arguments = parser.parse_args()
    entries = [entry for entry in load() if not arguments.ids or entry.id in arguments.ids]
    verdicts = [_verdict(entry, arguments.programs) for entry in entries]
    counts = {word: verdicts.count(word) for word in ("agree", "differ", "refused", "left out")}
    print(", ".join(f"{count} {word}" for word, count in counts.items()))
    return 1 if counts["differ"] else 0


def _verdict(entry: Entry, programs: Path) -> str:
    tree = fetch(entry, programs).resolve()
    program = os.fsencode(tree / entry.program)
    context = real_archive()
    assert context.session.root is not None
    with one_at_a_time(context), tempfile.TemporaryDirectory(prefix="denizen-linker-") as directory:
        resolution = resolve_path(context.session, program, FetchPolicy())
        if resolution.interpreter is None or resolution.architecture not in DIRECTORIES or entry.musl:
            print(f"{entry.id:22} left out: {resolution.architecture or 'static'}")
            return "left out"
        _fetch_packages(context, resolution)
        work = Path(directory)
        (work / "copies").mkdir()
        copies = extracted(resolution, Path(context.session.root) / "cache/packages", work / "copies")
        (work / "root").mkdir()
        real = linked(program, os.fsencode(tree), resolution, copies, work / "root")
        model = modelled(program, resolution, copies)
    if real.refusal and not resolution.is_complete:
        print(f"{entry.id:22} refused by both: {real.refusal.splitlines()[0]}")
        return "refused"
    same = real.found == model and not real.undefined and resolution.is_complete
    print(f"{entry.id:22} {len(model):3} libraries {'agree' if same else 'DIFFER'}", flush=True)
    for name in sorted(real.found.keys() | model.keys()):
        if real.found.get(name) != model.get(name):
            print(f"    {name!r}: ld.so {real.found.get(name)!r}, model {model.get(name)!r}")
    for line in real.undefined:
        print(f"    {line}")
    return "agree" if same else "differ"


def _fetch_packages(context: Context, resolution: Resolution) -> None:
    """Those of which a library was chosen, where their files are gone from the cache."""
    assert context.session.root is not None
    wanted = {choice.package for choice in resolution.choices}
    for source in configured_sources(context.session, FetchPolicy(), open_progress(context.output)):
        pins = [one for one in resolution.packages if one.source == source.name and one.sha256 in wanted]
        source.fetch(
            [package_of(pin) for pin in pins], os.fsencode(context.session.root) + b"/cache/packages"
        )


if __name__ == "__main__":
    sys.exit(main())
