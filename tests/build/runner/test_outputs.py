"""What a builder leaves as its outputs: what is registered, and what is refused."""

import os
import shlex
from pathlib import Path

import pytest

from denizen.build.placeholders import placeholder
from denizen.build.runner.errors import BadOutput, NoOutput, NotReproducible, OutputHashMismatch
from denizen.build.runner.output_checks import ForbiddenReferences
from denizen.build.runner.output_plan import OutputCycle
from denizen.formats.aterm import DerivationOutput
from denizen.store.collection.collector import collect
from denizen.store.collection.deletion_order import Limits
from denizen.store.trees.tree_reader import NotStorable
from denizen.store.upkeep.verification import verify
from tests.support.shell_builders import Site, program

ABC = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

SOCKET = """mkdir $out; cd $out
exec python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("x")'
"""


def test_no_output_is_told(site: Site) -> None:
    with pytest.raises(NoOutput, match="no output 'out'"):
        site.realise(site.derive("nothing", ":"))


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("mkdir $out; mkfifo $out/x", "FIFO"),
        (SOCKET, "socket"),
        ("mkdir $out; mknod $out/x c 0 0", "character device"),
    ],
)  # fmt: skip
def test_what_no_object_can_hold_is_refused(site: Site, script: str, kind: str) -> None:
    with pytest.raises(NotStorable, match=kind):
        site.realise(site.derive("odd", script))
    assert site.shop.left_behind() == []


def test_an_output_that_others_may_write_to_is_refused(site: Site) -> None:
    with pytest.raises(BadOutput, match="0666: others may write"):
        site.realise(site.derive("open", "echo x > $out; chmod 666 $out"))


def test_trees_that_their_owner_cannot_enter_are_stored_and_removed(site: Site) -> None:
    script = "mkdir -p $out/a/b d/e; echo x > $out/a/b/c; chmod 0 $out/a/b/c $out/a/b $out/a d/e d /tmp"
    out = site.output("closed", script)
    assert (out / "a/b/c").read_text() == "x\n"
    assert site.shop.left_behind() == []


def test_a_fixed_output_with_another_hash_is_refused_with_both(site: Site) -> None:
    derivation = program("echo -n abd > $out", outputs={b"out": DerivationOutput(b"", b"sha256", ABC)})
    with pytest.raises(OutputHashMismatch) as caught:
        site.realise(site.shop.derive("fixed", derivation))
    assert caught.value.stated == "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
    assert caught.value.found.startswith("sha256-p")


def test_a_flat_fixed_output_must_be_a_plain_file(site: Site) -> None:
    for script in ("mkdir $out", "echo -n abc > $out; chmod +x $out"):
        derivation = program(script, outputs={b"out": DerivationOutput(b"", b"sha256", ABC)})
        with pytest.raises(BadOutput, match="not executable"):
            site.realise(site.shop.derive("fixed", derivation))


def test_outputs_that_refer_to_each_other_are_refused(site: Site) -> None:
    outputs = {b"out": DerivationOutput(b""), b"dev": DerivationOutput(b"")}
    derivation = program("echo $dev > $out; echo $out > $dev", outputs=outputs)
    with pytest.raises(OutputCycle, match="dev and out"):
        site.realise(site.shop.derive("cycle", derivation))


def test_forbidden_references_are_named(site: Site) -> None:
    with pytest.raises(ForbiddenReferences, match="allowedReferences"):
        site.realise(site.derive("selfish", "echo $out > $out", {"allowedReferences": ""}))


def test_check_says_which_bytes_differ(site: Site, tmp_path: Path) -> None:
    steady = site.derive("steady", "echo x > $out")
    site.realise(steady, check=True)
    site.realise(steady, check=True)
    # Each build writes another digit.
    count = shlex.quote(os.fspath(tmp_path / "builds"))
    digit = f"echo x >> {count}; head -c 100 /dev/zero | tr '\\0' $(wc -l < {count})"
    random = site.derive("random", f"mkdir $out; echo same > $out/same; {{ {digit}; }} > $out/noise")
    with pytest.raises(NotReproducible) as caught:
        site.realise(random, check=True, sandbox=False)
    assert "noise: " in caught.value.why
    assert "100 bytes differ from offset 0 on" in caught.value.why
    assert "same" not in "".join(caught.value.differences)
    assert site.shop.left_behind() == []


def test_what_was_built_with_the_network_is_a_copy(site: Site) -> None:
    # A process elsewhere, reached by the network, could hold the builder's file open for writing.
    fixed = {b"out": DerivationOutput(b"", b"sha256", ABC)}
    sealed = site.shop.derive("fixed", program("echo -n abc > $out; stat -c %i $out", outputs=fixed))
    site.realise(sealed)
    assert site.shop.place(sealed).read_text() == "abc"
    assert site.shop.place(sealed).stat().st_ino != int(site.said)


def test_a_floating_output_is_the_same_with_and_without_a_sandbox(site: Site) -> None:
    outputs = {name: DerivationOutput(b"", b"r:sha256") for name in (b"out", b"dev")}
    variables = {name.decode(): placeholder(name).decode() for name in outputs}
    derivation = program(
        "mkdir $out; printf '%s\\n' $out $dev > $out/x; echo $dev > $dev", variables, outputs=outputs
    )
    path = site.add("floating", derivation)
    made = site.realise_paths(path)
    record = Path(os.fsdecode(site.shop.store.layout.state)) / "realisations"
    assert len(list(record.iterdir())) == len(outputs)
    assert site.realise_paths(path) == made
    text = (Path(os.fsdecode(site.shop.store.place_of(made[b"out"]))) / "x").read_text()
    places = [made[name].inside(site.shop.store_dir).decode() for name in (b"out", b"dev")]
    assert text.splitlines() == places
    for file in record.iterdir():
        file.unlink()
    assert site.realise_paths(path, sandbox=False) == made
    assert site.shop.left_behind() == []


def test_names_that_have_the_outputs_hash_in_them_may_sort_elsewhere_in_its_final_path(site: Site) -> None:
    # One name for each place in the order that the hash could have.
    script = "mkdir $out; cd $out; h=${out##*/}; for c in 0 4 8 c g k n r v z; do : > $c; done; : > ${h%%-*}"
    variables = {"out": placeholder(b"out").decode()}
    for number in range(4):
        outputs = {b"out": DerivationOutput(b"", b"r:sha256")}
        derivation = program(script, {**variables, "number": str(number)}, outputs=outputs)
        made = site.realise_paths(site.add(f"named-{number}", derivation))[b"out"]
        place = Path(os.fsdecode(site.shop.store.place_of(made)))
        assert sorted(path.name for path in place.iterdir()) == sorted([*"048cgknrvz", made.digest])
    sealed = site.derive("named", script)
    site.realise(sealed)
    site.realise(sealed, check=True)
    assert not list(verify(site.shop.store, contents=True))


def test_what_was_built_verifies_and_is_collected(site: Site) -> None:
    site.output("tree", "mkdir -p $out/a; echo x > $out/a/b; ln -s b $out/a/c")
    assert not list(verify(site.shop.store, contents=True))
    collect(site.shop.store, Limits())
    assert site.shop.left_behind() == []
