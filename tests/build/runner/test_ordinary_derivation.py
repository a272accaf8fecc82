"""Derivations whose builder is a program: what it is given, and where it runs."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from denizen.build.builders import NoSuchBuilder
from denizen.build.derivation import BadDerivation, seal
from denizen.build.runner.errors import BuildFailed, NotBuiltHere, SandboxForbidden
from denizen.formats.aterm import DerivationOutput
from denizen.store import commit
from denizen.value import replace
from tests.support.nix_builds import SHOWN
from tests.support.processes import is_in_a_command, wait_until
from tests.support.shell_builders import Site, program

ABC = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_output_is_built_with_its_references(site: Site) -> None:
    first = site.derive("first", "echo 1 > $out")
    used = {"dep": first.outputs[b"out"].inside(site.shop.store_dir).decode()}
    inputs = {first.path.inside(site.shop.store_dir): (b"out",)}
    second = site.shop.derive("second", program("cat $dep > $out; echo $dep >> $out", used, inputs=inputs))
    site.realise(second)
    place = site.shop.place(second)
    assert place.read_text() == f"1\n{site.shop.place(first)}\n"
    info = site.shop.store.info(second.outputs[b"out"])
    assert info.references == (first.outputs[b"out"],)
    assert info.deriver == second.path
    assert site.shop.left_behind() == []


def test_variables_of_the_caller_are_passed_to_fixed_outputs_alone(site: Site) -> None:
    given = {b"a_proxy": b"abc", b"secret": b"x"}
    derivation = program(
        'echo -n "$a_proxy$secret" > $out',
        {"impureEnvVars": "a_proxy"},
        outputs={b"out": DerivationOutput(b"", b"sha256", ABC)},
    )
    fixed = site.shop.derive("fixed", derivation)
    site.realise(fixed, environ=given)
    assert site.shop.place(fixed).read_text() == "abc"
    out = site.output("plain", 'echo "$a_proxy" > $out', {"impureEnvVars": "a_proxy"}, environ=given)
    assert out.read_text() == "\n"


def test_what_is_for_another_machine_is_refused(site: Site) -> None:
    with pytest.raises(NotBuiltHere, match="requiredSystemFeatures"):
        site.realise(site.derive("big", ":", {"requiredSystemFeatures": "big-parallel warp-drive"}))
    with pytest.raises(NotBuiltHere, match="and this machine does"):
        site.realise(site.derive("other", ":"), machine="riscv64")


def test_without_settings_programs_are_not_run(site: Site) -> None:
    with pytest.raises(NoSuchBuilder):
        site.shop.realise(site.derive("x", "echo x > $out"))


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_builder_ignores_no_signal_whatever_its_caller_ignores(site: Site, *, sandbox: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        made = site.output("ignored", "grep SigIgn /proc/self/status > $out", sandbox=sandbox)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert made.read_text() == f"SigIgn:\t{0:016x}\n"


def test_of_two_that_want_the_same_one_builds(site: Site) -> None:
    sealed = site.derive("once", "echo begun; sleep 0.3; echo x > $out")
    threads = [threading.Thread(target=site.realise, args=(sealed,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.said.count(b"begun") == 1


def test_independent_builds_run_at_once(site: Site) -> None:
    # Each waits until the other has begun, by what both say: one after the other would end in the timeout.
    begun: set[str] = set()
    both = threading.Event()

    def heard(name: str, _piece: bytes) -> None:
        begun.add(name)
        if len(begun) == 2:
            both.set()

    wanted = [site.derive(name, "echo begun; sleep 0.5; echo x > $out") for name in ("a", "b")]
    site.realise(*wanted, heard=heard)
    assert both.is_set()


def test_a_sandbox_that_is_forbidden_is_refused_with_the_way_out(site: Site, tmp_path: Path) -> None:
    # An enter that is refused what a sandbox is made of, by a plan it cannot carry out.
    enter = tmp_path / "enter"
    said = "denizen: no namespace: unshare: this host forbids it (EPERM)"
    enter.write_text(f'#!/bin/sh\necho "{said}" >&2\nprintf o >&3\nexit 126\n')
    enter.chmod(0o755)
    with pytest.raises(SandboxForbidden, match="EPERM") as caught:
        site.realise(site.derive("x", "echo x > $out"), enter=os.fsencode(enter))
    assert "--no-sandbox" in caught.value.remedy


def test_without_a_sandbox_outputs_are_the_same(site: Site) -> None:
    sealed = site.derive("plain", "echo $out > $out; pwd > here; id -u >> $out")
    site.realise(sealed, sandbox=False)
    assert site.shop.place(sealed).read_text() == f"{site.shop.place(sealed)}\n{os.geteuid()}\n"
    info = site.shop.store.info(sealed.outputs[b"out"])
    assert info.references == (sealed.outputs[b"out"],)
    site.realise(sealed, sandbox=False, check=True)
    assert site.shop.left_behind() == []


def test_without_a_sandbox_what_is_left_running_is_ended(site: Site) -> None:
    marker = f"1000.{os.getpid()}"
    site.output(
        "daemon", f"(setsid sleep {marker} < /dev/null > /dev/null 2>&1 &); echo x > $out", sandbox=False
    )
    wait_until(lambda: not is_in_a_command(marker))


def test_a_tree_of_packages_can_be_the_root(site: Site) -> None:
    script = """
        mkdir -p $out/usr/bin $out/usr/lib $out/etc/tool $out/dev $out/opt
        cp /usr/bin/dash $out/usr/bin/sh; cp /usr/bin/ls /usr/bin/cat $out/usr/bin
        libraries=$(ldd /usr/bin/dash /usr/bin/ls /usr/bin/cat | grep -o '/[^ ]*\\.so[^ ]*' | sort -u)
        cp -L --parents $libraries $out
        [ -L $out/lib64 ] || [ -d $out/lib64 ] || ln -s usr/lib64 $out/lib64
        ln -s usr/bin $out/bin
        echo setting > $out/etc/tool/conf; echo theirs > $out/etc/passwd; echo x > $out/opt/x
    """
    tree = site.output("tree", script)
    script = """
        ls / /opt /etc > $out; cat /etc/tool/conf /etc/passwd >> $out
        if { echo x > /opt/x; } 2> /dev/null; then exit 1; fi
    """
    out = site.built_with("inside", script, {"__denizenRoot": str(tree), "PATH": "/usr/bin"}, tree, paths=())
    said = out.read_text()
    assert "\nopt\n" in said
    assert "setting\nroot:x:0:0:Nix build user" in said
    assert "theirs" not in said
    assert (tree / "opt/x").read_text() == "x\n"


def test_a_root_that_is_no_input_is_refused(site: Site) -> None:
    other = site.output("other", "mkdir $out")
    with pytest.raises(BadDerivation, match="not among its inputs"):
        site.realise(site.derive("inside", ":", {"__denizenRoot": str(other)}))


def test_a_derivation_with_a_root_of_its_own_is_not_built_by_this_machines_compiler(site: Site) -> None:
    tree = site.output("tree", "mkdir $out")
    with pytest.raises(NotBuiltHere, match="only a sandbox shows"):
        site.built_with("inside", ":", {"__denizenRoot": str(tree)}, tree, sandbox=False)


def test_the_network_of_this_machine_is_for_fixed_outputs_alone(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}'; echo -n abc > $out"
        fixed = {b"out": DerivationOutput(b"", b"sha256", ABC)}
        site.realise(site.shop.derive("fixed", program(script, outputs=fixed)))
        with pytest.raises(BuildFailed, match="refused"):
            site.realise(site.derive("plain", script))


def test_a_32_bit_derivation_is_told_of_a_32_bit_machine(site: Site) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("only x86-64 builds for another machine too")
    sealed = site.shop.derive("old", replace(program("uname -m > $out"), system=b"i686-linux"))
    site.realise(sealed)
    assert site.shop.place(sealed).read_text() == "i686\n"


def test_what_the_builder_wrote_beside_its_outputs_is_gone_before_anything_is_synced(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[list[str]] = []
    top = Path(os.fsdecode(site.shop.store.layout.physical))

    def synced(_: int) -> None:
        there.append([path.name for path in top.glob(".tmp-*/*")])

    monkeypatch.setattr(commit, "sync", synced)
    place = site.output("big", "echo object > big.o; mkdir $out; echo kept > $out/file")
    assert (place / "file").read_text() == "kept\n"
    # The derivation was synced twice; then the output under its temporary name, and in its place.
    assert there == [[], [], ["file"], []]


def test_a_build_by_the_command_imports_nothing_slow(tmp_path: Path) -> None:
    store_dir = os.fsencode(tmp_path / "root/data/store")
    sealed = seal(program("echo x > $out"), "x", {}, store_dir)
    drv = tmp_path / "x.drv"
    drv.write_bytes(sealed.content)
    shown = [f"--sandbox-path={target}={source}" for target, source in SHOWN.items()]
    words = ["denizen", "--root", f"{tmp_path}/root", "realise", *shown, os.fspath(drv)]
    code = f"import sys; sys.path[:0] = {sys.path!r}; sys.argv = {words!r}\n"
    code += "from denizen.cli.main import main; main(); print(*sys.modules)"
    run = [sys.executable, "-I", "-S", "-c", code]
    place, modules = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    assert Path(place).read_text() == "x\n"
    slow = "hashlib _hashlib re enum threading queue signal datetime sqlite3 ctypes json hyperscan typing"
    assert set(modules.split()) & set(slow.split()) == set()
