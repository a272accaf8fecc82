"""The compiled loader in a directory of its own: libraries, decisions about programs, configuration."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from denizen.disk import make_directories
from denizen.disk_view import DiskView
from denizen.elf.image import read
from denizen.launch.decisions.decision import Decision, DecisionLibrary
from denizen.launch.decisions.decision_codec import encode
from denizen.launch.decisions.ldso_addresses import r_debug_of
from denizen.launch.decisions.program_identity import (
    alias_name,
    headers_of,
    identity_name,
    identity_of,
    machine_of,
)
from denizen.launch.loader.loader_settings import LoaderSettings, configure_loader
from denizen.value import replace
from tests.support.kept_files import compiler_version, digest_of, kept
from tests.support.peers import require

LOADER = Path(__file__).parent.parent.parent / "loader"
# Some twenty for each state of the sources, 60 KB each.
_MOST_LOADERS = 200
HOST_LDSO = Path("/lib64/ld-linux-x86-64.so.2")
TIMEOUT = 120  # of a machine on which everything else runs too
# A user whom no system has.
SOMEBODY = 12345
COMPANIONS = (
    "denizen-attach",
    "denizen-bundle",
    "denizen-enter",
    "denizen-front",
    "denizen-exec",
    "denizen-inside",
    "denizen-ldconfig",
    "denizen-resident",
)


def compile_loader(output: Path, *compiler: str) -> Path:
    """Compile the loader, or the companion that `output` is named after, by the project's own rule."""
    require("cc")
    stem = next(
        (one for one in COMPANIONS if output.name.startswith(one)),
        "loader",
    )
    output.write_bytes(_compiled(stem, compiler or ("cc",)))
    output.chmod(0o755)
    return output


@cache
def _compiled(stem: str, compiler: tuple[str, ...]) -> bytes:
    """Return the compiled bytes, made once for these sources."""
    spec = importlib.util.spec_from_file_location("loader_build", LOADER / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(directory: Path) -> Path:
        output = directory / stem
        module.build(output, list(compiler))
        return output

    sources = [file for file in LOADER.rglob("*") if file.suffix in (".c", ".h", ".ld", ".py")]
    digest = digest_of(LOADER, sources, stem, *compiler, compiler_version(compiler[0]))
    return kept("loaders", digest, make, most=_MOST_LOADERS).read_bytes()


def write_trusted(path: Path, content: bytes) -> None:
    """Write a decision, which the loader believes if nobody else may write to it; whatever the umask."""
    path.write_bytes(content)
    path.chmod(0o644)


class LoaderSysroot:
    """A directory with everything: `ld.so`, `lib/` (flat), `decisions/`, the configured `loader`."""

    def __init__(
        self, root: Path, loader: Path, *, host_ldso: Path = HOST_LDSO, cc: tuple[str, ...] = ("gcc",)
    ) -> None:
        if os.uname().machine != "x86_64":
            pytest.skip("the loader's tests run x86-64 programs")
        self.root = root
        self.lib = root / "lib"
        self.decisions = root / "decisions"
        self.ldso = root / "ld.so"
        self.loader = root / "denizen-loader"
        self._compiled = loader
        self._cc = cc
        for directory in (self.lib, self.decisions):
            make_directories(bytes(directory))
        # A copy: a dynamic linker at a path of its own is what every decision names.
        shutil.copy(host_ldso.resolve(), self.ldso)
        self.configure(LoaderSettings(directories=(os.fsencode(self.decisions),)))

    def configure(self, settings: LoaderSettings) -> None:
        content = configure_loader(self._compiled.read_bytes(), settings)
        self.loader.unlink(missing_ok=True)
        self.loader.write_bytes(content)
        self.loader.chmod(0o755)

    def compile(
        self, name: str, source: str, *flags: str, compiler: str | None = None, interpreter: bool = True
    ) -> Path:
        """A program whose interpreter is our loader, or a library with `-shared`."""
        output = self.root / name
        output.parent.mkdir(parents=True, exist_ok=True)
        suffix = "cc" if compiler == "g++" else "c"
        text = output.with_name(f"{output.name}.{suffix}")
        text.write_text(source)
        linked = [f"-Wl,--dynamic-linker={self.loader}"] if interpreter and "-shared" not in flags else []
        command = (compiler,) if compiler else self._cc
        subprocess.run([*command, "-w", "-o", output, text, *linked, *flags], check=True)
        return output

    def library(self, name: str, source: str, *flags: str) -> Path:
        """A library in the flat directory."""
        return self.compile(f"lib/{name}", source, "-shared", "-fPIC", f"-Wl,-soname,{name}", *flags)

    def system(self, *names: str) -> list[Path]:
        """Libraries of the compiler's own system, put into the flat directory."""
        return [self._system(name) for name in names]

    def _system(self, name: str) -> Path:
        target = self.lib / name
        if not target.exists():
            found = subprocess.run(
                [*self._cc, f"-print-file-name={name}"], check=True, capture_output=True, text=True
            )
            target.symlink_to(Path(found.stdout.strip()).resolve())
        return target

    def decision(self, program: Path, libraries: Sequence[Path | DecisionLibrary]) -> Decision:
        """What would be decided: these libraries, in this order."""
        image = read(program.read_bytes())
        return Decision(
            identity=identity_of(DiskView().stat(os.fsencode(program))),
            headers=headers_of(image),
            machine=machine_of(image),
            ldso=os.fsencode(self.ldso),
            build_id=image.notes.build_id or b"",
            search=os.fsencode(self.lib),
            program=os.fsencode(program),
            libraries=tuple(as_library(item) for item in libraries),
            r_debug=r_debug_of(read(self.ldso.read_bytes())),
        )

    def decide(self, program: Path, libraries: Sequence[Path | DecisionLibrary], **changes: object) -> Path:
        """Write the decision under both its names; gives the first."""
        decision = replace(self.decision(program, libraries), **changes)
        return self.write(decision)

    def write(self, decision: Decision) -> Path:
        content = encode(decision)
        path = self.decisions / os.fsdecode(identity_name(decision.identity))
        write_trusted(path, content)
        if decision.build_id:
            alias = alias_name(decision.build_id, decision.identity.size)
            write_trusted(self.decisions / os.fsdecode(alias), content)
        return path

    def ready(self, name: str, source: str, *flags: str, libraries: Sequence[str] = ()) -> Path:
        """A program with a decision that loads these system libraries and libc."""
        program = self.compile(name, source, *flags)
        self.decide(program, self.system(*libraries, "libc.so.6"))
        return program


def as_library(item: Path | DecisionLibrary) -> DecisionLibrary:
    """Return a library of the decision by its own file name, unless more is given."""
    return (
        item
        if isinstance(item, DecisionLibrary)
        else DecisionLibrary(os.fsencode(item), os.fsencode(item.name))
    )


def run(
    program: Path | str, *arguments: str, env: Mapping[str, str] | None = None, user: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run with exactly this environment (none by default), as `user` if given; a hang is a failure."""
    return subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        env=dict(env or {}),
        timeout=TIMEOUT,
        check=False,
        user=user,
        group=user,
    )


def somebody(sysroot: LoaderSysroot) -> int | None:
    """Return a user who is not root and can read the directory; None for the user who runs the tests."""
    if os.geteuid():
        return None
    for directory in (sysroot.root, *sysroot.root.parents):
        if directory.stat().st_uid == 0 and directory not in (Path("/"), Path("/tmp")):
            directory.chmod(0o755)
    return SOMEBODY


def output_of(program: Path | str, *arguments: str, env: Mapping[str, str] | None = None) -> str:
    """Return the output of a run, which must succeed."""
    done = run(program, *arguments, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
