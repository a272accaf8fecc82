"""Run the machine's own dynamic linkers, on its own trusted files and on files the tests built."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import cache

from denizen.host import gather_host
from denizen.linker import Binding, Closure, Environment, LinkerStart, cpu_of

GLIBC_64 = "/lib64/ld-linux-x86-64.so.2"
GLIBC_32 = "/lib/ld-linux.so.2"
MUSL_64 = "/lib/ld-musl-x86_64.so.1"

_LISTED = re.compile(r"\t(.*?)(?: => (.*))? \(0x[0-9a-f]+\)$")
_NOT_FOUND = re.compile(r"\t(.*) => not found$")
_UNDEFINED = re.compile(r"undefined symbol: (\S+?)(?:, version (\S+))?\t\((.*)\)$")
_VERSION = re.compile(r".*?: (.*): version `(.*)' not found \(required by (.*)\)$")
_NO_VERSIONS = re.compile(r".*?: (.*): no version information available \(required by (.*)\)$")


@dataclass
class Listing:
    """The parsed output of a dynamic linker; `rest` holds the lines that no pattern matched."""

    status: int
    libraries: list[tuple[str, str | None]] = field(default_factory=list)
    undefined: set[tuple[str, str | None, str]] = field(default_factory=set)
    versions: set[tuple[str, str, str]] = field(default_factory=set)
    unversioned: set[tuple[str, str]] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)


def list_libraries(loader: str, program: str, **environment: str) -> Listing:
    """Run `ld.so --list`, which ends at the first library it does not find."""
    return _ask([loader, "--list", program], environment)


def trace(loader: str, program: str, **environment: str) -> Listing:
    """Run ld.so as `ldd -r` does: it goes on without missing libraries, and relocates everything."""
    return _ask(
        [loader, program],
        {"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "yes", "LD_BIND_NOW": "yes"} | environment,
    )


def _ask(command: list[str], environment: dict[str, str]) -> Listing:
    done = subprocess.run(
        command, capture_output=True, text=True, errors="surrogateescape", check=False,
        env={"PATH": "/usr/bin:/bin"} | environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return parse(done.stdout + done.stderr, done.returncode)


def parse(output: str, status: int) -> Listing:
    """Return the parsed lines of a listing and its exit status."""
    listing = Listing(status)
    for line in output.splitlines():
        if found := _UNDEFINED.match(line):
            listing.undefined.add((found[1], found[2], found[3]))
        elif found := _LISTED.match(line):
            listing.libraries.append((found[1], found[2] or found[1]))
        elif found := _NOT_FOUND.match(line):
            listing.libraries.append((found[1], None))
        elif found := _VERSION.match(line):
            listing.versions.add((found[1], found[2], found[3]))
        elif found := _NO_VERSIONS.match(line):
            listing.unversioned.add((found[1], found[2]))
        elif line.strip() != "statically linked":
            listing.rest.append(line)
    return listing


@cache
def environment_of(loader: str) -> Environment:
    """Return this machine's Environment, for a dynamic linker invoked by hand, as the peers are."""
    host = gather_host()
    return Environment(
        cpu=cpu_of(host.machine, host.cpu_vendor, host.cpu_flags),
        kernel=host.kernel,
        directory=os.fsencode(os.getcwd()),
        start=LinkerStart.INTERPRETER,
        interpreter_path=loader.encode(),
    )


def listed(closure: Closure) -> list[tuple[str, str | None]]:
    """Return a closure's libraries as a listing shows them; without DT_NEEDED it says "statically linked"."""
    if closure.program.image is None or not closure.program.image.dynamic:
        return []
    if not closure.program.image.dynamic.needed:
        return []
    return [(os.fsdecode(library.soname), shown(library.path)) for library in closure.libraries]


def undefined(binding: Binding) -> set[tuple[str, str | None, str]]:
    return {(u.name.decode(), shown(u.version), os.fsdecode(u.needed_by)) for u in binding.unresolved}


def versions(binding: Binding) -> set[tuple[str, str, str]]:
    return {
        (os.fsdecode(m.provider or b""), m.version.decode(), os.fsdecode(m.needed_by))
        for m in binding.missing_versions
    }


def unversioned(binding: Binding) -> set[tuple[str, str]]:
    return {(os.fsdecode(m.provider or b""), os.fsdecode(m.needed_by)) for m in binding.unversioned}


def shown(name: bytes | None) -> str | None:
    return None if name is None else os.fsdecode(name)
