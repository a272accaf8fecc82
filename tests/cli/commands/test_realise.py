import hashlib
import json
import os
from pathlib import Path

import pytest

from denizen.build.builtin_derivations import made_by
from denizen.build.builtin_fetch import fetching
from denizen.build.builtin_unpack_deb import unpacking
from denizen.build.derivation import Modulos, Sealed, seal
from denizen.cli.dispatch import dispatch
from denizen.formats.hashes import Hash
from tests.support import debs


class Desk:
    """A root for denizen, a package file beside it, and derivations written as files."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "root"
        self.package = directory / "hello.deb"
        self.package.write_bytes(debs.deb([debs.Item("./usr/bin/hello", content=b"hello", mode=0o755)]))
        self.files = directory
        store_dir = os.fsencode(self.root / "data" / "store")
        modulos: Modulos = {}
        value = Hash("sha256", hashlib.sha256(self.package.read_bytes()).digest())
        recipe = fetching([self.package.as_uri()], value, store_dir)
        self.fetch = seal(recipe, "hello.deb", modulos, store_dir)
        self.unpack = seal(unpacking(made_by(self.fetch), store_dir), "hello", modulos, store_dir)

    def write(self, sealed: Sealed, name: str) -> str:
        path = self.files / name
        path.write_bytes(sealed.content)
        return str(path)

    def run(self, *arguments: str) -> int:
        return dispatch(["realise", "--root", str(self.root), *arguments])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_files_are_put_into_the_store_and_their_outputs_made(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run(desk.write(desk.fetch, "hello.deb.drv")) == 0
    fetched = capsys.readouterr()
    assert fetched.err == "building hello.deb\n"
    assert desk.run("--jobs", "2", desk.write(desk.unpack, f"{desk.unpack.path}")) == 0
    (place,) = capsys.readouterr().out.splitlines()
    assert Path(place, "usr/bin/hello").read_bytes() == b"hello"
    assert Path(place).name == desk.unpack.outputs[b"out"].base


def test_a_derivation_of_the_store_is_named_by_its_path(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.run(desk.write(desk.fetch, "hello.deb.drv")) == 0
    capsys.readouterr()
    assert desk.run("--json", str(desk.root / "data" / "store" / desk.fetch.path.base)) == 0
    done = capsys.readouterr()
    assert json.loads(done.out) == {
        desk.fetch.path.base: {"out": str(desk.root / "data/store" / desk.fetch.outputs[b"out"].base)}
    }
    assert done.err == ""


def test_an_input_that_is_not_in_the_store_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(desk.write(desk.unpack, "hello.drv")) == 125
    assert desk.fetch.path.base in capsys.readouterr().err


def test_a_file_that_changed_since_is_refused(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.package.write_bytes(b"something else")
    assert desk.run("-q", desk.write(desk.fetch, "hello.deb.drv")) == 125
    assert "could not be fetched; nothing of it is kept" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1001"])
def test_jobs_are_a_number(desk: Desk, jobs: str) -> None:
    assert desk.run("--jobs", jobs, "x.drv") == 2


def test_a_derivations_file_is_called_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.run(desk.write(desk.fetch, "hello.txt")) == 125
    assert "NAME.drv" in capsys.readouterr().err
