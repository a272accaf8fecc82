"""`python -m fuzz --runs N [TARGET...]`: mutated inputs for all targets, or those named.

`--start INDEX --runs 1` repeats one input of an earlier run; its bytes are also in fuzz/failures/.
"""

import argparse
import sys

from fuzz.driver import MEGABYTE, Report, fuzz
from fuzz.targets import TARGETS


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--runs", type=int, default=100_000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=0, help="another sequence of inputs")
    parser.add_argument("--start", type=int, default=0, help="index of the first input")
    options = parser.parse_args(arguments)
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    failed = False
    for name in options.targets or TARGETS:
        report = fuzz(name, TARGETS[name], runs=options.runs, number=options.seed, start=options.start)
        print(_line(name, report), *report.failures[:20], sep="\n  ", flush=True)
        failed |= bool(report.failures)
    return 1 if failed else 0


def _line(name: str, report: Report) -> str:
    slow, hungry = report.slowest, report.hungriest
    return (
        f"{name}: {report.inputs:,} inputs in {report.seconds:.0f} s of CPU, {report.refused:,} refused, "
        f"{len(report.failures)} failures\n"
        f"  slowest at {slow[0]:.0%} of its limit: input {slow[1]}, "
        f"{slow[2] * 1000:.1f} ms for {slow[3]:,} bytes\n"
        f"  hungriest at {hungry[0]:.0%}: input {hungry[1]}, "
        f"{hungry[2] / MEGABYTE:.1f} MB for {hungry[3]:,} bytes"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
