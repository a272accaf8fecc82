"""Derivations whose builder is a program: what is built, and what is said when it is not."""

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from denizen.build.builders import NoSuchBuilder
from denizen.build.derivation import BadDerivation
from denizen.build.placeholders import placeholder
from denizen.build.realise import RealiseOptions, SeveralFailed, realise
from denizen.build.runner.build_log import log_path, read_log
from denizen.build.runner.errors import (
    BadOutput,
    BuilderNotStarted,
    BuildFailed,
    NoOutput,
    NotBuiltHere,
    NotReproducible,
    OutputHashMismatch,
    SandboxForbidden,
)
from denizen.build.runner.output_checks import ForbiddenReferences
from denizen.build.runner.output_plan import OutputCycle
from denizen.formats.aterm import DerivationOutput
from denizen.store.collection.collector import Limits, collect
from denizen.store.trees.tree_reader import NotStorable
from denizen.store.verification import verify
from denizen.value import replace
from tests.support.denizen_command import denizen
from tests.support.nix_builds import SHOWN
from tests.support.programs import Site, program
from tests.support.sandboxes import require_sandbox

ABC = b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

SOCKET = """mkdir $out; cd $out
exec python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("x")'
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    require_sandbox()
    return Site(tmp_path)


def log_of(site: Site, name: str) -> bytes:
    (log,) = Path(os.fsdecode(site.shop.store.layout.state)).glob(f"logs/*/*-{name}.drv.gz")
    return b"".join(read_log(os.fsencode(log)))


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


def test_a_failure_says_how_the_builder_ended_and_what_it_said_last(site: Site) -> None:
    sealed = site.derive("bad", "echo first; echo '\033[31mlast' >&2; exit 7")
    with pytest.raises(BuildFailed, match="status 7") as caught:
        site.realise(sealed)
    assert "> first" in caught.value.why
    assert "\\x1b[31mlast" in caught.value.why
    assert f"denizen log {sealed.path}" in caught.value.remedy
    assert site.shop.left_behind() == []


def test_a_signal_is_named(site: Site) -> None:
    # Not kill(2): the first process of a namespace gets from within only the signals that it handles.
    with pytest.raises(BuildFailed, match="SIGSEGV"):
        site.realise(site.derive("killed", "exec python3 -c 'import ctypes; ctypes.string_at(0)'"))


def test_the_log_is_kept_of_what_fails_and_of_what_does_not(site: Site) -> None:
    site.output("good", "echo well; echo x > $out")
    with pytest.raises(BuildFailed):
        site.realise(site.derive("bad", "seq 100000; exit 1"))
    assert log_of(site, "good") == b"well\n"
    assert log_of(site, "bad").endswith(b"\n99999\n100000\n")
    assert site.said.startswith(b"well\n1\n2\n")


def test_a_log_that_breaks_off_is_read_as_far_as_it_goes(site: Site) -> None:
    sealed = site.derive("talker", "seq 200000; echo x > $out")
    site.realise(sealed)
    path = Path(os.fsdecode(log_path(site.shop.store.layout, sealed.path)))
    path.write_bytes(path.read_bytes()[:-1000])
    assert b"".join(read_log(os.fsencode(path))).startswith(b"1\n2\n3\n")


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


def test_outputs_that_refer_to_each_other_are_refused(site: Site) -> None:
    outputs = {b"out": DerivationOutput(b""), b"dev": DerivationOutput(b"")}
    derivation = program("echo $dev > $out; echo $out > $dev", outputs=outputs)
    with pytest.raises(OutputCycle, match="dev and out"):
        site.realise(site.shop.derive("cycle", derivation))


def test_forbidden_references_are_named(site: Site) -> None:
    with pytest.raises(ForbiddenReferences, match="allowedReferences"):
        site.realise(site.derive("selfish", "echo $out > $out", {"allowedReferences": ""}))


def test_a_builder_that_is_not_there_is_told(site: Site) -> None:
    with pytest.raises(BuilderNotStarted, match="no such file") as caught:
        site.realise(site.derive("shell", ":"), paths=())
    assert "--sandbox-path" in caught.value.remedy


def test_what_is_for_another_machine_is_refused(site: Site) -> None:
    with pytest.raises(NotBuiltHere, match="requiredSystemFeatures"):
        site.realise(site.derive("big", ":", {"requiredSystemFeatures": "big-parallel warp-drive"}))
    with pytest.raises(NotBuiltHere, match="and this machine does"):
        site.realise(site.derive("other", ":"), machine="riscv64")


def test_without_settings_programs_are_not_run(site: Site) -> None:
    with pytest.raises(NoSuchBuilder):
        site.shop.realise(site.derive("x", "echo x > $out"))


@pytest.mark.parametrize(
    ("limit", "script", "reason"),
    [
        ({"timeout": 1}, "while :; do echo x; sleep 0.1; done", "after 1 seconds"),
        ({"max_silent_time": 1}, "echo x; sleep 1000", "after 1 seconds of silence"),
        (
            {"max_log": 100_000},
            "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
            "more than 100000 bytes",
        ),
    ],
)
def test_limits_end_a_builder_with_all_it_started(
    site: Site, limit: dict[str, object], script: str, reason: str
) -> None:
    with pytest.raises(BuildFailed, match=reason):
        site.realise(site.derive("endless", f"(setsid sleep 1000 &); {script}"), **limit)
    assert site.shop.left_behind() == []


def test_a_failed_build_can_be_kept(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(BuildFailed) as caught:
        site.realise(site.derive("bad", "echo 1 > file; exit 1"), keep_failed=os.fsencode(kept))
    assert (Path(os.fsdecode(caught.value.kept)) / "build/file").read_text() == "1\n"


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_builder_ignores_no_signal_whatever_its_caller_ignores(site: Site, *, sandbox: bool) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        made = site.output("ignored", "grep SigIgn /proc/self/status > $out", sandbox=sandbox)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert made.read_text() == f"SigIgn:\t{0:016x}\n"


def test_check_says_which_bytes_differ(site: Site, tmp_path: Path) -> None:
    steady = site.derive("steady", "echo x > $out")
    site.realise(steady, check=True)
    site.realise(steady, check=True)
    # Each build writes another digit.
    digit = f"echo x >> {tmp_path}/builds; head -c 100 /dev/zero | tr '\\0' $(wc -l < {tmp_path}/builds)"
    random = site.derive("random", f"mkdir $out; echo same > $out/same; {{ {digit}; }} > $out/noise")
    with pytest.raises(NotReproducible) as caught:
        site.realise(random, check=True, sandbox=False)
    assert "noise: " in caught.value.why
    assert "100 bytes differ from offset 0 on" in caught.value.why
    assert "same" not in "".join(caught.value.differences)
    assert site.shop.left_behind() == []


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
    deadline = time.monotonic() + 10
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(marker)


def running(word: str) -> bool:
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in process.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_what_was_built_verifies_and_is_collected(site: Site) -> None:
    site.output("tree", "mkdir -p $out/a; echo x > $out/a/b; ln -s b $out/a/c")
    assert not list(verify(site.shop.store, contents=True))
    collect(site.shop.store, Limits())
    assert site.shop.left_behind() == []


def test_the_command_builds_prints_and_keeps_what_was_said(tmp_path: Path) -> None:
    require_sandbox()
    root = tmp_path / "root"
    shop = Site(root / "data").shop
    sealed = shop.derive("told", program("echo 'one\ntwo'; echo x > $out"))
    paths = [f"--sandbox-path={target}={source}" for target, source in SHOWN.items()]
    drv = os.fsdecode(shop.store.place_of(sealed.path))
    done = denizen(root, "realise", "-L", *paths, drv)
    assert done.stdout.decode().split() == [str(shop.place(sealed))]
    assert done.stderr == b"building told\ntold> one\ntold> two\n"
    # The second time by the quick answer, which runs nothing.
    assert denizen(root, "realise", "-L", drv).stderr == b""
    assert denizen(root, "log", drv).stdout == b"one\ntwo\n"
    assert denizen(root, "log", shop.place(sealed)).stdout == b"one\ntwo\n"
    assert (
        b"there is no log" in denizen(root, "log", shop.derive("x", program("")).path.base, status=125).stderr
    )


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


def test_what_was_built_with_the_network_is_a_copy(site: Site) -> None:
    # A process elsewhere, reached by the network, could hold the builder's file open for writing.
    fixed = {b"out": DerivationOutput(b"", b"sha256", ABC)}
    sealed = site.shop.derive("fixed", program("echo -n abc > $out; stat -c %i $out", outputs=fixed))
    site.realise(sealed)
    assert site.shop.place(sealed).read_text() == "abc"
    assert site.shop.place(sealed).stat().st_ino != int(site.said)


def test_the_network_of_this_machine_is_for_fixed_outputs_alone(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        script = f"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{server.getsockname()[1]}'; echo -n abc > $out"
        fixed = {b"out": DerivationOutput(b"", b"sha256", ABC)}
        site.realise(site.shop.derive("fixed", program(script, outputs=fixed)))
        with pytest.raises(BuildFailed, match="refused"):
            site.realise(site.derive("plain", script))


def test_what_does_not_depend_on_a_failure_is_built_if_wished(site: Site) -> None:
    bad = site.derive("bad", "sleep 0.2; exit 1")
    worse = site.derive("worse", "exit 2")
    inputs = {bad.path.inside(site.shop.store_dir): (b"out",)}
    above = site.shop.derive("above", program("echo x > $out", inputs=inputs))
    good = site.derive("good", "sleep 0.4; echo x > $out")
    options = RealiseOptions(site.shop.opener, 2, ordinary=site.settings(), keep_going=True)
    with pytest.raises(SeveralFailed) as caught:
        realise(site.shop.store, [above.path, good.path, worse.path], options)
    assert sorted(one.why.splitlines()[0] for one in caught.value.failures) == [
        "its builder ended with status 1",
        "its builder ended with status 2",
    ]
    assert site.shop.store.is_valid(good.outputs[b"out"])
    assert not site.shop.store.is_valid(above.outputs[b"out"])
    assert site.shop.left_behind() == []


def test_a_32_bit_derivation_is_told_of_a_32_bit_machine(site: Site) -> None:
    if os.uname().machine != "x86_64":
        pytest.skip("only x86-64 builds for another machine too")
    sealed = site.shop.derive("old", replace(program("uname -m > $out"), system=b"i686-linux"))
    site.realise(sealed)
    assert site.shop.place(sealed).read_text() == "i686\n"


def test_a_floating_output_is_the_same_with_and_without_a_sandbox(site: Site) -> None:
    outputs = {name: DerivationOutput(b"", b"r:sha256") for name in (b"out", b"dev")}
    variables = {name.decode(): placeholder(name).decode() for name in outputs}
    derivation = program("mkdir $out; echo $out $dev > $out/x; echo $dev > $dev", variables, outputs=outputs)
    path = site.add("floating", derivation)
    made = site.realise_paths(path)
    record = Path(os.fsdecode(site.shop.store.layout.state)) / "realisations"
    assert len(list(record.iterdir())) == len(outputs)
    assert site.realise_paths(path) == made
    text = (Path(os.fsdecode(site.shop.store.place_of(made[b"out"]))) / "x").read_text()
    places = [made[name].inside(site.shop.store_dir).decode() for name in (b"out", b"dev")]
    assert text.split() == places
    for file in record.iterdir():
        file.unlink()
    assert site.realise_paths(path, sandbox=False) == made
    assert site.shop.left_behind() == []
