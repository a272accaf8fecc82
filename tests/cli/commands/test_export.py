"""`denizen export`: what is made is read by the tools it is for, and starts."""

import json
import os
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from denizen.app.bundles import program_closure
from denizen.app.bundles.fhs_rule_files import RuleFiles
from denizen.disk_view import RootedView
from tests.support.debs import Item
from tests.support.fhs_environments import FhsHome
from tests.support.offline_roots import GREETER, TRIPLET, DenizenHome
from tests.support.peers import require

pytestmark = pytest.mark.peer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DenizenHome:
    made = DenizenHome(tmp_path_factory.mktemp("exports"))
    library = Item(f"./{TRIPLET}/libmore.so.1", content=made.add_library("more", GREETER).read_bytes())
    terminal = Item("./lib/terminfo/x/xterm", content=b"a terminal")
    certificate = Item("./usr/share/ca-certificates/mozilla/One.crt", content=b"one authority\n")
    made.write("libmore1", [library, terminal, certificate])
    return made


@pytest.fixture(scope="module")
def greeter(home: DenizenHome) -> Path:
    return home.compile("greeter")


def in_root(root: Path, *command: str) -> list[str]:
    """Return the lines of a command whose / is a directory."""
    require("bwrap")
    words = ["bwrap", "--unshare-all", "--ro-bind", str(root), "/", "--proc", "/proc", "--clearenv"]
    done = subprocess.run([*words, *command], capture_output=True, text=True, timeout=60, check=False)
    if "bwrap: No permissions" in done.stderr or "bwrap: setting up" in done.stderr:
        pytest.skip(f"bubblewrap cannot make a namespace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def run(*command: str | Path) -> str:
    require(str(command[0]))
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def unpacked(layout: Path, bundle: Path) -> tuple[Path, list[str]]:
    """Unpack an image by umoci; return its root and the command that the image starts."""
    run("umoci", "unpack", "--rootless", "--image", f"{layout}:latest", bundle)
    config = json.loads((bundle / "config.json").read_text())
    return bundle / "rootfs", config["process"]["args"]


def greeted(lines: Sequence[str]) -> bool:
    return list(lines) == ["hello from the store", "[/opt/greeter/greeter]"]


def test_an_image_starts_its_program(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    words = ["--label", "org.example=yes", "--with", "libgreet1"]
    told = json.loads(
        home.denizen("--json", "export", str(greeter), "--oci", str(tmp_path / "oci"), *words).stdout
    )
    assert [one["name"] for one in told["packages"]] == ["libc6", "libgreet1"]
    seen = json.loads(run("skopeo", "inspect", f"oci:{tmp_path / 'oci'}:latest"))
    assert (seen["Digest"], seen["Architecture"]) == (told["digest"], "amd64")
    assert seen["Labels"]["org.example"] == "yes"
    assert seen["Labels"]["denizen.packages"] == "libc6=1.0-1 libgreet1=1.0-1"
    assert len(seen["Layers"]) == len(told["layers"])
    root, command = unpacked(tmp_path / "oci", tmp_path / "bundle")
    assert greeted(in_root(root, *command))
    status = (root / "var/lib/dpkg/status.d/libgreet1").read_text()
    assert "Package: libgreet1\nStatus: install ok installed\n" in status
    assert sorted(os.listdir(root)) == sorted(
        ["dev", "etc", "home", "lib", "lib64", "opt", "proc", "root", "run", "sys", "tmp", "usr", "var"]
    )


def test_runc_runs_it(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    require("runc", "umoci")
    if os.geteuid():
        pytest.skip("runc without root needs delegated cgroups")
    home.denizen("export", str(greeter), "--oci", str(tmp_path / "oci"))
    unpacked(tmp_path / "oci", tmp_path / "bundle")
    config = tmp_path / "bundle" / "config.json"
    settings = json.loads(config.read_text())
    settings["process"]["terminal"] = False
    config.write_text(json.dumps(settings))
    command: list[str | Path] = [
        "runc",
        "--root",
        tmp_path / "state",
        "run",
        "--bundle",
        config.parent,
        f"denizen-{os.getpid()}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode and ("cgroup" in done.stderr or "operation not permitted" in done.stderr):
        pytest.skip(f"runc cannot run a container here: {done.stderr.strip()}")
    assert greeted(done.stdout.splitlines()), done.stderr


def test_the_same_input_has_the_same_digest(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        home.denizen("export", str(greeter), "--oci", str(tmp_path / name))
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    run("skopeo", "copy", f"oci-archive:{tmp_path / 'one.tar'}", f"dir:{tmp_path / 'copied'}")
    assert (tmp_path / "copied" / "manifest.json").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copied", "one.tar", "two.tar"]


@pytest.mark.parametrize("name", ["root.tar", "root.tar.gz", "root.tar.zst"])
def test_an_archive_holds_the_root(home: DenizenHome, greeter: Path, tmp_path: Path, name: str) -> None:
    home.denizen("export", str(greeter), "--tar", str(tmp_path / name))
    root = tmp_path / "root"
    root.mkdir()
    run("tar", "-C", root, "-xf", tmp_path / name)
    assert greeted(in_root(root, "/opt/greeter/greeter"))


def test_an_image_of_squashfs_holds_the_root(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    home.denizen("export", str(greeter), "--squashfs", str(tmp_path / "image"))
    run("unsquashfs", "-q", "-n", "-d", tmp_path / "root", tmp_path / "image")
    assert greeted(in_root(tmp_path / "root", "/opt/greeter/greeter"))
    assert (tmp_path / "root" / "tmp").stat().st_mode & 0o7777 == 0o1777


def test_a_package_installs_the_program_alone(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    deb = tmp_path / "greeter.deb"
    home.denizen("export", str(greeter), "--deb", str(deb), "--deb-version", "2.1-1")
    fields = run("dpkg-deb", "--field", deb)
    assert "Package: greeter\nVersion: 2.1-1\nArchitecture: amd64\n" in fields
    assert "Denizen-Packages: libc6 (= 1.0-1), libgreet1 (= 1.0-1)\n" in fields
    assert "Depends" not in fields
    run("dpkg-deb", "-x", deb, tmp_path / "root")
    run("dpkg-deb", "-e", deb, tmp_path / "control")
    run("sh", "-c", 'cd "$0" && md5sum --quiet -c "$1"', tmp_path / "root", tmp_path / "control/md5sums")
    (tmp_path / "root" / "proc").mkdir()
    assert in_root(tmp_path / "root", "/usr/bin/greeter")[0] == "hello from the store"


def test_a_tree_goes_with_the_program(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "share").mkdir()
    (tree / "share" / "text").write_text("data")
    program = tree / "bin" / "greeter"
    program.write_bytes(greeter.read_bytes())
    program.chmod(0o755)
    archive = tmp_path / "root.tar"
    home.denizen("export", str(program), "--tree", str(tree), "--tar", str(archive))
    with tarfile.open(archive) as found:
        names = found.getnames()
    assert {"opt/greeter/bin/greeter", "opt/greeter/share/text"} <= {*names}


def test_the_root_has_what_is_looked_for_at_fixed_paths(
    home: DenizenHome, greeter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of packages, of a maintainer script, and at the paths of other distributions than the packages'."""
    listed = tmp_path / "list"
    listed.write_text("what a maintainer script makes")
    wanted = RuleFiles({b"/usr/lib/x/list": os.fsencode(listed)})
    monkeypatch.setattr(program_closure, "wanted_files", lambda *_, **__: wanted)
    home.set_up("export", greeter, "--with", "libmore1", "--tar", tmp_path / "root.tar")
    root = tmp_path / "root"
    root.mkdir()
    run("tar", "-C", root, "-xf", tmp_path / "root.tar")
    paths = ["usr/lib/x/list", "usr/share/terminfo/x/xterm", "etc/pki/tls/certs/ca-bundle.crt"]
    view = RootedView(os.fsencode(root))  # the links are absolute
    found = [bytes(view.read(b"/" + path.encode())).decode() for path in paths]
    assert found == ["what a maintainer script makes", "a terminal", "one authority\n"]


def test_a_program_keeps_the_name_that_it_is_called_by(
    home: DenizenHome, greeter: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").symlink_to(greeter)
    told = home.denizen("--json", "export", str(tmp_path / "other"), "--oci", str(tmp_path / "oci"))
    assert json.loads(told.stdout)["digest"]
    root, command = unpacked(tmp_path / "oci", tmp_path / "bundle")
    assert command == ["/opt/other/other"]
    assert in_root(root, *command)[1] == "[/opt/other/other]"


@pytest.mark.parametrize("form", ["--oci", "--tar", "--squashfs", "--deb"])
def test_nothing_is_left_of_an_export_that_fails(
    home: DenizenHome, greeter: Path, tmp_path: Path, form: str
) -> None:
    place = tmp_path / "not there"
    done = home.denizen("export", str(greeter), form, str(place / "x"), status=None)
    assert done.returncode == 125
    assert "Traceback" not in done.stderr
    assert not place.exists()


def test_a_directory_that_is_there_is_left_alone(home: DenizenHome, greeter: Path, tmp_path: Path) -> None:
    done = home.denizen("export", str(greeter), "--oci", str(tmp_path), status=None)
    assert done.returncode != 0
    assert "is there already" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_form_is_to_be_named(home: DenizenHome, greeter: Path) -> None:
    assert "say one of --oci, --tar" in home.denizen("export", str(greeter), status=2).stderr


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> FhsHome:
    made = FhsHome(tmp_path_factory.mktemp("composed"))
    script = Item("./usr/bin/greet", content=b"#!/bin/sh\necho hello, $1 $WHO\n", mode=0o755)
    made.add("greet", [script])
    made.denizen("fhs", "create", "work", "greet", "--env", "WHO=there")
    made.denizen("install", "greet")
    return made


@pytest.mark.parametrize("subject", ["work", "env:work", "profile:profile"])
def test_an_environment_and_a_profile_run_scripts(composed: FhsHome, tmp_path: Path, subject: str) -> None:
    told = json.loads(composed.denizen("--json", "export", subject, "--oci", tmp_path / "oci").stdout)
    assert "greet" in [one["name"] for one in told["packages"]]
    root, command = unpacked(tmp_path / "oci", tmp_path / "bundle")
    assert command == ["/bin/sh"]
    variables = json.loads((tmp_path / "bundle" / "config.json").read_text())["process"]["env"]
    assert ("WHO=there" in variables) == ("work" in subject)
    assert in_root(root, "/usr/bin/greet", "you") == ["hello, you"]
    assert not [path for path in root.rglob("*") if path.is_symlink() and ".denizen" in os.readlink(path)]


def test_only_a_program_becomes_a_package(composed: FhsHome, tmp_path: Path) -> None:
    done = composed.denizen("export", "work", "--deb", tmp_path / "x.deb", status=None)
    assert "cannot become a Debian package" in done.stderr


def test_a_word_that_names_two_things_is_refused(composed: FhsHome, tmp_path: Path) -> None:
    composed.denizen("fhs", "create", "profile", "greet")
    done = composed.denizen("export", "profile", "--tar", tmp_path / "x.tar", status=None)
    assert "env:profile, profile:profile" in done.stderr
