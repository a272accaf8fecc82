"""`python -m benchmarks [NAME...]`: all comparisons, or those named. A new one adds a line."""

import importlib
import sys

BENCHMARKS: dict[str, str] = {
    "build-realise": "benchmarks.build_realise",
    "build-programs": "benchmarks.build_programs",
    "elf-patch": "benchmarks.elf_patch",
    "relocate-closure": "benchmarks.relocate_closure",
    "elf-read": "benchmarks.elf_read",
    "elf-start": "benchmarks.elf_start",
    "fhs": "benchmarks.fhs",
    "start": "benchmarks.start",
    "index-find": "benchmarks.index_find",
    "index-lookup": "benchmarks.index_lookup",
    "index-storage": "benchmarks.index_storage",
    "index-update": "benchmarks.index_update",
    "linker-bind": "benchmarks.linker_bind",
    "store-hash": "benchmarks.store_hash",
    "store-scan": "benchmarks.store_scan",
    "store-restore": "benchmarks.store_restore",
    "store-memory": "benchmarks.store_memory",
    "store-gc": "benchmarks.store_gc",
    "loader": "benchmarks.loader",
    "opened": "benchmarks.opened",
    "profiles": "benchmarks.profiles",
    "resolve": "benchmarks.resolve",
    "run-cold": "benchmarks.run_cold",
    "bundle-size": "benchmarks.bundle_size",
    "bundle-start": "benchmarks.bundle_start",
    "single-file": "benchmarks.single_file",
    "run-warm": "benchmarks.run_warm",
}


def main(names: list[str]) -> int:
    if unknown := set(names) - set(BENCHMARKS):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
        return 2
    for name in names or BENCHMARKS:
        print(f"== {name}")
        importlib.import_module(BENCHMARKS[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
