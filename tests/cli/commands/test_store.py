import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from denizen.app.formatting import binary_size
from denizen.cli.arguments import parse_age, parse_size
from denizen.cli.dispatch import dispatch
from denizen.cli.options import UsageError
from denizen.formats import signature
from tests.support.stores import make_tree


class Shell:
    """The command line over one root, in this process."""

    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capture = capture

    def __call__(self, *words: str | Path, status: int = 0) -> list[str]:
        """The lines of stdout; what was said on stderr is kept in `said`."""
        arguments = ["--root", str(self.root), *[os.fspath(word) for word in words]]
        assert dispatch(arguments) == status
        captured = self._capture.readouterr()
        self.said = captured.err
        return captured.out.splitlines()

    def json(self, *words: str | Path, status: int = 0) -> object:
        return json.loads("\n".join(self("--json", *words, status=status)))


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path / "root", capsys)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "tree", {"bin/run*": "#!/bin/sh\n", "doc": "words"})


@pytest.fixture
def pair(shell: Shell, tree: Path, tmp_path: Path) -> tuple[str, str]:
    """The places of an object and of one that mentions it."""
    (leaf,) = shell("store", "add", tree)
    (tmp_path / "user").write_text(f"../{os.path.basename(leaf)}/bin/run")
    (user,) = shell("store", "add", tmp_path / "user")
    return leaf, user


def test_add_prints_where_the_object_is_and_path_for_foretells_it(shell: Shell, tree: Path) -> None:
    foretold = shell("store", "path-for", tree)
    assert shell("store", "add", tree) == foretold
    assert (Path(foretold[0]) / "doc").read_text() == "words"
    named = shell("store", "path-for", "--name", "other", tree)
    assert named[0].endswith("-other")


def test_the_questions_answer_with_places_and_in_json(shell: Shell, pair: tuple[str, str]) -> None:
    leaf, user = pair
    assert shell("store", "references", user) == [leaf]
    assert shell("store", "referrers", os.path.join(leaf, "bin", "run")) == [user]
    assert shell("store", "closure", os.path.basename(user)) == sorted(pair)
    assert shell("store", "list") == sorted(pair)
    assert shell.json("store", "closure", user) == sorted(pair)
    info = shell.json("store", "info", user)
    assert isinstance(info, list)
    assert info[0]["references"] == [os.path.basename(leaf)]
    assert shell.json("store", "list") == shell.json("store", "info", *sorted(pair))
    assert f"references:      {os.path.basename(leaf)}" in shell("store", "info", user)


def test_hash_has_three_forms(shell: Shell, tree: Path) -> None:
    forms = shell.json("store", "hash", tree)
    assert isinstance(forms, dict)
    assert shell("store", "hash", tree) == [forms["hex"]]
    assert shell("store", "hash", "--base32", tree) == [forms["base32"]]
    assert shell("store", "hash", "--sri", tree) == [forms["sri"]]


@pytest.mark.parametrize(
    "words",
    [("hash",), ("dump",), ("path-for",), ("path-for", "--fixed", "md5"), ("path-for", "--fixed", "sha256")],
    ids=" ".join,
)
def test_what_takes_long_to_read_says_how_far_it_is(
    tree: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...],
) -> None:  # fmt: skip
    monkeypatch.setattr("denizen.cli.views.work_progress._PATIENCE", 0)
    assert dispatch(["--root", str(tmp_path / "root"), "store", *words, str(tree / "doc")]) == 0
    assert re.search(rb"^(hashing|writing): \d", capfdbinary.readouterr().err)


def test_a_file_that_holds_no_key_is_told(shell: Shell, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\x7fELF\xd0\xff" * 5000)
    object_path = shell("store", "add", tree)[0]
    shell("store", "export", "--key", tmp_path / "key", tmp_path / "cache", object_path, status=125)
    assert "this is not a secret key" in shell.said


def test_path_for_knows_fixed_outputs(shell: Shell, tree: Path) -> None:
    flat = shell("store", "path-for", "--store-dir", "/nix/store", "--fixed", "sha256", tree / "doc")
    recursive = shell(
        "store", "path-for", "--store-dir", "/nix/store", "--fixed", "sha1", "--recursive", tree
    )
    plain = shell("store", "path-for", "--store-dir", "/nix/store", "--fixed", "sha256", "--recursive", tree)
    assert all(found[0].startswith("/nix/store/") for found in (flat, recursive, plain))
    assert plain == shell("store", "path-for", "--store-dir", "/nix/store", tree)


def test_roots_keep_and_gc_deletes(shell: Shell, pair: tuple[str, str], tmp_path: Path) -> None:
    leaf, user = pair
    shell("store", "add", "--add-root", tmp_path / "result", tmp_path / "user")
    extra = shell("store", "add", "--name", "extra", tmp_path / "user")
    assert shell("gc", "--dry-run") == extra
    assert shell("store", "roots", leaf)[0].endswith(f"-> {user} -> {leaf}")
    listed = shell.json("store", "roots")
    assert isinstance(listed, list)
    assert [root["kind"] for root in listed] == ["indirect"]
    done = shell.json("store", "gc")
    assert isinstance(done, dict)
    assert (done["deleted"], done["alive"]) == (extra, 2)
    (tmp_path / "result").unlink()
    assert shell("gc", "--max-freed", "1", "--dry-run") == [user]
    assert shell("gc", "--older-than", "1d", "--dry-run") == []
    shell("gc")
    assert "2 objects" in shell.said
    assert shell("store", "list") == []


def test_gc_without_a_root_deletes_what_bundles_unpacked(tmp_path: Path) -> None:
    unpacked = tmp_path / ".cache" / "denizen" / "bundles" / secrets.token_hex(20)
    unpacked.mkdir(parents=True)
    os.utime(unpacked, (1, 1))
    variables = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "denizen"]
    subprocess.run([*command, "store", "add", __file__], env=variables, capture_output=True, check=True)
    dry = subprocess.run(
        [*command, "gc", "--dry-run"], env=variables, capture_output=True, text=True, check=True
    )
    assert "unpacked bundle" in dry.stderr
    assert unpacked.exists()
    done = subprocess.run(
        [*command, "gc", "--json"], env=variables, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["bundles"]["entries"] > 0
    assert not unpacked.exists()


def test_verify_says_what_is_wrong_and_repairs(shell: Shell, pair: tuple[str, str], tmp_path: Path) -> None:
    _, user = pair
    assert shell("store", "verify", "--contents") == []
    shell("store", "export", tmp_path / "cache", user)
    Path(user).chmod(0o644)
    Path(user).write_text("damage")
    (line,) = shell("store", "verify", "--contents", status=125)
    assert "its content has changed" in line
    found = shell.json("store", "verify", "--contents", "--repair", status=125)
    assert isinstance(found, list)
    assert (found[0]["fault"], found[0]["repaired"]) == ("content", False)
    (line,) = shell("store", "verify", "--contents", "--repair", "--from", tmp_path / "cache")
    assert line.endswith("repaired")
    assert shell("store", "verify", "--contents") == []


def test_the_database_is_rebuilt(shell: Shell, pair: tuple[str, str]) -> None:
    leaf, _ = pair
    assert shell.json("store", "rebuild-db") == {"registered": 2, "left_out": []}
    os.unlink(shell.root / "data/store/.denizen/info" / os.path.basename(leaf))
    assert len(shell("store", "rebuild-db")) == 2
    assert "0 objects registered, 2 left out" in shell.said


def test_a_store_is_moved(shell: Shell, pair: tuple[str, str], tmp_path: Path) -> None:
    assert shell("store", "move", tmp_path / "other/data/store") == [str(tmp_path / "other/data/store")]
    shell.root = tmp_path / "other"
    assert [os.path.basename(p) for p in shell("store", "list")] == sorted(map(os.path.basename, pair))


def test_objects_of_padded_stores_fit_into_each_other(shell: Shell, tmp_path: Path) -> None:
    """Also where a program's data mention the store, in which nothing may move."""
    roots, places = [tmp_path / "one", tmp_path / "another-root"], []
    for shell.root in roots:
        places += shell("store", "create", "--padded", "--length", "200")
        assert len(places[-1]) == 200
        assert (shell.root / "data/store").readlink() == Path(places[-1])
        shell("store", "create", status=125)
    first, second = map(os.fsencode, places)
    program = b"\x7fELF\0" + first + b"/share\0next\0"
    (tmp_path / "program").write_bytes(program)
    shell.root = roots[0]
    (added,) = shell("store", "add", tmp_path / "program")
    assert added.startswith(places[0] + "/")
    key = signing_key(tmp_path / "key")
    shell("store", "export", "--key", tmp_path / "key", tmp_path / "cache", added)
    shell.root = roots[1]
    (imported,) = shell("store", "import", "--trust", key, tmp_path / "cache", added)
    assert "left" not in shell.said
    assert imported.startswith(places[1] + "/")
    assert Path(imported).read_bytes() == program.replace(first, second)
    back = tmp_path / "back"
    back.mkdir()
    shutil.copyfile(imported, back / "program")
    shell("relocate", back, "--from", places[1], "--to", places[0])
    assert (back / "program").read_bytes() == program


def test_a_store_is_made_where_it_is_wanted(shell: Shell, tree: Path, tmp_path: Path) -> None:
    place = str(tmp_path / "disk" / "store")
    assert shell("store", "create", place) == [place]
    assert shell("store", "add", tree)[0].startswith(f"{place}/")


@pytest.mark.parametrize(("length", "status"), [("20", 125), ("9999", 125), ("x", 2)])
def test_a_padded_path_that_cannot_be_is_refused(shell: Shell, length: str, status: int) -> None:
    shell("store", "create", "--padded", "--length", length, status=status)
    assert not (shell.root / "data/store").exists()


@pytest.mark.parametrize("other", ["{tmp}", "/dev/shm/{pid}"])
def test_a_moved_store_is_found_by_the_next_command(
    shell: Shell, pair: tuple[str, str], tmp_path: Path, tree: Path, other: str
) -> None:
    """Moved on, moved back, and to another file system; a second store knows nothing of it."""
    far = Path(other.format(tmp=tmp_path / "far", pid=f"denizen-{os.getpid()}"))
    if not far.parent.is_dir():
        pytest.skip("there is no other file system")
    names = sorted(map(os.path.basename, pair))
    usual, second = shell.root / "data/store", tmp_path / "second"
    try:
        for place in (far / "one", far / "two/deeper", usual, far / "three"):
            assert shell("store", "move", place) == [str(place)]
            assert usual.is_symlink() == (place != usual)
            assert shell("store", "list") == [f"{place}/{name}" for name in names]
        assert not (far / "one").exists()
        added = shell("store", "add", tree)
        assert added[0].startswith(f"{far}/three/")
        first, shell.root = shell.root, second
        shell("store", "add", tree)
        assert shell("store", "move", far / "of-the-second") == [str(far / "of-the-second")]
        assert len(shell("store", "list")) == 1
        shell.root = first
        assert len(shell("store", "list")) == 2
        shell("store", "move", far / "of-the-second", status=125)
        assert len(shell("store", "list")) == 2
        assert shell("store", "verify", "--contents") == []
    finally:
        subprocess.run(["chmod", "-R", "u+w", far], check=False)
        shutil.rmtree(far, ignore_errors=True)


def test_identical_files_are_linked(shell: Shell, pair: tuple[str, str], tree: Path) -> None:
    shell("store", "add", "--name", "again", "--optimise", tree)
    shell("store", "optimise")
    assert "files are links now" in shell.said
    saved = shell.json("store", "optimise", pair[0])
    assert saved == {"files": 0, "freed": 0}


def signing_key(path: Path) -> str:
    """Write a secret key; return the public one."""
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    content = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    path.write_text(f"test-1:{base64.b64encode(content).decode()}")
    return str(signature.SecretKey("test-1", content[:32], content[32:]).public_key)


def test_a_signed_export_is_imported_and_a_forged_one_is_not(
    shell: Shell, pair: tuple[str, str], tmp_path: Path
) -> None:
    _, user = pair
    key = signing_key(tmp_path / "key")
    shell("store", "export", "--key", tmp_path / "key", tmp_path / "cache", user)
    names = [os.path.basename(path) for path in pair]
    store_dir = shell.root / "data/store"
    shell("gc")
    assert shell("store", "list") == []
    shell("store", "import", "--trust", key, tmp_path / "cache", names[1])
    assert shell("store", "list") == sorted(pair)
    assert shell("store", "verify", "--contents") == []
    shell("gc")
    narinfo = tmp_path / "cache" / f"{names[1][:32]}.narinfo"
    narinfo.write_text(narinfo.read_text().replace("Sig: test-1:", "Sig: test-1:AAAA"))
    shell("store", "import", "--trust", key, tmp_path / "cache", names[1], status=125)
    assert "forged" in shell.said or "not signed" in shell.said
    assert shell("store", "list") == []
    assert [name for name in os.listdir(store_dir) if name != ".denizen"] == []
    shell(
        "store",
        "import",
        "--trust",
        key,
        tmp_path / "cache",
        "0" * 32 + "-absent",
        status=125,
    )
    assert "has no narinfo" in shell.said


def test_what_is_not_there_is_said_with_what_to_do(shell: Shell, tree: Path, tmp_path: Path) -> None:
    shell("store", "list", status=125)
    assert "there is no store" in shell.said
    assert f"try: denizen --root {shell.root} store add" in shell.said
    shell("store", "add", tree)
    shell("store", "info", "0" * 32 + "-absent", status=125)
    assert "is not a valid object" in shell.said
    shell("store", "hash", tmp_path / "absent", status=125)
    assert "No such file or directory" in shell.said
    shell("store", "add", "--name", "x", tree, tree, status=2)
    shell("gc", "--older-than", "soon", status=2)
    shell("gc", "--max-freed", "much", status=2)


def test_sizes_and_ages_are_read_and_shown_as_people_write_them() -> None:
    assert [parse_size("gc", text) for text in ("0", "7", "2K", "3m", "1G")] == [0, 7, 2048, 3 << 20, 1 << 30]
    assert [parse_age("gc", text) for text in ("5s", "2m", "1h", "3d", "1w")] == [
        5,
        120,
        3600,
        259200,
        604800,
    ]
    for text in ("", "5", "x", "-1d", "1.5h"):
        with pytest.raises(UsageError):
            parse_age("gc", text)
    assert [binary_size(size) for size in (0, 1023, 1024, 5 << 30)] == ["0 B", "1023 B", "1.0 KiB", "5.0 GiB"]
