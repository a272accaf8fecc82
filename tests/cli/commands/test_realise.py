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


class RealiseRoot:
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
def realise_root(tmp_path: Path) -> RealiseRoot:
    return RealiseRoot(tmp_path)


def test_files_are_put_into_the_store_and_their_outputs_made(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert realise_root.run(realise_root.write(realise_root.fetch, "hello.deb.drv")) == 0
    fetched = capsys.readouterr()
    assert fetched.err == "building hello.deb\n"
    assert (
        realise_root.run(
            "--max-jobs", "2", realise_root.write(realise_root.unpack, f"{realise_root.unpack.path}")
        )
        == 0
    )
    (place,) = capsys.readouterr().out.splitlines()
    assert Path(place, "usr/bin/hello").read_bytes() == b"hello"
    assert Path(place).name == realise_root.unpack.outputs[b"out"].base


def test_a_derivation_of_the_store_is_named_by_its_path(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert realise_root.run(realise_root.write(realise_root.fetch, "hello.deb.drv")) == 0
    capsys.readouterr()
    assert (
        realise_root.run("--json", str(realise_root.root / "data" / "store" / realise_root.fetch.path.base))
        == 0
    )
    done = capsys.readouterr()
    assert json.loads(done.out) == {
        realise_root.fetch.path.base: {
            "out": str(realise_root.root / "data/store" / realise_root.fetch.outputs[b"out"].base)
        }
    }
    assert done.err == ""


def test_an_input_that_is_not_in_the_store_is_said(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert realise_root.run(realise_root.write(realise_root.unpack, "hello.drv")) == 125
    assert realise_root.fetch.path.base in capsys.readouterr().err


def test_inputs_that_lie_beside_a_derivation_are_added_with_it(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    realise_root.write(realise_root.fetch, f"{realise_root.fetch.path}")
    assert realise_root.run(realise_root.write(realise_root.unpack, f"{realise_root.unpack.path}")) == 0
    (place,) = capsys.readouterr().out.splitlines()
    assert Path(place, "usr/bin/hello").read_bytes() == b"hello"


def test_an_input_beside_a_derivation_that_is_not_what_its_name_says_is_refused(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = realise_root.write(realise_root.fetch, f"{realise_root.fetch.path}")
    Path(planted).write_bytes(realise_root.fetch.content.replace(b"sha256", b"sha512"))
    assert realise_root.run(realise_root.write(realise_root.unpack, f"{realise_root.unpack.path}")) == 125
    assert f"{planted} cannot be read" in capsys.readouterr().err


def test_a_circle_of_derivations_ends_in_a_sentence(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = realise_root.write(realise_root.fetch, f"{realise_root.fetch.path}")
    Path(planted).write_bytes(realise_root.unpack.content)
    assert realise_root.run(realise_root.write(realise_root.unpack, f"{realise_root.unpack.path}")) == 125
    assert realise_root.fetch.path.base in capsys.readouterr().err


def test_a_file_that_changed_since_is_refused(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    realise_root.package.write_bytes(b"something else")
    assert realise_root.run("-q", realise_root.write(realise_root.fetch, "hello.deb.drv")) == 125
    assert "could not be fetched; nothing of it is kept" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1001"])
def test_jobs_are_a_number(realise_root: RealiseRoot, jobs: str) -> None:
    assert realise_root.run("--jobs", jobs, "x.drv") == 2


def test_a_derivations_file_is_called_so(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    assert realise_root.run(realise_root.write(realise_root.fetch, "hello.txt")) == 125
    assert "NAME.drv" in capsys.readouterr().err


def test_a_pipe_in_the_place_of_a_derivation_does_not_hang(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = realise_root.files / f"{'0' * 32}-x.drv"
    os.mkfifo(pipe)
    assert realise_root.run(str(pipe)) == 125
    assert f"{pipe} cannot be read" in capsys.readouterr().err


def test_outputs_are_kept_by_links(realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]) -> None:
    files = [realise_root.write(one, f"{one.path}") for one in (realise_root.fetch, realise_root.unpack)]
    link = realise_root.files / "kept"
    assert realise_root.run("--add-root", str(link), *files) == 0
    places = capsys.readouterr().out.splitlines()
    assert [os.readlink(link), os.readlink(f"{link}-2")] == places
    assert dispatch(["gc", "--root", str(realise_root.root), "--older-than", "0d"]) == 0
    assert all(map(os.path.exists, places))
    link.unlink()
    assert dispatch(["gc", "--root", str(realise_root.root)]) == 0
    assert [os.path.exists(place) for place in places] == [False, True]


def test_a_file_of_the_users_is_not_replaced_by_a_link(
    realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = realise_root.files / "notes"
    taken.write_text("mine")
    file = realise_root.write(realise_root.fetch, f"{realise_root.fetch.path}")
    assert realise_root.run("--add-root", str(taken), file) == 125
    said = capsys.readouterr()
    assert "something that is no link is there" in said.err
    assert said.out == ""
    assert taken.read_text() == "mine"


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ('"r:sha256","impure"', "impure-derivations"),
        ('"text:sha256",""', "dynamic-derivations"),
    ],
)
def test_experimental_derivations_are_refused_by_name(
    output: str, said: str, realise_root: RealiseRoot, capsys: pytest.CaptureFixture[str]
) -> None:
    file = realise_root.files / "odd.drv"
    file.write_text(
        f'Derive([("out","",{output})],[],[],"x86_64-linux","/bin/sh",[],[("name","odd"),("out","")])'
    )
    assert realise_root.run(str(file)) == 125
    assert f"experimental feature {said}" in capsys.readouterr().err
