"""The corpus: programs that others built and published, and what each is expected to do.

`LISTS` names the files that hold them. Another file of the same form can be named instead.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs.json"
# The forties: programs nobody had tried when they were listed; the first was run before the work on the run
# time, the second after it, the third after names, files and drivers were brought too, the fourth after
# commands and what opened objects mention, the fifth after static programs' files and recommended plugins,
# the sixth after accounts and children's files; ten more after the mends that the sixth led to; the seventh
# after searches along PATH were answered, the eighth after a shell saw all commands, the ninth after scripts
# did, the tenth, of other ecosystems than the ninth, after a brought command got what it opens, the eleventh
# after places at which programs look were filled, the twelfth after what a child was told of a path held, the
# thirteenth, of four suites and two architectures, after that, the fourteenth, which is of three suites and
# four architectures, after unpacked packages got what they depend on, the fifteenth after commands came from
# other suites too. Ten of other architectures were run after libraries came to emulated programs, ten more
# after commands, files and packages did.
LISTS = {
    "programs": PROGRAMS,
    "first-forty": Path(__file__).parent / "first_forty.json",
    "second-forty": Path(__file__).parent / "second_forty.json",
    "third-forty": Path(__file__).parent / "third_forty.json",
    "fourth-forty": Path(__file__).parent / "fourth_forty.json",
    "fifth-forty": Path(__file__).parent / "fifth_forty.json",
    "sixth-forty": Path(__file__).parent / "sixth_forty.json",
    "seventh-forty": Path(__file__).parent / "seventh_forty.json",
    "eighth-forty": Path(__file__).parent / "eighth_forty.json",
    "ninth-forty": Path(__file__).parent / "ninth_forty.json",
    "tenth-forty": Path(__file__).parent / "tenth_forty.json",
    "eleventh-forty": Path(__file__).parent / "eleventh_forty.json",
    "twelfth-forty": Path(__file__).parent / "twelfth_forty.json",
    "thirteenth-forty": Path(__file__).parent / "thirteenth_forty.json",
    "fourteenth-forty": Path(__file__).parent / "fourteenth_forty.json",
    "fifteenth-forty": Path(__file__).parent / "fifteenth_forty.json",
    "further-ten": Path(__file__).parent / "further_ten.json",
    "foreign-ten": Path(__file__).parent / "foreign_ten.json",
    "foreign-ten-more": Path(__file__).parent / "foreign_ten_more.json",
}


@dataclass(frozen=True)
class Archive:
    """One package of a registry, exactly.

    Attributes:
        registry: "pypi", "npm" or "debian" (a package of the machine's own apt sources, or of a suite).
        archive: the file's name.
        arguments: for pip, where the platform must be named.
        suite: for a package of Debian that is not of the machine's suite; "" for that.
        architecture: of such a package, as Debian names it.
    """

    registry: str
    package: str
    version: str
    archive: str
    sha256: str
    arguments: tuple[str, ...] = ()
    suite: str = ""
    architecture: str = ""


@dataclass(frozen=True)
class Nested:
    """An archive inside the package that the package's own installation would unpack."""

    source: str
    target: str
    remove: bool


@dataclass(frozen=True)
class Companion:
    """Another program that the command starts or loads, in a directory of its own that entries share.

    Attributes:
        name: `{name}` in the command is its directory.
    """

    name: str
    directory: str
    archives: tuple[Archive, ...]


@dataclass(frozen=True)
class Smoke:
    """A command and what it must do. `{bin}`, `{dir}`, `{work}` and companions' names are replaced."""

    arguments: tuple[str, ...]
    directory: str
    environment: Mapping[str, str]
    files: Mapping[str, bytes]
    stdin: bytes
    timeout: float
    status: int | None
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Entry:
    """One program.

    Attributes:
        directory: where it is unpacked; entries may share one.
        program: below that.
        machine: "x86-64", "i386", "aarch64", "armhf", "ppc64le", "riscv64" or "s390x".
        refusal: what must be named when it is refused; "" where it must run.
        links: (link, target) pairs, or the file in the package that lists them.
        task: what the command does, in a few words.
    """

    id: str
    directory: str
    program: str
    machine: str
    musl: bool
    refusal: str
    archives: tuple[Archive, ...]
    smoke: Smoke
    nested: tuple[Nested, ...] = ()
    links: str = ""
    notes: str = field(default="", repr=False)
    companions: tuple[Companion, ...] = ()
    task: str = ""


def load(path: Path = PROGRAMS) -> list[Entry]:
    """All entries, in the file's order."""
    return [_entry(fields) for fields in json.loads(path.read_text(encoding="utf-8"))]


# What nothing in the archive provides, so that only a refusal that names it is right.
_REFUSED = {
    "pg-python-node": "libpython3.10.so.1.0",
    "qt6-qmlls": "libQt6LanguageServer.so.6",
    "bun-musl": "libstdc++.so.6",
}


def _entry(fields: dict) -> Entry:  # type: ignore[type-arg]  # whatever the JSON holds; read field by field below
    return Entry(
        id=fields["id"],
        directory=fields.get("unpack_dir") or fields["id"],
        program=fields["bin"],
        machine=fields["arch"],
        musl="musl" in (fields["interp"] or ""),
        refusal="" if fields["satisfiable_from_debian"] else fields.get("refusal") or _REFUSED[fields["id"]],
        archives=tuple(_archive(one) for one in [fields, *fields.get("extra_archives", ())]),
        smoke=_smoke(fields),
        nested=tuple(
            Nested(one["src"], one["dest"], one.get("remove", False)) for one in fields.get("nested", ())
        ),
        links=fields.get("symlinks", ""),
        notes=fields["notes"],
        companions=tuple(
            Companion(name, one["unpack_dir"], (_archive(one),))
            for name, one in fields.get("companions", {}).items()
        ),
        task=fields.get("task", ""),
    )


def _archive(fields: dict) -> Archive:  # type: ignore[type-arg]  # as above
    return Archive(
        registry=fields["registry"],
        package=fields["package"],
        version=fields["version"],
        archive=fields["archive"],
        sha256=fields["sha256"],
        arguments=tuple(fields.get("pip_args") or ()),
        suite=fields.get("suite", ""),
        architecture=fields.get("architecture", ""),
    )


def _smoke(fields: dict) -> Smoke:  # type: ignore[type-arg]  # as above
    text = {name: content.encode() for name, content in fields.get("smoke_files", {}).items()}
    coded = {name: base64.b64decode(one) for name, one in fields.get("smoke_files_b64", {}).items()}
    return Smoke(
        arguments=tuple(fields["smoke_argv"]),
        directory=fields["smoke_cwd"],
        environment=fields["smoke_env"],
        files=text | coded,
        stdin=fields.get("smoke_stdin", "").encode(),
        timeout=fields["smoke_timeout_s"],
        status=fields["expect_exit"],
        stdout=fields["expect_stdout_regex"] or "",
        stderr=fields.get("expect_stderr_regex") or "",
    )
